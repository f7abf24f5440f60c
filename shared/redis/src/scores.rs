//! Entries: the [`Scores`] port.

use std::cmp::Reverse;

use leaderboard_core::access::Caller;
use leaderboard_core::codec::encode_event;
use leaderboard_core::ports::{
    Page, PageFrom, PeriodSummary, Place, Positions, ReadError, Sample, Scores, Standings, SubmitTerms,
    Submitted,
};
use leaderboard_core::{Attempt, Event, EventBody, LeaderboardId, PlayerId, StoreError, TenantId, Timestamp};

use crate::answer::{Answer, decimal};
use crate::connection::Connection;
use crate::keys::{self, BoardKeys};
use crate::packing::unpack_period;
use crate::script::{Call, PERIODS, REMOVE};
use crate::{RedisStore, moderation, reads, submit};

impl<C: Connection> Scores for RedisStore<C> {
    async fn submit_on(
        &self,
        tenant: &TenantId,
        attempts: &[Attempt],
        terms: &SubmitTerms,
    ) -> Result<Submitted, StoreError> {
        submit::submit(&self.connection, tenant, attempts, terms).await
    }

    async fn page(&self, place: &Place<'_>, from: &PageFrom, limit: u32) -> Result<Page, ReadError> {
        reads::page(&self.connection, place, from, limit).await
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

    async fn periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        now: Timestamp,
    ) -> Result<Vec<PeriodSummary>, StoreError> {
        let names = BoardKeys::new(tenant, leaderboard);
        let mut call = Call::on([names.periods()]);
        call.text(&now.as_unix_ms());
        for prefix in names.period_prefixes() {
            call.bytes(prefix);
        }
        let mut answer = Answer::new(PERIODS.run(&self.connection, &call).await?);
        let mut summaries = Vec::new();
        while !answer.is_empty() {
            let (id, bounds) = (answer.bytes()?, answer.bytes()?);
            summaries.push(PeriodSummary {
                period: unpack_period(&id, &bounds)?,
                count: answer.count()?,
                version: decimal(&answer.bytes()?)?,
            });
        }
        summaries.sort_by_key(|summary| Reverse(summary.period.starts_at));
        Ok(summaries)
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
        call.bytes(player.as_bytes());
        call.bytes(encode_event(&Event {
            recorded_at: at,
            body: EventBody::Removed {
                player: player.clone(),
                period: place.period.clone(),
            },
        }));
        call.bytes(keys::held_name(board, place.period));
        let mut answer = reads::run_on(&self.connection, &REMOVE, &call).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        Ok(Some(answer.number()?))
    }

    async fn hide(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        moderation::show(&self.connection, tenant, player, false, at).await
    }

    async fn restore(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        moderation::show(&self.connection, tenant, player, true, at).await
    }
}
