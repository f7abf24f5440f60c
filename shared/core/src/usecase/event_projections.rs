//! Reads of named projections. The activity of a leaderboard is stored, with the position up to which it has read the log, and each
//! read continues from there. The personal bests of a player are computed from the log: they would be a document for each player.

use std::ops::RangeInclusive;

use super::history_bounds::HistoryBounds;
use super::leaderboard_memory::SharedLeaderboard;
use super::query::QueryError;
use super::replay::{EVENTS_AT_ONCE, MAX_REPLAYED_EVENTS};
use super::{Deps, Store};
use crate::codec::{Malformed, Reader, Writer};
use crate::event_projections::{ActivityDay, DailyActivity, EventProjection, PersonalBest, PersonalBests};
use crate::ports::{Cache, DocumentKind, DocumentName, Documents, Events, Expected, LogBounds};
use crate::{
    Leaderboard, LeaderboardId, PlayerErasure, PlayerId, RecordedEvent, StoreError, TenantId, Timestamp,
};

/// The most events that one request adds to a stored projection.
pub const MAX_HANDLED_EVENTS: u64 = 10_000;
/// How often a request tries to store a projection that other requests continue at the same time.
const MAX_TRIES: u32 = 4;

/// How far a projection has read a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogProgress {
    /// The position of the last event that the projection has.
    pub read_to: u64,
    /// The position of the newest event.
    pub last: u64,
    /// The number of events that the log had lost before the projection read them.
    pub missed: u64,
    /// When the oldest event of the log becomes too old to be kept; `None` if that is unknown.
    pub retained_until: Option<Timestamp>,
}

/// A part of the activity of a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// How far the projection has read the log.
    pub progress: LogProgress,
    /// The days with submissions, oldest first.
    pub days: Vec<ActivityDay>,
}

/// The personal bests of a player.
#[derive(Debug, Clone)]
pub struct BestsOfPlayer {
    /// The configuration whose columns the bests have.
    pub leaderboard: Leaderboard,
    /// How far the projection has read the log. `missed` are the events before the oldest one that it has read.
    pub progress: LogProgress,
    /// The bests, oldest first.
    pub bests: Vec<PersonalBest>,
}

/// A stored projection.
#[derive(Debug, Default)]
struct StoredActivity {
    read_to: u64,
    missed: u64,
    activity: DailyActivity,
}

impl StoredActivity {
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.unsigned(self.read_to);
        w.unsigned(self.missed);
        w.bytes(&self.activity.encode());
        w.finish()
    }

    /// Returns what is stored; nothing if another version of the code stored it, so that this version builds it again.
    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let stored = Self {
            read_to: r.unsigned()?,
            missed: r.unsigned()?,
            activity: DailyActivity::decode(r.bytes()?)?,
        };
        r.end()?;
        Ok(stored)
    }
}

fn activity_name(tenant: &TenantId, id: &LeaderboardId) -> DocumentName {
    DocumentName {
        tenant: Some(tenant.clone()),
        kind: DocumentKind::Projection,
        id: format!("{}.{id}", DailyActivity::NAME).into(),
    }
}

/// Continues the activity of a leaderboard by up to [`MAX_HANDLED_EVENTS`] events, and returns the days of a query. With `rebuild`, begins
/// again with the oldest event of the log.
///
/// # Errors
/// [`QueryError::UnknownLeaderboard`]; [`QueryError::UnknownEvent`] at an event of an unknown format; [`StoreError`].
pub async fn read_activity<S: Store + Events + Documents, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    days: &RangeInclusive<i64>,
    rebuild: bool,
) -> Result<Activity, QueryError> {
    let board = deps.load_current_leaderboard(id).await?;
    let board = board.ok_or(QueryError::UnknownLeaderboard)?;
    let name = activity_name(deps.tenant, id);
    for _ in 0..MAX_TRIES {
        let known = deps.store.read_document(&name).await?;
        let expected = known
            .as_ref()
            .map_or(Expected::Absent, |known| Expected::Version(known.version));
        let stored = known.and_then(|known| StoredActivity::decode(&known.value).ok());
        let mut stored = stored.unwrap_or_default();
        let bounds = deps.store.find_log_bounds(deps.tenant, id).await?;
        let last = bounds.as_ref().map_or(0, |bounds| bounds.last.position);
        if rebuild || last < stored.read_to {
            // A leaderboard of the same name was deleted, and this is another log.
            stored.activity.rebuild();
            (stored.read_to, stored.missed) = (0, 0);
        }
        let before = stored.read_to;
        continue_activity(deps, id, &mut stored).await?;
        let is_unchanged = stored.read_to == before && !rebuild;
        let is_stored = is_unchanged
            || match deps.store.put_document(&name, &stored.encode(), expected).await {
                Ok(put) => put.is_ok(),
                // The response is right without it.
                Err(StoreError::OutOfMemory(_)) => true,
                Err(error) => return Err(error.into()),
            };
        if is_stored {
            return Ok(Activity {
                progress: LogProgress {
                    read_to: stored.read_to,
                    last: last.max(stored.read_to),
                    missed: stored.missed,
                    retained_until: retained_until(&board, bounds.as_ref()),
                },
                days: stored.activity.read(days),
            });
        }
        // Another request has continued it, or has begun it again.
    }
    Err(StoreError::Unavailable("other requests continue the projection".into()).into())
}

async fn continue_activity<S: Events, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    stored: &mut StoredActivity,
) -> Result<(), QueryError> {
    let mut left = MAX_HANDLED_EVENTS;
    while left > 0 {
        let most = u32::try_from(left).map_or(EVENTS_AT_ONCE, |left| left.min(EVENTS_AT_ONCE));
        let progress = (&mut stored.read_to, &mut stored.missed);
        let handled = handle_events(deps, id, progress, most, |event| stored.activity.handle(event)).await?;
        if handled == 0 {
            return Ok(());
        }
        left = left.saturating_sub(handled);
    }
    Ok(())
}

/// Lets `handle` handle up to `most` events after `read_to`, and adds the events that the log has lost to `missed`. Returns how many
/// events were handled.
async fn handle_events<S: Events, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    (read_to, missed): (&mut u64, &mut u64),
    most: u32,
    mut handle: impl FnMut(&RecordedEvent),
) -> Result<u64, QueryError> {
    let read = deps.store.read(deps.tenant, id, *read_to, most).await?;
    let mut handled = 0;
    for logged in read {
        let position = logged.position;
        let recorded = logged
            .into_known()
            .map_err(|_| QueryError::UnknownEvent { position })?;
        let lost = position.saturating_sub(*read_to).saturating_sub(1);
        *missed = missed.saturating_add(lost);
        handle(&recorded);
        *read_to = position;
        handled += 1;
    }
    Ok(handled)
}

/// Deletes the activity of a leaderboard, which is about to be deleted.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_activity<S: Documents>(
    store: &S,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Result<(), StoreError> {
    let name = activity_name(tenant, id);
    let _ = store.delete_document(&name, Expected::Any).await?;
    Ok(())
}

/// Returns the stored activity of a leaderboard for an export; `None` if the store has no activity, or one that this version of the code
/// cannot read.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn find_stored_activity<S: Documents, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let stored = deps.store.read_document(&activity_name(deps.tenant, id)).await?;
    Ok(stored
        .map(|stored| stored.value)
        .filter(|bytes| is_stored_activity(bytes)))
}

/// Returns whether bytes are an activity that this version of the code can store.
pub(super) fn is_stored_activity(bytes: &[u8]) -> bool {
    StoredActivity::decode(bytes).is_ok()
}

/// Stores the activity of a leaderboard that is imported.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn put_stored_activity<S: Documents, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let name = activity_name(deps.tenant, id);
    // No one else writes it while its leaderboard does not exist, so any version can be replaced.
    let _ = deps.store.put_document(&name, bytes, Expected::Any).await?;
    Ok(())
}

/// Puts the pseudonym in the place of an erased player in the activity of a leaderboard.
///
/// # Errors
/// [`StoreError`].
pub async fn erase_from_activity<S: Documents>(
    store: &S,
    tenant: &TenantId,
    id: &LeaderboardId,
    erasure: &PlayerErasure,
) -> Result<(), StoreError> {
    let name = activity_name(tenant, id);
    for _ in 0..MAX_TRIES {
        let Some(known) = store.read_document(&name).await? else {
            return Ok(());
        };
        let Ok(mut stored) = StoredActivity::decode(&known.value) else {
            return Ok(());
        };
        stored.activity.erase(erasure);
        let (body, expected) = (stored.encode(), Expected::Version(known.version));
        if store.put_document(&name, &body, expected).await?.is_ok() {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable(
        "other requests continue the projection".into(),
    ))
}

/// Plans a read of personal bests. The plan says how many events it reads at most.
///
/// # Errors
/// [`QueryError::UnknownLeaderboard`]; [`StoreError`].
pub async fn plan_personal_bests<S: Store + Events, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
) -> Result<BestsPlan, QueryError> {
    let board = deps.load_current_leaderboard(id).await?;
    let board = board.ok_or(QueryError::UnknownLeaderboard)?;
    let bounds = deps.store.find_log_bounds(deps.tenant, id).await?;
    let last = bounds.as_ref().map_or(0, |bounds| bounds.last.position);
    let first = bounds.as_ref().map_or(1, |bounds| bounds.first.position);
    let after = first
        .saturating_sub(1)
        .max(last.saturating_sub(MAX_REPLAYED_EVENTS));
    Ok(BestsPlan {
        retained_until: retained_until(&board, bounds.as_ref()),
        board,
        after,
        last,
    })
}

/// What a read of personal bests is going to do. It has cost little so far.
#[derive(Debug)]
pub struct BestsPlan {
    board: SharedLeaderboard,
    after: u64,
    last: u64,
    retained_until: Option<Timestamp>,
}

impl BestsPlan {
    /// Returns the most events that the read looks at.
    #[must_use]
    pub fn most_events(&self) -> u64 {
        self.last.saturating_sub(self.after)
    }
}

/// Computes the personal bests of a player from the newest [`MAX_REPLAYED_EVENTS`] events of a log.
///
/// # Errors
/// [`QueryError::UnknownEvent`] at an event of an unknown format; [`QueryError::NoHistory`] if the values depend on events that the log
/// has lost, because submissions add to them; [`StoreError`].
pub async fn read_personal_bests<S: Store + Events, K: Cache>(
    deps: &Deps<'_, S, K>,
    player: &PlayerId,
    plan: BestsPlan,
) -> Result<BestsOfPlayer, QueryError> {
    let id = &plan.board.value.id;
    let mut projection = PersonalBests::new(player.clone(), plan.board.value.clone());
    let mut progress = LogProgress {
        read_to: plan.after,
        last: plan.last,
        missed: plan.after,
        retained_until: plan.retained_until,
    };
    while progress.read_to < plan.last {
        let read = (&mut progress.read_to, &mut progress.missed);
        let handled = handle_events(deps, id, read, EVENTS_AT_ONCE, |event| projection.handle(event)).await?;
        if handled == 0 {
            break;
        }
    }
    if progress.missed > 0 && projection.lacks_base() {
        return Err(QueryError::NoHistory(HistoryBounds::default()));
    }
    progress.last = progress.last.max(progress.read_to);
    Ok(BestsOfPlayer {
        bests: projection.read(&()),
        leaderboard: projection.leaderboard().clone(),
        progress,
    })
}

fn retained_until(board: &SharedLeaderboard, bounds: Option<&LogBounds>) -> Option<Timestamp> {
    bounds?.retained_until(&board.value.log)
}
