//! The use cases, as functions over the ports. Each function takes [`Deps`]: the store, the caches of configurations, the tenant,
//! and `now`.

mod bounds;
mod comparison;
mod cursor;
mod distribution;
mod drift;
mod early;
mod event_projections;
mod events;
mod export;
mod history;
mod history_bounds;
mod import;
mod leaderboard_memory;
mod leaderboards;
mod names;
mod query;
mod ranks;
mod replay;
mod snapshots;
mod standings;
mod stored_projection;
mod submit;

use crate::ports::{Leaderboards, ReadSource, Scores, Standings};
use crate::{StoreError, TenantId, Timestamp};

pub use comparison::{
    Comparison, ComparisonCursor, ComparisonQuery, DifferenceKind, MAX_COMPARED_ENTRIES,
    MAX_NAMED_DIFFERENCES, compare_entries,
};
pub use cursor::{Cursor, Direction};
pub use distribution::{
    Bucket, DEFAULT_BUCKETS, Distribution, DistributionQuery, MAX_BUCKETS, PERCENTILES, ScorePlace,
    read_distribution,
};
pub use drift::{Drift, Elsewhere, MAX_DRIFT_EVENTS, find_drift};
pub use event_projections::{
    Activity, BestsOfPlayer, BestsPlan, LogProgress, MAX_HANDLED_EVENTS, delete_activity,
    erase_from_activity, plan_personal_bests, read_activity, read_personal_bests,
};
pub use events::{
    LogPage, MAX_SCANNED_EVENTS, MAX_SCANNED_LEADERBOARDS, PlayerEventCursor, PlayerEvents, list_events,
    list_player_events,
};
pub use export::{ExportCursor, ExportPage, MAX_EXPORT_READS, MAX_EXPORTED_LINES, export_page};
pub use history::PastLeaderboard;
pub use history_bounds::HistoryBounds;
pub use import::{
    ImportError, ImportLimits, ImportProgress, MAX_BAN_DIFFERENCES, MAX_IMPORTED_LINES,
    discard_abandoned_import, discard_import, find_import, import_lines,
};
pub use leaderboard_memory::{LeaderboardMemory, MAX_CACHED_LEADERBOARDS};
pub use leaderboards::{
    MAX_PUT_STEPS, StoredLeaderboard, delete_leaderboard, list_leaderboards, put_leaderboard,
    read_leaderboard,
};
pub use names::{MAX_CACHED_PERIOD_NAMES, find_known_name, resolve_name};
pub use query::{MAX_CONFIGURATION_RETRIES, QueryError};
pub use ranks::{
    EntriesByPlayer, ListQuery, Listing, MAX_PLAYERS_ASKED, list_periods, load_readable_leaderboard,
    read_around, read_entries_by_player, read_entry, read_page, remove_entry,
};
pub use replay::{
    MAX_REPLAYED_EVENTS, ReplayPlan, SnapshotPlan, plan_replay, plan_snapshot, replay, take_snapshot,
};
pub use snapshots::{MAX_SNAPSHOTS, UnsavedSnapshot};
pub use standings::{
    ClaimState, FinalStandings, PlayerPrize, PrizeList, PrizeOfPlayer, claim_prize, list_prizes, read_prize,
    read_standings,
};
pub use submit::{SentSubmission, submit_scores};

/// The store, the caches, the tenant and the clock of a use case.
#[derive(Debug)]
pub struct Deps<'a, S, K> {
    /// The store.
    pub store: &'a S,
    /// The region's cache, if there is one.
    pub cache: Option<&'a K>,
    /// The configurations that this instance caches in memory.
    pub leaderboard_memory: &'a LeaderboardMemory,
    /// The tenant whose leaderboards the use case is about.
    pub tenant: &'a TenantId,
    /// The instant of the request.
    pub now: Timestamp,
    /// Which server of the store answers reads of entries.
    pub source: ReadSource,
}

/// The ports that the use cases need.
pub trait Store: Scores + Leaderboards + Standings {}
impl<S: Scores + Leaderboards + Standings> Store for S {}

/// Returns the error of a call that was repeated and met another version of the configuration each time.
fn configuration_keeps_changing() -> StoreError {
    StoreError::Unavailable("the configuration changed during every retry".into())
}
