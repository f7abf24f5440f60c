//! The parameters and results of reads of a period.

use std::rc::Rc;

use crate::{
    Layout, Leaderboard, OrderKey, Period, PeriodId, RankedEntry, StoreError, TenantId, Timestamp, Values,
    Versioned,
};

/// A reference to one period of one leaderboard, with the configuration that the caller knows.
#[derive(Debug, Clone)]
pub struct PeriodRef<'a> {
    /// The tenant of the leaderboard.
    pub tenant: &'a TenantId,
    /// The configuration. The store refuses the call if another version is current.
    pub leaderboard: &'a Rc<Versioned<Leaderboard>>,
    /// The period.
    pub period: &'a PeriodId,
    /// The instant of the call. Bans that end at or before this instant are over.
    pub now: Timestamp,
    /// Which server answers a read of entries ([`super::Scores`]). Every other call, and a store without a replica, uses the primary.
    pub source: ReadSource,
}

/// Which server of a store answers a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadSource {
    /// The primary, which has every change.
    Primary,
    /// The region's replica, if it has these changes.
    Replica(NeededChanges),
}

/// The changes without which a replica must not answer a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeededChanges {
    /// The replica needs the leaderboard's events up to this position; 0 if it needs none.
    pub position: u64,
    /// The replica needs everything that the primary had at this instant, by the primary's clock ([`super::Replica`]).
    pub until: Timestamp,
}

/// Why a read returned nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The configuration in [`PeriodRef::leaderboard`] is not the current one, or the leaderboard was deleted.
    StaleConfiguration,
    /// The replica did not answer with what the read needs ([`ReadSource::Replica`]). The primary can answer it.
    Replica(ReplicaRefusal),
    /// The store failed.
    Store(StoreError),
}

/// Why a replica did not answer a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaRefusal {
    /// It lacks changes that the read needs, or it cannot run the read.
    Behind,
    /// It could not be reached, did not answer in time, or does not serve clients now. The text is the cause.
    Unavailable(String),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageFrom {
    /// At rank 1.
    Top,
    /// With the first entry whose key is greater than this key. An entry with this key need not exist.
    After(OrderKey),
    /// At such an entry that the page ends with the last entry whose key is less than this key. Entries are still ordered best
    /// first.
    Before(OrderKey),
}

/// Consecutive visible entries, best first. The default is that of a period that has never had an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The order of the period: an older period keeps the layout that it was created with. `None` if the period has never had
    /// an entry.
    pub layout: Option<Layout>,
    /// The position of the last event that changed the period's entries; 0 before the first one.
    pub version: u64,
    /// The number of visible entries in the whole period.
    pub count: u64,
    /// The entries of this page.
    pub entries: Vec<RankedEntry>,
    /// Whether visible entries come before this page.
    pub more_before: bool,
    /// Whether visible entries come after this page.
    pub more_after: bool,
}

/// The entries of given players. The default is that of a period that has never had an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlayerEntries {
    /// As in [`Page::layout`].
    pub layout: Option<Layout>,
    /// As in [`Page::version`].
    pub version: u64,
    /// As in [`Page::count`], plus one if a server asks for a single player who is banned.
    pub count: u64,
    /// The entries found, best first.
    pub entries: Vec<RankedEntry>,
}

/// Values at given fractions of a period's order. The default is that of a period that has never had an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// As in [`Page::layout`].
    pub layout: Option<Layout>,
    /// As in [`Page::version`].
    pub version: u64,
    /// As in [`Page::count`].
    pub count: u64,
    /// One tuple of values for each fraction; empty if there are no entries.
    pub values: Vec<Values>,
}

/// For each tuple of values in a request, the position that an entry with these values would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// As in [`Page::version`].
    pub version: u64,
    /// As in [`Page::count`].
    pub count: u64,
    /// One position for each tuple.
    pub positions: Vec<Position>,
}

/// The position that an entry with a given tuple of values would have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The number of visible entries with a better tuple.
    pub better: u64,
    /// The number of visible entries with the same tuple.
    pub equal: u64,
    /// For [`crate::Ties::Dense`], the number of different better tuples; otherwise the same as `better`.
    pub better_tuples: u64,
}

/// Some of the periods that have entries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodPage {
    /// The periods.
    pub periods: Vec<PeriodSummary>,
    /// The start before which the next page begins; `None` at the end of the list. The next page can be empty.
    pub before: Option<Timestamp>,
}

/// A period that has entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodSummary {
    /// The period, with the bounds that it had at its first score.
    pub period: Period,
    /// The number of visible entries.
    pub count: u64,
    /// As in [`Page::version`].
    pub version: u64,
}
