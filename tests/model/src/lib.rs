//! The test oracle: a model of the whole domain in memory, in the simplest form.
//!
//! The model compares the entries themselves, not the bytes of order keys. It has no index: it computes every
//! result from all entries. It is slow, but easy to check. Tests compare the stores with the model, and
//! replay event logs with it ([`Projection::replay`]). [`history`] and [`edge_history`] generate the random
//! histories for these comparisons.

mod bans;
mod dead_letters;
mod edge;
pub mod edge_history;
mod entry_repair;
mod erasures;
pub mod history;
mod leaderboards;
pub mod long_history;
mod projection;
mod queue;
mod ranking;
mod reads;
mod scores;
mod snapshots;
mod standings;
mod submit;
mod transfers;

use std::cell::RefCell;
use std::collections::BTreeMap;

pub use projection::{PeriodState, Projection, ReplayError};
pub use ranking::{compare, rank_among, ranked, sorted};

use leaderboard_core::ports::{Ban, EntryQuota, IDEMPOTENCY_MS, PeriodRef, ReadError};
use leaderboard_core::{
    Event, Fingerprint, Leaderboard, LeaderboardId, Outcome, PeriodId, PlayerId, RecordedEvent, TenantId,
    Timestamp, Versioned,
};

/// The domain in memory. It implements all ports; its futures are ready at once.
#[derive(Debug, Default)]
pub struct Model {
    tenants: RefCell<BTreeMap<TenantId, Tenant>>,
    edge: RefCell<edge::Edge>,
    dead_letters: RefCell<dead_letters::DeadLetterQueue>,
    queue: RefCell<queue::ItemQueue>,
}

/// The data of one tenant.
#[derive(Debug, Default)]
struct Tenant {
    /// The last version of a leaderboard. It does not change when this leaderboard is deleted.
    last_version: u64,
    boards: BTreeMap<LeaderboardId, LeaderboardState>,
    bans: BTreeMap<PlayerId, Ban>,
    /// How many bans have begun or ended.
    ban_changes: u64,
    /// The leaderboard that is being imported.
    import: Option<transfers::ModelImport>,
}

/// One leaderboard: its configuration, its log, and the state that results from the log.
#[derive(Debug)]
struct LeaderboardState {
    configuration: Versioned<Leaderboard>,
    log: Vec<RecordedEvent>,
    projection: Projection,
    /// When each period expires; `None` for never.
    expiries: BTreeMap<PeriodId, Option<Timestamp>>,
    /// The periods whose standings were final at least once.
    frozen: BTreeMap<PeriodId, standings::FrozenPeriod>,
    /// The snapshots by their positions: when their last event was recorded, and their bytes.
    snapshots: BTreeMap<u64, (Timestamp, Vec<u8>)>,
    /// The idempotency records, by their names.
    ids: BTreeMap<String, IdempotencyRecord>,
    /// The weight in bytes of the idempotency records of each span of [`IDEMPOTENCY_MS`].
    record_bytes: BTreeMap<i64, u64>,
}

/// The outcome that is kept under an id.
#[derive(Debug, Clone)]
struct IdempotencyRecord {
    fingerprint: Fingerprint,
    outcome: Outcome,
    first_at: Timestamp,
}

impl Model {
    /// Creates a model without data.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the state that results from the log of a leaderboard; `None` if the leaderboard does not
    /// exist.
    #[must_use]
    pub fn projection(&self, tenant: &TenantId, leaderboard: &LeaderboardId) -> Option<Projection> {
        let tenants = self.tenants.borrow();
        let board = tenants.get(tenant)?.boards.get(leaderboard)?;
        Some(board.projection.clone())
    }

    /// Returns how many leaderboards, entries and bytes of logs a tenant has at `now`.
    fn entry_quota(&self, tenant: &TenantId, now: Timestamp) -> EntryQuota {
        let tenants = self.tenants.borrow();
        let tenant = tenants.get(tenant);
        tenant.map(|tenant| tenant.entry_quota(now)).unwrap_or_default()
    }

    /// Calls `read` with the state of a period, which is `None` before its first entry.
    ///
    /// # Errors
    /// When the configuration of `period_ref` is not the current one.
    fn read<T>(
        &self,
        period_ref: &PeriodRef<'_>,
        read: impl FnOnce(&Projection, Option<&PeriodState>) -> T,
    ) -> Result<T, ReadError> {
        self.end_bans(period_ref.tenant, period_ref.now)?;
        let tenants = self.tenants.borrow();
        let board = tenants
            .get(period_ref.tenant)
            .and_then(|tenant| tenant.boards.get(&period_ref.leaderboard.value.id))
            .filter(|board| board.configuration.version == period_ref.leaderboard.version)
            .ok_or(ReadError::StaleConfiguration)?;
        let period = board.projection.periods.get(period_ref.period);
        Ok(read(&board.projection, period))
    }
}

/// Returns the number of the span of [`IDEMPOTENCY_MS`] that contains an instant.
fn span_of(at: Timestamp) -> i64 {
    at.as_unix_ms().div_euclid(IDEMPOTENCY_MS)
}

impl Tenant {
    fn entry_quota(&self, now: Timestamp) -> EntryQuota {
        EntryQuota {
            leaderboards: self.boards.len() as u64,
            entries: self.entries(),
            log_bytes: self.event_bytes() + self.record_bytes(now),
        }
    }

    fn entries(&self) -> u64 {
        let periods = self
            .boards
            .values()
            .flat_map(|board| board.projection.periods.values());
        periods.map(|period| period.entries.len() as u64).sum()
    }

    /// Removes the oldest events of these leaderboards while the tenant's logs and records have more than
    /// `max_log_bytes`. The last event of a log stays.
    fn trim_logs<'a>(
        &mut self,
        written: impl Iterator<Item = &'a LeaderboardId>,
        max_log_bytes: u64,
        now: Timestamp,
    ) {
        let weight = self.event_bytes() + self.record_bytes(now);
        let mut over = weight.saturating_sub(max_log_bytes);
        for id in written {
            let Some(board) = self.boards.get_mut(id) else {
                continue;
            };
            while over > 0 && board.log.len() > 1 {
                let oldest = board.log.remove(0);
                over = over.saturating_sub(oldest.event.weight());
            }
        }
    }

    fn event_bytes(&self) -> u64 {
        let events = self.boards.values().flat_map(|board| &board.log);
        let snapshots = self.boards.values().flat_map(|board| board.snapshots.values());
        let snapshot_bytes: u64 = snapshots.map(|(_, bytes)| snapshots::weight(bytes)).sum();
        events.map(|recorded| recorded.event.weight()).sum::<u64>() + snapshot_bytes
    }

    fn record_bytes(&self, now: Timestamp) -> u64 {
        let spans = self.boards.values().flat_map(|board| &board.record_bytes);
        let counted = spans.filter(|(span, _)| **span >= span_of(now) - 1);
        counted.map(|(_, bytes)| bytes).sum()
    }
}

impl LeaderboardState {
    /// Appends an event, applies it and returns its position.
    fn append(&mut self, event: Event) -> Result<u64, ReplayError> {
        let recorded = RecordedEvent {
            position: self.projection.position + 1,
            event,
        };
        self.projection.apply(&recorded)?;
        let now = recorded.event.recorded_at;
        self.log.push(recorded);
        self.trim(now);
        Ok(self.projection.position)
    }

    /// Removes the oldest events while there are too many or they are too old. The last event stays.
    fn trim(&mut self, now: Timestamp) {
        let policy = self.configuration.value.log;
        while self.log.len() > 1
            && self.log.first().is_some_and(|oldest| {
                self.log.len() as u64 > u64::from(policy.keep_events)
                    || oldest.event.recorded_at < policy.oldest_at(now)
            })
        {
            self.log.remove(0);
        }
    }

    /// Returns whether the player has an entry in any period.
    fn has_entries_of(&self, player: &PlayerId) -> bool {
        let mut periods = self.projection.periods.values();
        periods.any(|period| period.entries.contains_key(player))
    }
}
