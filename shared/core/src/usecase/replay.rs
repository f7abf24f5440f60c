//! Replays of event logs, from a snapshot or from the first event.

use std::rc::Rc;

use super::history::PastLeaderboard;
use super::history_bounds::HistoryBounds;
use super::leaderboard_memory::SharedLeaderboard;
use super::query::{QueryError, ReadFailure, read_with_current, refer_to_period};
use super::snapshots::{self, SnapshotList, UnsavedSnapshot};
use super::stored_projection::project_stored;
use super::{Deps, Store};
use crate::access::Caller;
use crate::ports::{Cache, EntryRepair, Events, PageFrom, SnapshotSummary, Snapshots};
use crate::{Invalid, LeaderboardId, Projection, StoreError, Timestamp};

/// The most events that one request replays. A replay of so many takes at least a third of a second in a component, in which the
/// instance does little else.
pub const MAX_REPLAYED_EVENTS: u64 = 100_000;
/// How many events one read of a replay returns.
pub(super) const EVENTS_AT_ONCE: u32 = 2_000;
/// A read that replayed this many events stores a snapshot, so that the next read of about the same instant is fast.
const EVENTS_WORTH_A_SNAPSHOT: u64 = 10_000;

/// What a replay is going to do. It has cost little so far.
#[derive(Debug, Clone)]
pub struct ReplayPlan {
    board: SharedLeaderboard,
    at: Timestamp,
    /// The position of the newest event.
    last: u64,
    snapshots: SnapshotList,
}

impl ReplayPlan {
    /// Returns the plan of a replay of all events.
    fn of_all(board: &SharedLeaderboard, snapshots: SnapshotList) -> Self {
        Self {
            board: SharedLeaderboard::clone(board),
            // Also the events of an instance whose clock is ahead.
            at: Timestamp::MAX,
            last: snapshots.bounds.last.position,
            snapshots,
        }
    }

    /// Returns the most events that the replay reads.
    #[must_use]
    pub fn most_events(&self) -> u64 {
        let newest = self.starts().next_back();
        let start = newest.map_or(0, |snapshot| snapshot.position);
        // A snapshot with a later event: the replay ends before it.
        let mut later = self
            .snapshots
            .kept
            .iter()
            .filter(|snapshot| snapshot.latest_at > self.at);
        let end = later
            .next()
            .map_or(self.last, |snapshot| snapshot.position.min(self.last));
        end.saturating_sub(start).min(MAX_REPLAYED_EVENTS)
    }

    /// Returns the snapshots that the replay can begin with, in the order of their positions.
    fn starts(&self) -> impl DoubleEndedIterator<Item = &SnapshotSummary> {
        self.snapshots
            .usable()
            .filter(|snapshot| snapshot.latest_at <= self.at && snapshot.position <= self.last)
    }

    /// Returns whether the replay can begin with the first event.
    fn has_beginning(&self) -> bool {
        let began_at = self.snapshots.bounds.first.recorded_at();
        self.snapshots.has_beginning() && began_at.is_none_or(|began_at| began_at <= self.at)
    }

    /// Returns the error of an instant before the history.
    fn no_history(&self) -> QueryError {
        let bounds = &self.snapshots.bounds;
        let oldest = self.snapshots.usable().next();
        let from = if self.snapshots.has_beginning() {
            bounds.first.recorded_at()
        } else {
            oldest.map(|snapshot| snapshot.latest_at)
        };
        QueryError::NoHistory(HistoryBounds {
            // After this instant, there is a history that cannot be read.
            from: from.filter(|from| *from > self.at),
            until: None,
        })
    }
}

/// Checks whether `caller` may read the leaderboard, and whether its history reaches back to `at`.
///
/// # Errors
/// [`QueryError`]; [`QueryError::Invalid`] at `at` for an instant in the future; [`QueryError::NoHistory`].
pub async fn plan_replay<S: Store + Events + Snapshots, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    at: Timestamp,
) -> Result<ReplayPlan, QueryError> {
    read_with_current(deps, id, caller, async |board| {
        if at > deps.now {
            let detail = format!(
                "must not be in the future; it is {} by the server's clock",
                deps.now
            );
            return Err(QueryError::Invalid(Invalid::new("at", detail)).into());
        }
        // A ban that has ended gets its event with the next read of the entries.
        let current = board.value.schedule.period_at(deps.now);
        let period_ref = refer_to_period(deps, board, &current);
        deps.store
            .page(&period_ref, &PageFrom::Top, 1, &Caller::Reader)
            .await?;
        let snapshots = snapshots::list_snapshots(deps, board).await?;
        let snapshots = snapshots.ok_or(QueryError::NoHistory(HistoryBounds::default()))?;
        let plan = ReplayPlan {
            board: SharedLeaderboard::clone(board),
            at,
            last: snapshots.bounds.last.position,
            snapshots,
        };
        if !plan.has_beginning() && plan.starts().next().is_none() {
            return Err(plan.no_history().into());
        }
        Ok::<_, ReadFailure>(plan)
    })
    .await
}

/// Replays a log from the newest snapshot up to the last event before the first one that was recorded after the instant of the plan. So
/// the result is a state that the leaderboard had, also if the clocks of the writers differed. If the instant is further away than one
/// request replays, stores a snapshot on the way, unless the tenant's logs would weigh more than `max_log_bytes`.
///
/// # Errors
/// [`QueryError::UnknownEvent`] if an event has an unknown format; [`QueryError::HistoryNotReady`] if there are more than
/// [`MAX_REPLAYED_EVENTS`] events until then; [`QueryError::NoHistory`] if the replay cannot begin, or a snapshot for the next request
/// could not be stored.
pub async fn replay<S: Events + Snapshots, K>(
    deps: &Deps<'_, S, K>,
    plan: ReplayPlan,
    max_log_bytes: Option<u64>,
) -> Result<PastLeaderboard, QueryError> {
    let replayed = run(deps, &plan).await?;
    if let Reached::Bound(until) = replayed.reached {
        return Err(save_on_the_way(deps, &plan, &replayed.projection, until, max_log_bytes).await);
    }
    let projection = Rc::new(replayed.projection);
    let (board, known) = (SharedLeaderboard::clone(&plan.board), plan.snapshots);
    let unsaved = replayed
        .is_long
        .then(|| UnsavedSnapshot::new(board, known, Rc::clone(&projection)));
    Ok(PastLeaderboard {
        board: plan.board,
        at: plan.at,
        projection,
        unsaved,
    })
}

/// A projection after a replay.
struct Replayed {
    projection: Projection,
    reached: Reached,
    /// Whether the replay had so many events that a snapshot is worth storing.
    is_long: bool,
}

/// Replays the events of a plan, at most [`MAX_REPLAYED_EVENTS`].
async fn run<S: Events + Snapshots, K>(
    deps: &Deps<'_, S, K>,
    plan: &ReplayPlan,
) -> Result<Replayed, QueryError> {
    let mut projection = match snapshots::load_newest(deps, &plan.board, plan.starts()).await? {
        Some(projection) => projection,
        None if plan.has_beginning() => Projection::default(),
        None => return Err(plan.no_history()),
    };
    let start = projection.position();
    let reached = replay_events(deps, plan, &mut projection).await?;
    let replayed = projection.position().saturating_sub(start);
    Ok(Replayed {
        projection,
        reached,
        is_long: replayed >= EVENTS_WORTH_A_SNAPSHOT,
    })
}

/// Stores a snapshot for the next request, where a replay stopped. Returns the error of this request.
async fn save_on_the_way<S: Snapshots, K>(
    deps: &Deps<'_, S, K>,
    plan: &ReplayPlan,
    projection: &Projection,
    until: Option<Timestamp>,
    max_log_bytes: Option<u64>,
) -> QueryError {
    let saved = snapshots::save(deps, &plan.board, &plan.snapshots, projection, max_log_bytes).await;
    if saved.unwrap_or(false) {
        QueryError::HistoryNotReady
    } else {
        QueryError::NoHistory(HistoryBounds { from: None, until })
    }
}

/// Returns the plan of a replay of all events, and the projection after it. A long replay stores a snapshot, because the next request of
/// a comparison begins with it.
///
/// # Errors
/// As for [`replay`].
pub(super) async fn replay_all<S: Store + Events + Snapshots, K: Cache>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    max_log_bytes: Option<u64>,
) -> Result<(ReplayPlan, Projection), QueryError> {
    let snapshots = snapshots::list_snapshots(deps, board).await?;
    let snapshots = snapshots.ok_or(QueryError::UnknownLeaderboard)?;
    let plan = ReplayPlan::of_all(board, snapshots);
    let Replayed {
        projection,
        reached,
        is_long,
    } = run(deps, &plan).await?;
    if let Reached::Bound(until) = reached {
        return Err(save_on_the_way(deps, &plan, &projection, until, max_log_bytes).await);
    }
    if is_long {
        // The comparison does not need the snapshot, so it does not fail with it.
        let _ = snapshots::save(deps, board, &plan.snapshots, &projection, max_log_bytes).await;
    }
    Ok((plan, projection))
}

/// Applies the events after the position of a projection, up to the event at `position`.
///
/// # Errors
/// As for [`replay`]; [`QueryError::HistoryNotReady`] if there are more than [`MAX_REPLAYED_EVENTS`].
pub(super) async fn advance<S: Events, K>(
    deps: &Deps<'_, S, K>,
    plan: &ReplayPlan,
    projection: &mut Projection,
    position: u64,
) -> Result<(), QueryError> {
    let plan = ReplayPlan {
        last: position,
        ..plan.clone()
    };
    match replay_events(deps, &plan, projection).await? {
        Reached::Instant => Ok(()),
        Reached::Bound(_) => Err(QueryError::HistoryNotReady),
    }
}

/// Where a replay ended.
enum Reached {
    /// At the instant, or at the end of the log.
    Instant,
    /// After [`MAX_REPLAYED_EVENTS`] events. The next event was recorded at this instant.
    Bound(Option<Timestamp>),
}

/// Applies the events of the plan after the position of a projection, at most [`MAX_REPLAYED_EVENTS`].
async fn replay_events<S: Events, K>(
    deps: &Deps<'_, S, K>,
    plan: &ReplayPlan,
    projection: &mut Projection,
) -> Result<Reached, QueryError> {
    let id = &plan.board.value.id;
    let bound = projection.position().saturating_add(MAX_REPLAYED_EVENTS);
    while projection.position() < plan.last {
        let read = deps
            .store
            .read(deps.tenant, id, projection.position(), EVENTS_AT_ONCE)
            .await?;
        if read.is_empty() {
            break;
        }
        for logged in read {
            let (position, recorded_at) = (logged.position, logged.recorded_at());
            if position > plan.last || recorded_at.is_some_and(|recorded_at| recorded_at > plan.at) {
                return Ok(Reached::Instant);
            }
            if position != projection.position().saturating_add(1) {
                return Err(QueryError::NoHistory(HistoryBounds::default()));
            }
            if position > bound {
                return Ok(Reached::Bound(recorded_at));
            }
            let unknown = QueryError::UnknownEvent { position };
            let event = logged.into_known().map_err(|_| unknown)?;
            let damaged = |_| StoreError::Corrupt(format!("event {position} of {id} does not follow"));
            projection.apply(&event).map_err(damaged)?;
        }
    }
    Ok(Reached::Instant)
}

/// When the next snapshot of a leaderboard is due.
#[derive(Debug)]
pub enum SnapshotPlan {
    /// Now, by this replay.
    Due(Box<ReplayPlan>),
    /// When the log is longer than this many events.
    Later(u64),
    /// Never: the leaderboard does not exist.
    Never,
}

/// Returns when the next snapshot of a leaderboard is due.
///
/// # Errors
/// [`StoreError`].
pub async fn plan_snapshot<S: Store + Events + Snapshots, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
) -> Result<SnapshotPlan, StoreError> {
    // Of a leaderboard that was just written to, the configuration in memory is right enough to look.
    let Some(board) = deps.load_leaderboard(id).await? else {
        return Ok(SnapshotPlan::Never);
    };
    let Some(snapshots) = snapshots::list_snapshots(deps, &board).await? else {
        return Ok(SnapshotPlan::Never);
    };
    let due_after = snapshots.next_snapshot_after(&board.value.log, deps.now);
    let last = snapshots.bounds.last.position;
    if last <= due_after {
        return Ok(SnapshotPlan::Later(due_after));
    }
    // The store refuses a snapshot with another version of the configuration.
    let Some(board) = deps.load_current_leaderboard(id).await? else {
        return Ok(SnapshotPlan::Never);
    };
    Ok(SnapshotPlan::Due(Box::new(ReplayPlan::of_all(&board, snapshots))))
}

/// Takes the snapshot of a plan; if it is more than [`MAX_REPLAYED_EVENTS`] events away, takes one on the way. If neither a snapshot
/// nor the first event is left to begin with, takes it of the stored entries. Returns whether it was stored.
///
/// # Errors
/// As for [`replay`].
pub async fn take_snapshot<S: Store + Events + Snapshots + EntryRepair, K>(
    deps: &Deps<'_, S, K>,
    plan: &ReplayPlan,
    max_log_bytes: Option<u64>,
) -> Result<bool, QueryError> {
    let start = snapshots::load_newest(deps, &plan.board, plan.starts()).await?;
    let projection = match start.or_else(|| plan.has_beginning().then(Projection::default)) {
        Some(mut projection) => {
            replay_events(deps, plan, &mut projection).await?;
            projection
        }
        None => match project_stored(deps, &plan.board).await? {
            Some(projection) => projection,
            None => return Ok(false),
        },
    };
    let stored = snapshots::save(deps, &plan.board, &plan.snapshots, &projection, max_log_bytes).await?;
    Ok(stored)
}
