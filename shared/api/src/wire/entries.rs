//! Entries, periods and distributions as version 1 writes them; what version 2 writes in the same way, too.

use leaderboard_core::ports::PeriodSummary;
use leaderboard_core::usecase::{Bucket, Distribution, ScorePlace};
use leaderboard_core::{Columns, Entry, Period, RankedEntry};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::NamedValues;
use crate::json::{Exact, ExactUnsigned};
use crate::problem::Problem;

/// A period and its bounds; `null` is unbounded.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Period))]
pub struct PeriodBody<'a> {
    /// The instant it starts at, or `all`.
    id: &'a str,
    /// Its first instant.
    #[cfg_attr(feature = "schema", schema(required))]
    starts_at: Option<String>,
    /// The first instant after it.
    #[cfg_attr(feature = "schema", schema(required))]
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

/// One entry.
#[derive(Debug, Serialize)]
pub struct EntryBody<'a> {
    rank: u64,
    player: &'a str,
    values: NamedValues<'a>,
    metadata: &'a RawValue,
    reached_at: String,
}

impl<'a> EntryBody<'a> {
    /// An entry with the names of its columns.
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

    /// As [`EntryBody::new`], for many.
    ///
    /// # Errors
    /// As there.
    pub fn list(entries: &'a [RankedEntry], columns: &'a Columns) -> Result<Vec<Self>, Problem> {
        entries.iter().map(|entry| Self::new(entry, columns)).collect()
    }
}

/// Returns an entry's metadata as the client sent it; an empty object when it has no metadata.
///
/// # Errors
/// An internal problem when it is not JSON.
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
pub struct Head<'a> {
    /// The leaderboard's id.
    pub leaderboard: &'a str,
    /// The period that the entries are of.
    pub period: PeriodBody<'a>,
    /// The position of the last event that changed the period's entries.
    pub version: ExactUnsigned,
    /// How many entries the period has.
    pub count: u64,
}

/// A page of the list.
#[derive(Debug, Serialize)]
pub struct PageBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: Head<'a>,
    /// The entries, best first.
    pub entries: Vec<EntryBody<'a>>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
    /// The cursor of the page before; `None` on the first page.
    pub previous: Option<String>,
    /// Whether entries moved between pages since the cursor was made.
    pub drifted: bool,
}

/// Some players' entries, and who has none.
#[derive(Debug, Serialize)]
pub struct PlayersBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: Head<'a>,
    /// The entries, best first.
    pub entries: Vec<EntryBody<'a>>,
    /// The players who have no entry.
    pub not_found: Vec<&'a str>,
}

/// A window of the list.
#[derive(Debug, Serialize)]
pub struct WindowBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: Head<'a>,
    /// The entries, best first.
    pub entries: Vec<EntryBody<'a>>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
    /// The cursor of the page before; `None` on the first page.
    pub previous: Option<String>,
}

/// One player's entry.
#[derive(Debug, Serialize)]
pub struct StandingBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: Head<'a>,
    /// The player's entry.
    pub entry: EntryBody<'a>,
}

/// The periods of a leaderboard.
#[derive(Debug, Serialize)]
pub struct PeriodsBody<'a> {
    /// The leaderboard's id.
    pub leaderboard: &'a str,
    /// The periods, newest first.
    pub periods: Vec<SummaryBody<'a>>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// One period, in the list of them.
#[derive(Debug, Serialize)]
pub struct SummaryBody<'a> {
    #[serde(flatten)]
    period: PeriodBody<'a>,
    version: ExactUnsigned,
    count: u64,
}

impl<'a> From<&'a PeriodSummary> for SummaryBody<'a> {
    fn from(summary: &'a PeriodSummary) -> Self {
        Self {
            period: (&summary.period).into(),
            version: ExactUnsigned(summary.version),
            count: summary.count,
        }
    }
}

/// How scores are spread.
#[derive(Debug, Serialize)]
pub struct DistributionBody<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    buckets: Vec<BucketBody>,
    percentiles: Percentiles<'a>,
    score: Option<ScoreBody>,
}

impl<'a> DistributionBody<'a> {
    /// A distribution of a leaderboard.
    pub fn new(leaderboard: &'a str, found: &'a Distribution) -> Self {
        Self {
            head: Head {
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

#[derive(Debug, Serialize)]
struct BucketBody {
    from: Exact,
    to: Exact,
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

/// `{"50": 3, "99": 124}`; empty without entries.
#[derive(Debug)]
struct Percentiles<'a>(&'a [(u16, i64)]);

impl Serialize for Percentiles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(percent, value)| (percent, Exact(*value))))
    }
}

#[derive(Debug, Serialize)]
struct ScoreBody {
    score: Exact,
    rank: u64,
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

    fn ranked(metadata: Option<&str>) -> RankedEntry {
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
    fn a_page_has_the_fields_of_the_contract_in_their_order() {
        let (columns, period) = (Columns::default(), Period::all_time());
        let entries = [ranked(Some(r#"{"big":1.10e400}"#)), ranked(None)];
        let page = PageBody {
            head: Head {
                leaderboard: "goals",
                period: (&period).into(),
                version: ExactUnsigned(17),
                count: 2,
            },
            entries: EntryBody::list(&entries, &columns).unwrap(),
            next: Some("c".into()),
            previous: None,
            drifted: false,
        };
        assert_eq!(
            crate::json::text(&page),
            r#"{"leaderboard":"goals","period":{"id":"all","starts_at":null,"ends_at":null},"version":17,"count":2,"entries":[{"rank":1,"player":"p","values":{"score":124},"metadata":{"big":1.10e400},"reached_at":"2026-07-19T19:04:00.250Z"},{"rank":1,"player":"p","values":{"score":124},"metadata":{},"reached_at":"2026-07-19T19:04:00.250Z"}],"next":"c","previous":null,"drifted":false}"#
        );
    }

    #[test]
    fn metadata_that_is_no_json_is_a_failure_of_the_service() {
        let (columns, entry) = (Columns::default(), ranked(Some("{")));
        assert!(EntryBody::new(&entry, &columns).is_err());
    }
}
