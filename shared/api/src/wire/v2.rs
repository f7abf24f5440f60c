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

/// Whose an entry is, and what came with the attempt that won.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Player))]
pub(super) struct PlayerBody<'a> {
    /// The player's id.
    id: &'a str,
    /// What came with the attempt that won.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::AnyMetadata))]
    metadata: &'a RawValue,
}

/// One entry.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Entry))]
pub(super) struct EntryBody<'a> {
    /// From 1; by the leaderboard's policy for ties.
    rank: u64,
    /// The player.
    player: PlayerBody<'a>,
    /// By the names of the columns.
    values: NamedValues<'a>,
    /// When the values were reached.
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

/// What a list was started from, and where it differs from that by now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(super) struct Snapshot {
    /// The version of the list's first page.
    pub version: ExactUnsigned,
    /// Whether entries changed since.
    pub drifted: bool,
    /// The ranks on this page whose players had changes since; `null` when there were too many changes to tell.
    pub touched_ranks: Option<Vec<u64>>,
    /// The changes since the first page that concern players who are not on this page; absent if the list has not drifted.
    #[serde(flatten)]
    elsewhere: Option<ElsewhereBody>,
}

/// What happened since to players who are not on this page; each is `null` when there were too many changes to tell.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct ElsewhereBody {
    /// If the list has drifted: the players whose entries changed since then, and are now in the part of the list that was read
    /// already. Such a player who was on no earlier page is on no later page either. `null` if there were too many changes to
    /// list.
    moved_past: Option<Vec<String>>,
    /// Of a list that has drifted: how many players were removed or banned since; `null` when there were too many
    /// changes to tell.
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

/// A list of entries.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Entries))]
pub(super) struct EntriesBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// Best first.
    pub data: Vec<EntryBody<'a>>,
    /// Of the players asked for, those without an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub not_found: Option<Vec<&'a str>>,
    /// Where the list goes on.
    pub page: PageV2,
}

/// One player's entry.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Standing))]
pub(super) struct PlayerEntryBody<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// The entry.
    pub entry: EntryBody<'a>,
}

/// The periods of a leaderboard, newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Periods))]
pub(super) struct PeriodsBody<'a> {
    /// The leaderboard.
    pub leaderboard: &'a str,
    /// Newest first.
    pub data: Vec<PeriodSummaryBody<'a>>,
    /// Where the list goes on.
    pub page: PageV2,
}
