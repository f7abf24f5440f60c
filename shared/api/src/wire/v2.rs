//! Documents of version 2 that differ from version 1: a player is an object, and a list is `data` and a `page`.

use leaderboard_core::usecase::{Drift, Listing};
use leaderboard_core::{Columns, RankedEntry};
use serde::Serialize;
use serde_json::value::RawValue;

use super::NamedValues;
use super::entries::{PageHead, PeriodSummaryBody, metadata_of};
use super::versioned::PageV2;
use crate::json::ExactUnsigned;
use crate::problem::Problem;

/// The player of an entry.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Player))]
pub(super) struct PlayerBody<'a> {
    /// The player's id.
    id: &'a str,
    /// The metadata of the submission that gave the entry its values.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::AnyMetadata))]
    metadata: &'a RawValue,
}

/// A player's entry in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Entry))]
pub(super) struct EntryBody<'a> {
    /// The rank, which starts at 1. The tie policy of the leaderboard ranks entries with equal values.
    rank: u64,
    /// The player.
    player: PlayerBody<'a>,
    /// The values of the entry, by the names of the columns.
    values: NamedValues<'a>,
    /// When the player reached these values.
    reached_at: String,
}

impl<'a> EntryBody<'a> {
    /// Returns an entry with the names of its columns.
    ///
    /// # Errors
    /// An internal problem when its metadata is not JSON.
    pub(super) fn new(ranked: &'a RankedEntry, columns: &'a Columns) -> Result<Self, Problem> {
        let entry = &ranked.entry;
        Ok(Self {
            rank: ranked.rank,
            player: PlayerBody {
                id: entry.player.as_str(),
                metadata: metadata_of(entry)?,
            },
            values: NamedValues {
                columns,
                values: &entry.values,
            },
            reached_at: entry.reached_at.to_string(),
        })
    }

    /// Returns many entries, each as [`EntryBody::new`] does.
    ///
    /// # Errors
    /// The same as for one entry.
    pub(super) fn list(entries: &'a [RankedEntry], columns: &'a Columns) -> Result<Vec<Self>, Problem> {
        entries.iter().map(|entry| Self::new(entry, columns)).collect()
    }
}

/// The version at which the first page of a list was read, and what changed since then.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(super) struct Snapshot {
    /// The version of the period when the first page was read.
    pub version: ExactUnsigned,
    /// Whether entries changed since the first page was read.
    pub drifted: bool,
    /// The ranks on this page whose entries changed since the first page was read; `null` if there were too many changes to list.
    pub touched_ranks: Option<Vec<u64>>,
    /// The changes since the first page that concern players who are not on this page; absent if no entries changed.
    #[serde(flatten)]
    elsewhere: Option<ElsewhereBody>,
}

/// What happened since the first page to players who are not on this page. Each field is `null` if there were too many changes to
/// list.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct ElsewhereBody {
    /// Only present if `drifted` is `true`: the players whose entries changed since the first page was read, and now stand in the
    /// part of the list that was already read. The client may have seen such a player on no page. `null` if there were too many
    /// changes to list.
    moved_past: Option<Vec<String>>,
    /// Only present if `drifted` is `true`: the number of players who were removed or banned since the first page was read. `null`
    /// if there were too many changes to count.
    gone: Option<u64>,
}

impl Snapshot {
    /// Returns the snapshot of a list that starts with this page.
    pub(super) fn starting(version: u64) -> Self {
        Self {
            version: ExactUnsigned(version),
            drifted: false,
            touched_ranks: Some(Vec::new()),
            elsewhere: None,
        }
    }

    /// Returns the snapshot of a list that goes on. `drift` has the changes since the list was started, where they are known.
    pub(super) fn new(found: &Listing, drift: Option<Drift>) -> Self {
        let (touched_ranks, others) = match drift {
            Some(drift) => (Some(drift.touched_ranks), drift.elsewhere),
            None => (None, None),
        };
        let elsewhere = || {
            let (moved_past, gone) = others.map(|others| (others.moved_past, others.gone)).unzip();
            ElsewhereBody {
                moved_past: moved_past.map(|players| {
                    players
                        .into_iter()
                        .map(|player| player.as_str().to_owned())
                        .collect()
                }),
                gone,
            }
        };
        Self {
            version: ExactUnsigned(found.started_from),
            drifted: found.drifted,
            touched_ranks,
            elsewhere: found.drifted.then(elsewhere),
        }
    }
}

/// A page of a list of entries, the entries around a player, or the entries of given players.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Entries))]
pub(super) struct EntriesBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// The entries, best first.
    pub data: Vec<EntryBody<'a>>,
    /// The players of the request that have no entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub not_found: Option<Vec<&'a str>>,
    /// The cursors of the neighbouring pages.
    pub page: PageV2,
}

/// The entry of one player in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Standing))]
pub(super) struct PlayerEntryBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// The entry.
    pub entry: EntryBody<'a>,
}

/// A page of the periods of a leaderboard that have entries.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Periods))]
pub(super) struct PeriodsBody<'a> {
    /// The id of the leaderboard.
    pub leaderboard: &'a str,
    /// The periods, newest first.
    pub data: Vec<PeriodSummaryBody<'a>>,
    /// The cursors of the neighbouring pages.
    pub page: PageV2,
}
