//! Entries, periods and distributions in version 1, and the parts that are the same in version 2.

use leaderboard_core::ports::PeriodSummary;
use leaderboard_core::usecase::{Bucket, Distribution, ScorePlace};
use leaderboard_core::{Columns, Entry, Period, RankedEntry};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::NamedValues;
use crate::json::{Exact, ExactUnsigned};
use crate::problem::Problem;

/// A period: one run of a leaderboard between two resets.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Period))]
pub struct PeriodBody<'a> {
    /// The id of the period: the instant at which it starts, or `all` for a period without a start.
    id: &'a str,
    /// The first instant of the period; `null` if the period has no start.
    starts_at: Option<String>,
    /// The first instant after the period; `null` if the period has no end.
    ends_at: Option<String>,
}

impl<'a> From<&'a Period> for PeriodBody<'a> {
    fn from(period: &'a Period) -> Self {
        Self {
            id: period.id.as_str(),
            starts_at: period.starts_at.map(|at| at.to_string()),
            ends_at: period.ends_at.map(|at| at.to_string()),
        }
    }
}

/// A player's entry in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Entry))]
pub struct EntryBody<'a> {
    /// The rank, which starts at 1. The tie policy of the leaderboard ranks entries with equal values.
    rank: u64,
    /// The player.
    player: &'a str,
    /// The values of the entry, by the names of the columns.
    values: NamedValues<'a>,
    /// The metadata of the submission that gave the entry its values.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::AnyMetadata))]
    metadata: &'a RawValue,
    /// When the player reached these values.
    reached_at: String,
}

impl<'a> EntryBody<'a> {
    /// Returns an entry with the names of its columns.
    ///
    /// # Errors
    /// An internal problem when its metadata is not JSON.
    pub fn new(ranked: &'a RankedEntry, columns: &'a Columns) -> Result<Self, Problem> {
        let entry = &ranked.entry;
        Ok(Self {
            rank: ranked.rank,
            player: entry.player.as_str(),
            values: NamedValues {
                columns,
                values: &entry.values,
            },
            metadata: metadata_of(entry)?,
            reached_at: entry.reached_at.to_string(),
        })
    }

    /// Returns many entries, each as [`EntryBody::new`] does.
    ///
    /// # Errors
    /// The same as for one entry.
    pub fn list(entries: &'a [RankedEntry], columns: &'a Columns) -> Result<Vec<Self>, Problem> {
        entries.iter().map(|entry| Self::new(entry, columns)).collect()
    }
}

/// Returns an entry's metadata as the client sent it; an empty object when it has no metadata.
///
/// # Errors
/// An internal problem when the metadata is not JSON.
pub fn metadata_of(entry: &Entry) -> Result<&RawValue, Problem> {
    let metadata = entry
        .metadata
        .as_ref()
        .map_or("{}", |metadata| metadata.as_json_text());
    serde_json::from_str(metadata)
        .map_err(|error| Problem::internal(format!("stored metadata is not JSON: {error}")))
}

/// What every document about a period begins with.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PageHead<'a> {
    /// The id of the leaderboard.
    pub leaderboard: &'a str,
    /// The period.
    pub period: PeriodBody<'a>,
    /// The version of the period: the position of the last event that changed one of its entries.
    pub version: ExactUnsigned,
    /// The number of entries in the period.
    pub count: u64,
}

/// A page of a list of entries, or the entries of given players.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Entries))]
pub struct EntriesBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// The entries, best first.
    pub entries: Vec<EntryBody<'a>>,
    /// The players of the request that have no entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub not_found: Option<Vec<&'a str>>,
    /// The cursors of a page; `None` for some players.
    #[serde(flatten)]
    pub cursors: Option<Cursors>,
    /// Whether entries changed since the first page of the list was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub drifted: Option<bool>,
}

/// Where a list goes on.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cursors {
    /// The cursor of the next page; `null` on the last page.
    pub next: Option<String>,
    /// The cursor of the previous page; `null` on the first page.
    pub previous: Option<String>,
}

/// The entries around a player.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Window))]
pub struct WindowBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// The entries, best first.
    pub entries: Vec<EntryBody<'a>>,
    /// The cursor of the entries that follow the window; `null` at the end of the list.
    pub next: Option<String>,
    /// The cursor of the entries before the window; `null` at the beginning of the list.
    pub previous: Option<String>,
}

/// The entry of one player in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Standing))]
pub struct PlayerEntryBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// The entry.
    pub entry: EntryBody<'a>,
}

/// A page of the periods of a leaderboard that have entries.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Periods))]
pub struct PeriodsBody<'a> {
    /// The id of the leaderboard.
    pub leaderboard: &'a str,
    /// The periods, newest first.
    pub periods: Vec<PeriodSummaryBody<'a>>,
    /// The cursor of the next page; `null` on the last page.
    pub next: Option<String>,
}

/// A period with entries.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PeriodSummary))]
pub struct PeriodSummaryBody<'a> {
    /// The period.
    #[serde(flatten)]
    period: PeriodBody<'a>,
    /// The version of the period: the position of the last event that changed one of its entries.
    version: ExactUnsigned,
    /// The number of entries in the period.
    count: u64,
}

impl<'a> From<&'a PeriodSummary> for PeriodSummaryBody<'a> {
    fn from(summary: &'a PeriodSummary) -> Self {
        Self {
            period: (&summary.period).into(),
            version: ExactUnsigned(summary.version),
            count: summary.count,
        }
    }
}

/// The distribution of the values of the first column in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Distribution))]
pub struct DistributionBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    head: PageHead<'a>,
    /// The buckets, from the smallest values to the largest; empty if the period has no entries.
    buckets: Vec<BucketBody>,
    /// The percentiles; empty if the period has no entries.
    percentiles: Percentiles<'a>,
    /// The rank that the `score` of the request would have; `null` if the request has no `score`.
    score: Option<ScoreBody>,
}

impl<'a> DistributionBody<'a> {
    /// Returns the document of a distribution.
    pub fn new(leaderboard: &'a str, found: &'a Distribution) -> Self {
        Self {
            head: PageHead {
                leaderboard,
                period: (&found.period).into(),
                version: ExactUnsigned(found.version),
                count: found.count,
            },
            buckets: found.buckets.iter().map(BucketBody::from).collect(),
            percentiles: Percentiles(&found.percentiles),
            score: found.score.as_ref().map(ScoreBody::from),
        }
    }
}

/// The number of entries whose value is in a range.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Bucket))]
struct BucketBody {
    /// The smallest value of the range, included.
    from: Exact,
    /// The largest value of the range, included.
    to: Exact,
    /// The number of entries.
    count: u64,
}

impl From<&Bucket> for BucketBody {
    fn from(bucket: &Bucket) -> Self {
        Self {
            from: Exact(bucket.from),
            to: Exact(bucket.to),
            count: bucket.count,
        }
    }
}

/// Writes percentiles as `{"50": 3, "99": 124}`.
#[derive(Debug)]
struct Percentiles<'a>(&'a [(u16, i64)]);

written_schema!(
    Percentiles<'_>,
    "Percentiles",
    described(
        map_of(reference("Int64")),
        "The percentiles of the first column: for each percentage, the value that is better than or equal to that percentage of entries."
    )
);

impl Serialize for Percentiles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(percent, value)| (percent, Exact(*value))))
    }
}

/// The rank that a score would have.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ScorePlace))]
struct ScoreBody {
    /// The score.
    score: Exact,
    /// The rank that the score would have.
    rank: u64,
    /// The percentage of entries with a worse value.
    percentile: f64,
}

impl From<&ScorePlace> for ScoreBody {
    fn from(place: &ScorePlace) -> Self {
        Self {
            score: Exact(place.score),
            rank: place.rank,
            percentile: place.percentile,
        }
    }
}

#[cfg(test)]
mod tests {
    use leaderboard_core::{Metadata, PlayerId, Timestamp, Values};

    use super::*;

    fn create_entry(metadata: Option<&str>) -> RankedEntry {
        RankedEntry {
            rank: 1,
            entry: Entry {
                player: PlayerId::new("p").unwrap(),
                values: Values::new(vec![124]),
                reached_at: Timestamp::parse("2026-07-19T19:04:00.25Z").unwrap(),
                metadata: metadata.map(|text| Metadata::from_json_text(text).unwrap()),
                attempts: 1,
            },
        }
    }

    #[test]
    fn a_page_has_the_fields_of_the_api_in_their_order() {
        let (columns, period) = (Columns::default(), Period::all_time());
        let entries = [create_entry(Some(r#"{"big":1.10e400}"#)), create_entry(None)];
        let page = EntriesBody {
            head: PageHead {
                leaderboard: "goals",
                period: (&period).into(),
                version: ExactUnsigned(17),
                count: 2,
            },
            entries: EntryBody::list(&entries, &columns).unwrap(),
            not_found: None,
            cursors: Some(Cursors {
                next: Some("c".into()),
                previous: None,
            }),
            drifted: Some(false),
        };
        assert_eq!(
            crate::json::text(&page),
            r#"{"leaderboard":"goals","period":{"id":"all","starts_at":null,"ends_at":null},"version":17,"count":2,"entries":[{"rank":1,"player":"p","values":{"score":124},"metadata":{"big":1.10e400},"reached_at":"2026-07-19T19:04:00.250Z"},{"rank":1,"player":"p","values":{"score":124},"metadata":{},"reached_at":"2026-07-19T19:04:00.250Z"}],"next":"c","previous":null,"drifted":false}"#
        );
    }

    #[test]
    fn metadata_that_is_not_json_is_an_error_of_the_service() {
        let (columns, entry) = (Columns::default(), create_entry(Some("{")));
        assert!(EntryBody::new(&entry, &columns).is_err());
    }
}
