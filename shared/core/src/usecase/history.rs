//! Time travel: a leaderboard as it was at an instant, from a replay of its event log.

use super::distribution::{Distribution, DistributionQuery, list_fractions, plan_buckets};
use super::history_bounds::HistoryBounds;
use super::leaderboard_memory::SharedLeaderboard;
use super::query::{QueryError, ReadFailure, read_with_current, refer_to_period};
use super::ranks::{
    EntriesByPlayer, ListQuery, Listing, build_entries_by_player, check_order, find_start, listing,
};
use super::{Deps, Store};
use crate::access::Caller;
use crate::ports::{Cache, Events, PageFrom};
use crate::{Invalid, LeaderboardId, Period, PeriodSelector, PlayerId, Projection, StoreError, Timestamp};

/// The most events that one request replays. A replay of so many takes at least a third of a second in a component, in which the
/// instance does little else.
pub const MAX_REPLAYED_EVENTS: u64 = 100_000;
/// How many events one read of a replay returns.
const EVENTS_AT_ONCE: u32 = 2_000;

/// What a replay is going to do. It has cost little so far.
#[derive(Debug, Clone)]
pub struct ReplayPlan {
    board: SharedLeaderboard,
    at: Timestamp,
    /// The position of the newest event.
    last: u64,
}

/// A leaderboard as it was at an instant.
#[derive(Debug)]
pub struct PastLeaderboard {
    board: SharedLeaderboard,
    at: Timestamp,
    projection: Projection,
}

impl ReplayPlan {
    /// Returns the most events that the replay reads.
    #[must_use]
    pub fn most_events(&self) -> u64 {
        self.last.min(MAX_REPLAYED_EVENTS)
    }
}

/// Checks whether `caller` may read the leaderboard, and whether the log has the leaderboard's history at `at`.
///
/// # Errors
/// [`QueryError`]; [`QueryError::Invalid`] at `at` for an instant in the future; [`QueryError::NoHistory`].
pub async fn plan_replay<S: Store + Events, K: Cache>(
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
        let bounds = deps.store.find_log_bounds(deps.tenant, id).await?;
        let bounds = bounds.ok_or_else(no_history)?;
        let began_at = bounds.first.recorded_at();
        if bounds.first.position != 1 {
            return Err(no_history());
        }
        if began_at.is_some_and(|began_at| at < began_at) {
            let bounds = HistoryBounds {
                from: began_at,
                until: None,
            };
            return Err(QueryError::NoHistory(bounds).into());
        }
        Ok(ReplayPlan {
            board: SharedLeaderboard::clone(board),
            at,
            last: bounds.last.position,
        })
    })
    .await
}

/// The log has lost its first event, and with it the history.
fn no_history() -> ReadFailure {
    QueryError::NoHistory(HistoryBounds::default()).into()
}

/// Replays a log up to the last event before the first one that was recorded after the instant of the plan. So the result is a state
/// that the leaderboard had, also if the clocks of the writers differed.
///
/// # Errors
/// [`QueryError::UnknownEvent`] if an event has an unknown format; [`QueryError::NoHistory`] if there are more than
/// [`MAX_REPLAYED_EVENTS`] events until then, or the first ones were removed in the meantime.
pub async fn replay<S: Events, K>(
    deps: &Deps<'_, S, K>,
    plan: ReplayPlan,
) -> Result<PastLeaderboard, QueryError> {
    let id = &plan.board.value.id;
    let mut projection = Projection::default();
    'log: while projection.position() < plan.last {
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
                break 'log;
            }
            if position != projection.position().saturating_add(1) {
                return Err(QueryError::NoHistory(HistoryBounds::default()));
            }
            if position > MAX_REPLAYED_EVENTS {
                let bounds = HistoryBounds {
                    from: None,
                    until: recorded_at,
                };
                return Err(QueryError::NoHistory(bounds));
            }
            let unknown = QueryError::UnknownEvent { position };
            let event = logged.into_known().map_err(|_| unknown)?;
            let damaged = |_| StoreError::Corrupt(format!("event {position} of {id} does not follow"));
            projection.apply(&event).map_err(damaged)?;
        }
    }
    Ok(PastLeaderboard {
        board: plan.board,
        at: plan.at,
        projection,
    })
}

impl PastLeaderboard {
    /// Returns a page of the list. Its cursors continue the list of the same instant.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn read_page(&self, caller: &Caller, query: &ListQuery) -> Result<Listing, QueryError> {
        let cursor = query.cursor.as_ref();
        if cursor.is_some_and(|cursor| cursor.leaderboard != self.board.value.id) {
            return Err(invalid_cursor("belongs to another leaderboard"));
        }
        if cursor.is_some_and(|cursor| cursor.at != Some(self.at)) {
            return Err(invalid_cursor("belongs to the list at another instant (`at`)"));
        }
        let period = match cursor {
            None => self.resolve_period(&query.period)?,
            Some(cursor) => self.resolve_period(&PeriodSelector::Named(cursor.period.clone()))?,
        };
        if cursor.is_some()
            && query.period != PeriodSelector::Current
            && self.resolve_period(&query.period)?.id != period.id
        {
            return Err(invalid_cursor("belongs to another period"));
        }
        let from = cursor.map_or(PageFrom::Top, find_start);
        let page = self.projection.page(&period.id, &from, query.limit, caller);
        if let Some(cursor) = cursor {
            let layout = page.layout.clone().unwrap_or_else(|| self.board.value.layout());
            check_order(cursor, &layout)?;
        }
        Ok(self.at_instant(listing(&self.board, period, page, cursor)))
    }

    /// Returns the window around a player.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::UnknownEntry`] if the player had no entry that the caller sees.
    pub fn read_around(
        &self,
        caller: &Caller,
        player: &PlayerId,
        selector: &PeriodSelector,
        limit: u32,
    ) -> Result<Listing, QueryError> {
        let period = self.resolve_period(selector)?;
        let page = self.projection.around(&period.id, player, limit, caller);
        let page = page.ok_or(QueryError::UnknownEntry)?;
        Ok(self.at_instant(listing(&self.board, period, page, None)))
    }

    /// Returns the entry of a player.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::UnknownEntry`] if the player had no entry that the caller sees.
    pub fn read_entry(
        &self,
        caller: &Caller,
        player: &PlayerId,
        selector: &PeriodSelector,
    ) -> Result<EntriesByPlayer, QueryError> {
        let period = self.resolve_period(selector)?;
        let players = std::slice::from_ref(player);
        let found = self.projection.entries_by_player(&period.id, players, caller);
        if found.entries.is_empty() {
            return Err(QueryError::UnknownEntry);
        }
        Ok(build_entries_by_player(&self.board, period, found))
    }

    /// Returns the distribution of the first column.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn read_distribution(&self, query: &DistributionQuery) -> Result<Distribution, QueryError> {
        let period = self.resolve_period(&query.period)?;
        let sample = self.projection.sample(&period.id, &list_fractions());
        let plan = plan_buckets(&self.board, &sample, query);
        let found = self.projection.positions(&period.id, &plan.tuples);
        Ok(plan.build_distribution(&self.board, period, &sample, &found))
    }

    /// Returns the period that a selector named at the instant, by the configuration of that time.
    fn resolve_period(&self, selector: &PeriodSelector) -> Result<Period, QueryError> {
        let board = self.projection.leaderboard().ok_or(QueryError::UnknownPeriod)?;
        let unrecorded = selector.find_unrecorded_id(board);
        if let Some(known) = unrecorded.and_then(|id| self.projection.period(&id)) {
            return Ok(known.clone());
        }
        let period = selector
            .resolve(board, self.at)
            .ok_or(QueryError::UnknownPeriod)?;
        if board.schedule.has_expired(&period, board.keep_periods, self.at) {
            return Err(QueryError::UnknownPeriod);
        }
        Ok(period)
    }

    /// Adds the instant to the cursors.
    fn at_instant(&self, mut listing: Listing) -> Listing {
        for cursor in [&mut listing.next, &mut listing.previous].into_iter().flatten() {
            cursor.at = Some(self.at);
        }
        listing
    }
}

fn invalid_cursor(detail: &str) -> QueryError {
    QueryError::Invalid(Invalid::new("cursor", detail))
}
