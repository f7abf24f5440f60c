//! The oracle: the whole domain in memory, as plainly as it can be said.
//!
//! It orders entries by comparing them, never by the bytes of an order key, and keeps no index: every answer
//! is counted out anew. Slow and obviously right, it is what the stores are held against, and what an event
//! log is replayed with ([`Projection::replay`]).

mod edge;
mod leaderboards;
mod projection;
mod ranking;
mod reads;
mod scores;
mod submit;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

pub use projection::{PeriodState, Projection, ReplayError};
pub use ranking::{compare, rank_among, ranked, sorted};

use crate::ports::{Holdings, Place, ReadError};
use crate::{
    Event, Fingerprint, Leaderboard, LeaderboardId, Outcome, PeriodId, PlayerId, RecordedEvent, SubmissionId,
    TenantId, Timestamp, Versioned,
};

/// The domain in memory. It implements the ports that hold leaderboards; its futures are ready at once.
#[derive(Debug, Default)]
pub struct Model(RefCell<BTreeMap<TenantId, Tenant>>, RefCell<edge::Edge>);

/// All that belongs to one tenant.
#[derive(Debug, Default)]
struct Tenant {
    /// The version given last; it outlives the leaderboards.
    last_version: u64,
    boards: BTreeMap<LeaderboardId, Board>,
    hidden: BTreeSet<PlayerId>,
}

/// One leaderboard: its log, and what follows from it.
#[derive(Debug)]
struct Board {
    configuration: Versioned<Leaderboard>,
    log: Vec<RecordedEvent>,
    projection: Projection,
    expiries: BTreeMap<PeriodId, Option<Timestamp>>,
    ids: BTreeMap<SubmissionId, Known>,
}

/// What an id stands for.
#[derive(Debug, Clone)]
struct Known {
    fingerprint: Fingerprint,
    outcome: Outcome,
    first_at: Timestamp,
}

impl Model {
    /// A world without tenants.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the log of a leaderboard has come to; `None` when there is no such leaderboard.
    #[must_use]
    pub fn projection(&self, tenant: &TenantId, leaderboard: &LeaderboardId) -> Option<Projection> {
        let tenants = self.0.borrow();
        let board = tenants.get(tenant)?.boards.get(leaderboard)?;
        Some(board.projection.clone())
    }

    /// What a tenant holds now.
    fn holdings(&self, tenant: &TenantId) -> Holdings {
        let tenants = self.0.borrow();
        tenants.get(tenant).map(Tenant::holdings).unwrap_or_default()
    }

    /// Reads `place`, if its configuration is the current one. The entries are `None` before the first one.
    fn read<T>(
        &self,
        place: &Place<'_>,
        answer: impl FnOnce(&Projection, Option<&PeriodState>) -> T,
    ) -> Result<T, ReadError> {
        let tenants = self.0.borrow();
        let board = tenants
            .get(place.tenant)
            .and_then(|tenant| tenant.boards.get(&place.board.value.id))
            .filter(|board| board.configuration.version == place.board.version)
            .ok_or(ReadError::StaleConfiguration)?;
        let period = board.projection.periods.get(place.period);
        Ok(answer(&board.projection, period))
    }
}

impl Tenant {
    fn holdings(&self) -> Holdings {
        let periods = self
            .boards
            .values()
            .flat_map(|board| board.projection.periods.values());
        Holdings {
            leaderboards: self.boards.len() as u64,
            entries: periods.map(|period| period.entries.len() as u64).sum(),
        }
    }
}

impl Board {
    /// Appends an event and applies it. The position it got.
    fn append(&mut self, event: Event) -> Result<u64, ReplayError> {
        let recorded = RecordedEvent {
            position: self.projection.position + 1,
            event,
        };
        self.projection.apply(&recorded)?;
        self.log.push(recorded);
        Ok(self.projection.position)
    }

    fn has_entries_of(&self, player: &PlayerId) -> bool {
        let mut periods = self.projection.periods.values();
        periods.any(|period| period.entries.contains_key(player))
    }
}
