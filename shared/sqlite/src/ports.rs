//! The ports, each call in its transaction.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    DeadLetter, DeadLetters, Events, Expected, Leaderboards, Page, PageFrom, PeriodSummary, Place, Positions,
    PutLeaderboard, PutRefusal, ReadError, Readiness, Sample, Scores, Standings, SubmitTerms, Submitted,
};
use leaderboard_core::{
    Attempt, Leaderboard, LeaderboardId, PlayerId, RecordedEvent, StoreError, TenantId, Timestamp, Versioned,
};

use crate::connection::Connection;
use crate::hidden::{self, Turn};
use crate::store::Session;
use crate::{
    SqliteStore, boards, configuration, dead_letters, log, page, periods, removal, sample, standings, submit,
    sweep,
};

/// How many attempts are settled in one transaction: a large call must not hold up every other writer until
/// its end. One that fails half-way is finished by a repeat with the same ids.
const MAX_ATTEMPTS_PER_TRANSACTION: usize = 128;

impl<C: Connection> Scores for SqliteStore<C> {
    async fn submit_on(
        &self,
        tenant: &TenantId,
        attempts: &[Attempt],
        terms: &SubmitTerms,
    ) -> Result<Submitted, StoreError> {
        let mut chunks = attempts.chunks(MAX_ATTEMPTS_PER_TRANSACTION);
        let first = chunks.next().unwrap_or_default();
        let mut submitted = self
            .write(async |session| submit::metered(session, tenant, first, terms).await)
            .await?;
        if submitted.metered.refused {
            return Ok(submitted);
        }
        for chunk in chunks {
            let work = async |session: &Session<'_, C>| submit::submit(session, tenant, chunk, terms).await;
            submitted.answers.extend(self.write(work).await?);
        }
        Ok(submitted)
    }

    async fn page(&self, place: &Place<'_>, from: &PageFrom, limit: u32) -> Result<Page, ReadError> {
        self.read(async |session| page::page(session, place, from, limit).await)
            .await
    }

    async fn around(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        self.read(async |session| page::around(session, place, player, limit, caller).await)
            .await
    }

    async fn standings(
        &self,
        place: &Place<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<Standings, ReadError> {
        self.read(async |session| standings::standings(session, place, players, caller).await)
            .await
    }

    async fn sample(&self, place: &Place<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        self.read(async |session| sample::sample(session, place, fractions).await)
            .await
    }

    async fn positions(&self, place: &Place<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError> {
        self.read(async |session| sample::positions(session, place, tuples).await)
            .await
    }

    async fn periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        now: Timestamp,
    ) -> Result<Vec<PeriodSummary>, StoreError> {
        self.single(async |session| periods::list(session, tenant, leaderboard, now).await)
            .await
    }

    async fn remove(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        self.write(async |session| removal::remove(session, place, player, at).await)
            .await
    }

    async fn hide(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        self.write(async |session| hidden::turn(session, tenant, player, Turn::Hide, at).await)
            .await
    }

    async fn restore(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        self.write(async |session| hidden::turn(session, tenant, player, Turn::Restore, at).await)
            .await
    }
}

impl<C: Connection> Events for SqliteStore<C> {
    async fn read(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.single(async |session| log::read(session, tenant, leaderboard, after, limit).await)
            .await
    }
}

impl<C: Connection> Leaderboards for SqliteStore<C> {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        self.single(async |session| boards::get(session, tenant, id).await)
            .await
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        self.write(async |session| configuration::put(session, put).await)
            .await
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        self.single(async |session| boards::list(session, tenant, after, limit).await)
            .await
    }

    /// The leaderboard is gone in one transaction. Its rows follow in small ones before this returns; what
    /// is left when this is interrupted goes with later calls.
    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        let deleted = self
            .write(async |session| configuration::delete(session, tenant, id, expected).await)
            .await?;
        if deleted == Ok(true) {
            while let Ok(true) = self.write(async |session| sweep::sweep(session).await).await {}
        }
        Ok(deleted)
    }
}

impl<C: Connection> DeadLetters for SqliteStore<C> {
    async fn bury(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.write(async |session| dead_letters::bury(session, letter).await)
            .await
    }

    async fn letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        self.single(async |session| dead_letters::letters(session, limit).await)
            .await
    }
}

impl<C: Connection> Readiness for SqliteStore<C> {
    async fn ready(&self) -> Result<(), StoreError> {
        self.single(async |session| {
            // A statement that has to look into the file.
            session.run("SELECT 1 FROM leaderboards LIMIT 1", &[]).await
        })
        .await
    }
}
