//! The steps that all reads share: the configuration, the permission to read, the period, and a retry if the configuration was
//! stale.

use super::history_bounds::HistoryBounds;
use super::leaderboard_memory::{LoadedLeaderboard, SharedLeaderboard};
use super::{Deps, Store, configuration_keeps_changing};
use crate::access::Caller;
use crate::ports::{Cache, PeriodRef, ReadError, ReadSource, ReplicaRefusal};
use crate::{Invalid, Leaderboard, LeaderboardId, Period, PeriodSelector, StoreError, Timestamp};

/// How often a call is repeated because the configuration changed.
pub const MAX_CONFIGURATION_RETRIES: u32 = 3;

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryError {
    /// No leaderboard of that id exists in the tenant.
    UnknownLeaderboard,
    /// The leaderboard has no such period, or the period has expired.
    UnknownPeriod,
    /// The player has no entry in the period, or the caller does not see the entry.
    UnknownEntry,
    /// The caller may not read this leaderboard.
    Forbidden,
    /// A parameter is invalid; the pointer names the query parameter.
    Invalid(Invalid),
    /// The period has not ended, or ended only just now, so its standings are not final.
    NotEnded {
        /// From when the standings can be final; `None` if the period never ends.
        final_from: Option<Timestamp>,
    },
    /// The player has no prize in the period.
    NoPrize,
    /// The player did not claim the prize in time.
    ClaimExpired {
        /// The first instant at which the prize could no longer be claimed.
        expired_at: Timestamp,
    },
    /// The order of the period has changed since the cursor was issued.
    StaleCursor,
    /// The log does not have the history at the instant that the caller asks for.
    NoHistory(HistoryBounds),
    /// The instant is more events after the last snapshot before it than one request replays. The request took a snapshot on the way,
    /// from which the next request continues.
    HistoryNotReady,
    /// The history has an event of an unknown format.
    UnknownEvent {
        /// The position of the event.
        position: u64,
    },
    /// The replica did not answer; the primary can. Only with [`ReadSource::Replica`].
    Replica(ReplicaRefusal),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why one try of a read failed: the configuration was stale, or the read itself failed.
pub(super) enum ReadFailure {
    Stale,
    Query(QueryError),
}

impl From<ReadError> for ReadFailure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::StaleConfiguration => Self::Stale,
            ReadError::Replica(refusal) => Self::Query(QueryError::Replica(refusal)),
            ReadError::Store(error) => Self::Query(QueryError::Store(error)),
        }
    }
}

impl From<QueryError> for ReadFailure {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<StoreError> for ReadFailure {
    fn from(error: StoreError) -> Self {
        Self::Query(QueryError::Store(error))
    }
}

/// Runs `read` with the current configuration of a leaderboard.
///
/// The first try may use a cached configuration. A success proves that the configuration is current, because the store checks its
/// version. A failure does not prove that, so it is returned only if the configuration was just read from the store.
///
/// A replica is asked once: if it fails, it may be behind, and the caller repeats the read on the primary.
pub(super) async fn read_with_current<S: Store, K: Cache, T>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    caller: &Caller,
    read: impl AsyncFn(&SharedLeaderboard) -> Result<T, ReadFailure>,
) -> Result<T, QueryError> {
    let mut loaded = deps.load(id).await?.ok_or(QueryError::UnknownLeaderboard)?;
    for _ in 0..=MAX_CONFIGURATION_RETRIES {
        let answer = if caller.may_read(loaded.board.value.access) {
            read(&loaded.board).await
        } else {
            Err(ReadFailure::Query(QueryError::Forbidden))
        };
        match answer {
            Ok(answer) => return Ok(answer),
            Err(ReadFailure::Query(QueryError::Store(error))) => return Err(error.into()),
            Err(ReadFailure::Query(error)) if deps.source != ReadSource::Primary => return Err(error),
            Err(ReadFailure::Stale) if deps.source != ReadSource::Primary => {
                return Err(QueryError::Replica(ReplicaRefusal::Behind));
            }
            Err(ReadFailure::Query(error)) if loaded.fresh => return Err(error),
            Err(_) => {}
        }
        let board = deps
            .load_current_leaderboard(id)
            .await?
            .ok_or(QueryError::UnknownLeaderboard)?;
        loaded = LoadedLeaderboard { board, fresh: true };
    }
    Err(configuration_keeps_changing().into())
}

/// Returns the period that a selector names.
pub(super) async fn resolve_period<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    board: &Leaderboard,
    selector: &PeriodSelector,
) -> Result<Period, QueryError> {
    if let Some(id) = selector.find_unrecorded_id(board) {
        // An instant, or a period of an unrecorded schedule.
        let named = deps
            .store
            .find_period(deps.tenant, &board.id, &id, deps.now)
            .await?;
        if let Some(named) = named {
            return Ok(named.period);
        }
    }
    let period = selector
        .resolve(board, deps.now)
        .ok_or(QueryError::UnknownPeriod)?;
    if board.schedule.has_expired(&period, board.keep_periods, deps.now) {
        return Err(QueryError::UnknownPeriod);
    }
    Ok(period)
}

/// Creates the reference to a period that the store's reads take.
pub(super) fn refer_to_period<'a, S, K>(
    deps: &Deps<'a, S, K>,
    board: &'a SharedLeaderboard,
    period: &'a Period,
) -> PeriodRef<'a> {
    PeriodRef {
        tenant: deps.tenant,
        leaderboard: board,
        period: &period.id,
        now: deps.now,
        source: deps.source,
    }
}
