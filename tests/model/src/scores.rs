//! The ports of entries and of the event log.

use leaderboard_core::access::Caller;
use leaderboard_core::codec::encode_event;
use leaderboard_core::ports::{
    EncodedEvent, Events, LogBounds, Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries,
    Position, Positions, ReadError, Sample, Scores, SubmitOptions, Submitted,
};
use leaderboard_core::{
    Event, EventBody, LeaderboardId, LoggedEvent, PeriodId, PlayerId, PreparedSubmission, RecordedEvent,
    StoreError, TenantId, Timestamp,
};

use crate::reads::{self, VisibleEntries};
use crate::{Model, submit};

impl Model {
    /// Returns the periods that have entries and have not expired at `now`, newest first.
    fn summaries(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        now: Timestamp,
    ) -> Vec<PeriodSummary> {
        let tenants = self.tenants.borrow();
        let Some(board) = tenants
            .get(tenant)
            .and_then(|tenant| tenant.boards.get(leaderboard))
        else {
            return Vec::new();
        };
        let expired = |id| {
            let expires_at = board.expiries.get(id).copied().flatten();
            expires_at.is_some_and(|expiry| expiry <= now)
        };
        let mut summaries: Vec<PeriodSummary> = board
            .projection
            .periods
            .iter()
            .filter(|(id, state)| !state.entries.is_empty() && !expired(*id))
            .map(|(_, state)| PeriodSummary {
                period: state.period.clone(),
                count: board.projection.visible(state).len() as u64,
                version: state.version,
            })
            .collect();
        summaries.sort_by_key(|summary| std::cmp::Reverse(summary.period.starts_at));
        summaries
    }
}

impl Scores for Model {
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        let rate_limit_decision = self.charge(tenant, &options.charge_request, true);
        if rate_limit_decision.refused {
            return Ok(Submitted {
                rate_limit_decision,
                answers: Vec::new(),
            });
        }
        for prepared in submissions {
            self.end_bans(tenant, prepared.recorded_at)?;
        }
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(tenant.clone()).or_default();
        let answers = submissions
            .iter()
            .map(|prepared| submit::submit(tenant, prepared, options).map_err(|error| rejected(&error)))
            .collect::<Result<_, _>>()?;
        if let (Some(max_log_bytes), Some(last)) = (options.max_log_bytes, submissions.last()) {
            let targets = submissions.iter().flat_map(|prepared| &prepared.targets);
            let written = targets.map(|target| &target.leaderboard.value.id);
            tenant.trim_logs(written, max_log_bytes, last.recorded_at);
        }
        Ok(Submitted {
            rate_limit_decision,
            answers,
        })
    }

    async fn page(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        self.read(period_ref, |projection, state| match state {
            None => Page::default(),
            Some(state) => reads::page(
                &VisibleEntries::seen_by(caller, projection, state),
                from,
                limit as usize,
            ),
        })
    }

    async fn around(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        self.read(period_ref, |projection, state| {
            reads::around(projection, state?, player, limit as usize, caller)
        })
    }

    async fn entries_by_player(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError> {
        self.read(period_ref, |projection, state| match state {
            None => PlayerEntries::default(),
            Some(state) => reads::entries_by_player(projection, state, players, caller),
        })
    }

    async fn sample(&self, period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        self.read(period_ref, |projection, state| match state {
            None => Sample::default(),
            Some(state) => reads::sample(&VisibleEntries::of(projection, state), fractions),
        })
    }

    async fn positions(
        &self,
        period_ref: &PeriodRef<'_>,
        tuples: &[Vec<u8>],
    ) -> Result<Positions, ReadError> {
        let empty_position = Position {
            better: 0,
            equal: 0,
            better_tuples: 0,
        };
        self.read(period_ref, |projection, state| match state {
            None => Positions {
                version: 0,
                count: 0,
                positions: vec![empty_position; tuples.len()],
            },
            Some(state) => reads::positions(&VisibleEntries::of(projection, state), tuples),
        })
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        self.end_bans(tenant, now)?;
        let listed = self.summaries(tenant, leaderboard, now);
        Ok(listed.into_iter().find(|summary| summary.period.id == *id))
    }

    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError> {
        self.end_bans(tenant, now)?;
        let mut listed = self.summaries(tenant, leaderboard, now);
        listed.retain(|summary| before.is_none_or(|before| summary.period.starts_at < Some(before)));
        let more = listed.len() > limit as usize;
        listed.truncate(limit as usize);
        let last = listed.last().filter(|_| more);
        Ok(PeriodPage {
            before: last.and_then(|summary| summary.period.starts_at),
            periods: listed,
        })
    }

    async fn remove(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        let exists = self.read(period_ref, |_, state| {
            state.is_some_and(|state| state.entries.contains_key(player))
        })?;
        if !exists {
            return Ok(None);
        }
        let mut tenants = self.tenants.borrow_mut();
        let board = tenants
            .get_mut(period_ref.tenant)
            .and_then(|tenant| tenant.boards.get_mut(&period_ref.leaderboard.value.id))
            .ok_or(ReadError::StaleConfiguration)?;
        let body = EventBody::Removed {
            player: player.clone(),
            period: period_ref.period.clone(),
        };
        let event = Event {
            recorded_at: at,
            body,
        };
        Ok(Some(board.append(event).map_err(|error| rejected(&error))?))
    }
}

impl Events for Model {
    async fn read_encoded(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EncodedEvent>, StoreError> {
        let tenants = self.tenants.borrow();
        let board = tenants
            .get(tenant)
            .and_then(|tenant| tenant.boards.get(leaderboard));
        let log = board.into_iter().flat_map(|board| &board.log);
        let events = log.filter(|recorded| recorded.position > after);
        let encoded = events.map(|recorded| EncodedEvent {
            position: recorded.position,
            bytes: encode_event(&recorded.event),
        });
        Ok(encoded.take(limit as usize).collect())
    }

    async fn find_log_bounds(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Option<LogBounds>, StoreError> {
        let log = self.log(tenant, leaderboard);
        let bounds = log.first().zip(log.last());
        Ok(bounds.map(|(first, last)| LogBounds {
            first: first.clone(),
            last: last.clone(),
        }))
    }
}

impl Model {
    /// Returns the events of a log; none if there is no such leaderboard.
    fn log(&self, tenant: &TenantId, leaderboard: &LeaderboardId) -> Vec<LoggedEvent> {
        let tenants = self.tenants.borrow();
        let board = tenants
            .get(tenant)
            .and_then(|tenant| tenant.boards.get(leaderboard));
        let log = board.map_or(&[][..], |board| &board.log);
        let logged = |recorded: &RecordedEvent| LoggedEvent {
            position: recorded.position,
            schema_version: encode_event(&recorded.event).first().copied().unwrap_or_default(),
            event: Ok(recorded.event.clone()),
        };
        log.iter().map(logged).collect()
    }
}

/// Returns the error of a call that contradicts the state of the model.
pub(crate) fn rejected(cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Rejected(cause.to_string())
}
