//! What all reads share: the configuration, the right to read, the period, and a second try when the
//! configuration turned out to be stale.

use std::rc::Rc;

use super::boards::LoadedLeaderboard;
use super::{Deps, Store, configuration_keeps_changing};
use crate::access::Caller;
use crate::ports::{Cache, PeriodRef, ReadError};
use crate::{
    Invalid, Leaderboard, LeaderboardId, Period, PeriodSelector, StoreError, TenantId, Timestamp, Versioned,
};

/// How often a call is repeated because the configuration changed under it.
pub const MAX_CONFIGURATION_RETRIES: u32 = 3;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryError {
    /// No leaderboard of that id exists in the tenant.
    UnknownLeaderboard,
    /// The leaderboard has no such period, or keeps it no longer.
    UnknownPeriod,
    /// The player has no entry in the period, or none that this caller sees.
    UnknownEntry,
    /// The caller may not read this leaderboard.
    Forbidden,
    /// The question itself is wrong; the pointer names a query parameter.
    Invalid(Invalid),
    /// The cursor belongs to an order that is gone.
    StaleCursor,
    /// The store could not do its work.
    Store(StoreError),
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A question that was put with a stale configuration, or one without an answer.
pub(super) enum ReadFailure {
    Stale,
    Query(QueryError),
}

impl From<ReadError> for ReadFailure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::StaleConfiguration => Self::Stale,
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

pub(super) type SharedLeaderboard = Rc<Versioned<Leaderboard>>;

/// Asks `question` of a leaderboard, with a configuration that is current when the answer is given.
///
/// An answer from the store proves the version it was asked with. A failure that follows from the
/// configuration alone proves nothing, so it is believed only of a configuration just read.
pub(super) async fn read_with_current<S: Store, K: Cache, T>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    id: &LeaderboardId,
    caller: &Caller,
    question: impl AsyncFn(&SharedLeaderboard) -> Result<T, ReadFailure>,
) -> Result<T, QueryError> {
    let mut loaded = deps
        .load(tenant, id)
        .await?
        .ok_or(QueryError::UnknownLeaderboard)?;
    for _ in 0..=MAX_CONFIGURATION_RETRIES {
        let answer = if caller.may_read(loaded.board.value.access) {
            question(&loaded.board).await
        } else {
            Err(ReadFailure::Query(QueryError::Forbidden))
        };
        match answer {
            Ok(answer) => return Ok(answer),
            Err(ReadFailure::Query(QueryError::Store(error))) => return Err(error.into()),
            Err(ReadFailure::Query(error)) if loaded.fresh => return Err(error),
            Err(_) => {}
        }
        let board = deps
            .load_current(tenant, id)
            .await?
            .ok_or(QueryError::UnknownLeaderboard)?;
        loaded = LoadedLeaderboard { board, fresh: true };
    }
    Err(configuration_keeps_changing().into())
}

/// The period a reader means.
pub(super) async fn resolve_period<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    board: &Leaderboard,
    selector: &PeriodSelector,
) -> Result<Period, QueryError> {
    if let Some(id) = selector.unexplained(board) {
        // An instant, or a period of a schedule of which nothing is recorded.
        let named = deps.store.find_period(tenant, &board.id, &id, deps.now).await?;
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

/// The place of a question, for a store.
pub(super) fn refer_to_period<'a>(
    tenant: &'a TenantId,
    board: &'a SharedLeaderboard,
    period: &'a Period,
    now: Timestamp,
) -> PeriodRef<'a> {
    PeriodRef {
        tenant,
        board,
        period: &period.id,
        now,
    }
}
