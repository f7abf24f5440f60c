//! The entries of a period as the store has them, for a comparison with the event log.

use super::{PeriodRef, ReadError};
use crate::{Entry, Layout, PlayerId};

/// The most players whose stored entries one call reads or corrects. The store does little else during the call.
pub const MAX_COMPARED_PLAYERS: usize = 500;

/// An entry, and whether its player is banned, which decides which list it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    /// The entry.
    pub entry: Entry,
    /// Whether the player is banned.
    pub is_banned: bool,
}

/// What a store has of a player in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredEntry {
    /// No entry.
    Absent,
    /// An entry that is in the list of its player.
    Present(ListedEntry),
    /// Bytes that are no entry, or an entry that is not in the right place of its list.
    Damaged,
}

/// What a store has of some players in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntries {
    /// The position of the newest event of the leaderboard.
    pub position: u64,
    /// The version of the period; 0 if the store does not have it.
    pub version: u64,
    /// The layout of the period; `None` if the store does not have the period.
    pub layout: Option<Layout>,
    /// For each player, the entry and a fingerprint, which differs if any part of the entry does.
    pub entries: Vec<(StoredEntry, Vec<u8>)>,
}

/// A step of a scan of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScannedPlayers {
    /// Players with an entry.
    pub players: Vec<PlayerId>,
    /// How many places of lists there were without an entry that belongs there.
    pub strays: u64,
    /// Where the next step begins; `None` after the last step.
    pub next: Option<Vec<u8>>,
}

/// What a player's entry must be.
#[derive(Debug, Clone)]
pub struct Correction<'a> {
    /// The player.
    pub player: &'a PlayerId,
    /// The fingerprint of the entry that the store had ([`StoredEntries::entries`]).
    pub fingerprint: &'a [u8],
    /// The entry that the store must have; `None` for none.
    pub right: Option<&'a ListedEntry>,
}

/// Compares the entries of a period with the event log, and corrects them, while other writers submit.
pub trait EntryRepair {
    /// Returns what the store has of up to [`MAX_COMPARED_PLAYERS`] players, in their order, and the position of the newest event at
    /// the same moment.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<StoredEntries, ReadError>;

    /// Returns some of the players with an entry. All steps together return every player who has an entry from the first step to the
    /// last; a player can be returned twice. The first step has an empty `from`; a place that no step has returned can end the scan. With
    /// `removes_strays`, removes the places of lists that have no entry.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn scan_stored_players(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &[u8],
        removes_strays: bool,
    ) -> Result<ScannedPlayers, ReadError>;

    /// Corrects up to [`MAX_COMPARED_PLAYERS`] entries of a period of this layout in one step, with their places in the lists and all counts. Skips an entry whose
    /// fingerprint is another one now. Returns how many entries were corrected.
    ///
    /// Each accepted submission of a player counts an attempt in the entry, and so changes its fingerprint. So no submission gets lost.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn correct_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        layout: &Layout,
        corrections: &[Correction<'_>],
    ) -> Result<u64, ReadError>;
}
