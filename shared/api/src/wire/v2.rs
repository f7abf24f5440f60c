//! What version 2 writes in another way: a player is an object, a list is `data` and a `page`.

use leaderboard_core::usecase::{Drift, Listing};
use leaderboard_core::{Columns, RankedEntry};
use serde::Serialize;
use serde_json::value::RawValue;

use super::NamedValues;
use super::entries::{Head, SummaryBody, metadata_of};
use super::versioned::PageV2;
use crate::json::ExactUnsigned;
use crate::problem::Problem;

/// Who an entry belongs to, and what came with the attempt that won.
#[derive(Debug, Serialize)]
pub(super) struct Player<'a> {
    id: &'a str,
    metadata: &'a RawValue,
}

/// One entry.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    rank: u64,
    player: Player<'a>,
    values: NamedValues<'a>,
    reached_at: String,
}

impl<'a> Entry<'a> {
    /// An entry with the names of its columns.
    ///
    /// # Errors
    /// An internal problem when its metadata is not JSON.
    pub(super) fn new(ranked: &'a RankedEntry, columns: &'a Columns) -> Result<Self, Problem> {
        let entry = &ranked.entry;
        Ok(Self {
            rank: ranked.rank,
            player: Player {
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

    /// As [`Entry::new`], for many.
    ///
    /// # Errors
    /// As there.
    pub(super) fn list(entries: &'a [RankedEntry], columns: &'a Columns) -> Result<Vec<Self>, Problem> {
        entries.iter().map(|entry| Self::new(entry, columns)).collect()
    }
}

/// What a list was started from, and where it differs from that by now.
#[derive(Debug, Serialize)]
pub(super) struct Snapshot {
    /// The version of the list's first page.
    pub version: ExactUnsigned,
    /// Whether entries changed since.
    pub drifted: bool,
    /// The ranks on this page whose players had changes since; `null` when there were too many changes to tell.
    pub touched_ranks: Option<Vec<u64>>,
    /// What happened to others; of a list that has drifted.
    #[serde(flatten)]
    elsewhere: Option<Elsewhere>,
}

/// What happened since to players who are not on this page; each is `null` when there were too many changes to tell.
#[derive(Debug, Serialize)]
struct Elsewhere {
    /// The players whose entries changed and are now above this page. Such a player may be on no page of this reader.
    moved_past: Option<Vec<String>>,
    /// How many were removed or banned.
    gone: Option<u64>,
}

impl Snapshot {
    /// That of a list which starts here.
    pub(super) fn starting(version: u64) -> Self {
        Self {
            version: ExactUnsigned(version),
            drifted: false,
            touched_ranks: Some(Vec::new()),
            elsewhere: None,
        }
    }

    /// That of a list which goes on; `drift` is what changed since, where that is known.
    pub(super) fn new(found: &Listing, drift: Option<Drift>) -> Self {
        let (touched_ranks, others) = match drift {
            Some(drift) => (Some(drift.touched_ranks), drift.elsewhere),
            None => (None, None),
        };
        let elsewhere = || {
            let (moved_past, gone) = others.map(|others| (others.moved_past, others.gone)).unzip();
            Elsewhere {
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
pub(super) struct EntriesBody<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    pub data: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_found: Option<Vec<&'a str>>,
    pub page: PageV2,
}

/// One player's entry.
#[derive(Debug, Serialize)]
pub(super) struct StandingBody<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    pub entry: Entry<'a>,
}

/// The periods of a leaderboard.
#[derive(Debug, Serialize)]
pub(super) struct PeriodsBody<'a> {
    pub leaderboard: &'a str,
    pub data: Vec<SummaryBody<'a>>,
    pub page: PageV2,
}
