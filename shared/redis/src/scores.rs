//! Entries: the [`Scores`] port.

use leaderboard_core::access::Caller;
use leaderboard_core::codec::encode_event;
use leaderboard_core::ports::{
    MAX_PERIODS_PASSED, Page, PageFrom, PeriodPage, PeriodSummary, Place, Positions, ReadError, Sample,
    Scores, Standings, SubmitTerms, Submitted,
};
use leaderboard_core::{
    Attempt, Event, EventBody, LeaderboardId, PeriodId, PlayerId, StoreError, TenantId, Timestamp,
};

use crate::answer::{Answer, corrupt, decimal};
use crate::connection::Connection;
use crate::keys::{self, BoardKeys};
use crate::packing::unpack_period;
use crate::script::{Call, FIND_PERIOD, PERIODS, REMOVE};
use crate::{RedisStore, bans, reads, submit};

/// Where a period without a start stands in the list of periods.
const BEGINNING: &[u8] = b"-inf";

/// What a list of periods is answered with when bans are yet to be applied to the leaderboard.
const BEHIND: &[u8] = b"behind";

impl<C: Connection> Scores for RedisStore<C> {
    async fn submit_on(
        &self,
        tenant: &TenantId,
        attempts: &[Attempt],
        terms: &SubmitTerms,
    ) -> Result<Submitted, StoreError> {
        submit::submit(&self.connection, tenant, attempts, terms).await
    }

    async fn page(
        &self,
        place: &Place<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        reads::page(&self.connection, place, from, limit, caller).await
    }

    async fn around(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        reads::around(&self.connection, place, player, limit, caller).await
    }

    async fn standings(
        &self,
        place: &Place<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<Standings, ReadError> {
        reads::standings(&self.connection, place, players, caller).await
    }

    async fn sample(&self, place: &Place<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        reads::sample(&self.connection, place, fractions).await
    }

    async fn positions(&self, place: &Place<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError> {
        reads::positions(&self.connection, place, tuples).await
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        let mut call = Call::on(BoardKeys::new(tenant, leaderboard).period(id));
        call.text(&now.as_unix_ms());
        let mut answer = Answer::new(FIND_PERIOD.run(&self.connection, &call).await?);
        if answer.is_empty() {
            return Ok(None);
        }
        summary(id.as_str().as_bytes(), &mut answer).map(Some)
    }

    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError> {
        let names = BoardKeys::new(tenant, leaderboard);
        let call_of = |bans_matter| {
            let mut call = Call::on([names.periods(), names.configuration(), keys::bans_state(tenant)]);
            call.text(&now.as_unix_ms());
            for prefix in names.period_prefixes() {
                call.bytes(prefix);
            }
            call.option(before.map(Timestamp::as_unix_ms));
            call.text(&limit);
            call.text(&limit.saturating_add(MAX_PERIODS_PASSED));
            call.flag(bans_matter);
            call
        };
        let mut answer = Answer::new(PERIODS.run(&self.connection, &call_of(true)).await?);
        let mut first = answer.bytes()?;
        if first == BEHIND {
            // Where they cannot be applied now, the counts are those of before.
            let _ = bans::apply(&self.connection, tenant, &[leaderboard], now).await;
            answer = Answer::new(PERIODS.run(&self.connection, &call_of(false)).await?);
            first = answer.bytes()?;
        }
        let before = goes_on_before(&first)?;
        let mut periods = Vec::new();
        while !answer.is_empty() {
            let id = answer.bytes()?;
            periods.push(summary(&id, &mut answer)?);
        }
        Ok(PeriodPage { periods, before })
    }

    async fn remove(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        let mut call = reads::call_on(place);
        let board = &place.board.value.id;
        call.keys([BoardKeys::new(place.tenant, board).log()]);
        call.keys(keys::held_entries(place.tenant));
        call.keys([keys::log_weights(place.tenant)]);
        call.bytes(player.as_bytes());
        call.bytes(encode_event(&Event {
            recorded_at: at,
            body: EventBody::Removed {
                player: player.clone(),
                period: place.period.clone(),
            },
        }));
        call.bytes(keys::held_name(board, place.period));
        let mut answer = reads::run_on(&self.connection, &REMOVE, place, call).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        Ok(Some(answer.number()?))
    }
}

/// What the answer goes on with tells of the period `id`.
fn summary(id: &[u8], answer: &mut Answer) -> Result<PeriodSummary, StoreError> {
    Ok(PeriodSummary {
        period: unpack_period(id, &answer.bytes()?)?,
        count: answer.count()?,
        version: decimal(&answer.bytes()?)?,
    })
}

/// The start before which a list of periods goes on; those without a start are the last ones of it.
fn goes_on_before(start: &[u8]) -> Result<Option<Timestamp>, StoreError> {
    if start.is_empty() || start == BEGINNING {
        return Ok(None);
    }
    let ms = std::str::from_utf8(start).ok().and_then(|text| text.parse().ok());
    Ok(Timestamp::from_unix_ms(
        ms.ok_or_else(|| corrupt("start of a period"))?,
    ))
}
