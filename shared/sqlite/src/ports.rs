//! Scores, bans, events, leaderboards, dead letters and readiness. Each call is one or more transactions.

use futures::FutureExt;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, DeadLetter, DeadLetters, Events, Expected, Leaderboards, Page, PageFrom, PeriodPage,
    PeriodRef, PeriodSummary, PlayerEntries, Positions, PutLeaderboard, PutRefusal, ReadError, Readiness,
    Sample, Scores, SettingCheck, StoredDeadLetter, SubmitOptions, Submitted, TooManyBans,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, PeriodId, PlayerId, PreparedSubmission, RecordedEvent, StoreError, TenantId,
    Timestamp, Versioned,
};

use crate::bans::{self, BanResult};
use crate::connection::Connection;
use crate::group_commit::MAX_SUBMISSIONS_PER_TRANSACTION;
use crate::reads::{entries_by_player, frequent, page, sample};
use crate::session::Session;
use crate::{SqliteStore, configuration, dead_letters, leaderboards, log, periods, removal, sweep};

/// How many transactions of one call apply bans. Later calls apply the rest.
const MAX_BAN_STEPS: u32 = 16;

impl<C: Connection> Scores for SqliteStore<C> {
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        if submissions.len() > MAX_SUBMISSIONS_PER_TRANSACTION {
            self.submit_in_transactions(tenant, submissions, options)
                .boxed_local()
                .await
        } else {
            self.submit_in_group(tenant, submissions, options)
                .boxed_local()
                .await
        }
    }

    async fn page(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        if *from == PageFrom::Top
            && let Some(page) =
                self.single(|session| frequent::read_top(session, period_ref, limit, caller))?
        {
            return Ok(page);
        }
        self.read_at(period_ref, |session| {
            page::page(session, period_ref, from, limit, caller)
        })
        .await
    }

    async fn around(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        if let Some(page) =
            self.single(|session| frequent::read_around(session, period_ref, player, limit, caller))?
        {
            return Ok(page);
        }
        self.read_at(period_ref, |session| {
            page::around(session, period_ref, player, limit, caller)
        })
        .await
    }

    async fn entries_by_player(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError> {
        if let [player] = players
            && let Some(entries) =
                self.single(|session| frequent::read_player(session, period_ref, player, caller))?
        {
            return Ok(entries);
        }
        self.read_at(period_ref, |session| {
            entries_by_player::read(session, period_ref, players, caller)
        })
        .await
    }

    async fn sample(&self, period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        self.read_at(period_ref, |session| {
            sample::sample(session, period_ref, fractions)
        })
        .await
    }

    async fn positions(
        &self,
        period_ref: &PeriodRef<'_>,
        tuples: &[Vec<u8>],
    ) -> Result<Positions, ReadError> {
        self.read_at(period_ref, |session| {
            sample::positions(session, period_ref, tuples)
        })
        .await
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        self.single(|session| periods::find_summary(session, tenant, leaderboard, id, now))
    }

    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError> {
        self.read_leaderboard((tenant, leaderboard, now), |session| {
            periods::list(session, tenant, leaderboard, before, limit, now)
        })
        .await
    }

    async fn remove(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        self.write(|session| removal::remove(session, period_ref, player, at))
            .await
    }
}

/// Tenant, leaderboard and instant of a read.
type LeaderboardAt<'a> = (&'a TenantId, &'a LeaderboardId, Timestamp);

impl<C: Connection> SqliteStore<C> {
    /// Reads a period. Applies pending bans first; if that fails, reads the period without them.
    async fn read_at<T>(
        &self,
        period_ref: &PeriodRef<'_>,
        work: impl Fn(&Session<'_>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let behind = ReadError::Store(bans::refuse_behind());
        for _ in 0..MAX_BAN_STEPS {
            let done = self.read_with_applied_bans(&work);
            match done {
                Err(error) if error == behind => {}
                done => return done,
            }
            let board = period_ref.leaderboard.value.id.as_str();
            let applied = self
                .write(|session| {
                    bans::apply_to_leaderboard(session, period_ref.tenant, board, period_ref.now)
                })
                .await;
            if applied.is_err() {
                break;
            }
        }
        self.read(work)
    }

    /// Does the same as [`SqliteStore::read_at`] for a read of a whole leaderboard.
    async fn read_leaderboard<T, E: From<StoreError>>(
        &self,
        (tenant, board, now): LeaderboardAt<'_>,
        work: impl Fn(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..MAX_BAN_STEPS {
            let done = self.read(|session| {
                if bans::is_behind(session, tenant, board.as_str(), now)? {
                    return Ok(None);
                }
                work(session).map(Some)
            })?;
            if let Some(done) = done {
                return Ok(done);
            }
            let applied = self
                .write(|session| bans::apply_to_leaderboard(session, tenant, board.as_str(), now))
                .await;
            if applied.is_err() {
                break;
            }
        }
        self.read(work)
    }

    /// Changes a ban, and applies pending changes. While too many changes are pending, applies them first and tries again.
    async fn change_bans(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        change: impl Fn(&Session<'_>) -> Result<BanResult, StoreError>,
    ) -> Result<BanResult, StoreError> {
        let mut made = BanResult::Wait;
        for _ in 0..MAX_BAN_STEPS {
            let step = |session: &Session<'_>| {
                let changed = match made {
                    BanResult::Wait => change(session)?,
                    made => made,
                };
                Ok((changed, bans::apply_next(session, tenant, now)?))
            };
            match self.write(step).await {
                Ok((BanResult::Wait, _)) => {}
                Ok((changed, true)) => return Ok(changed),
                Ok((changed, false)) => made = changed,
                // The change is stored, and later reads and writes apply it.
                Err(_) if made != BanResult::Wait => break,
                Err(error) => return Err(error),
            }
        }
        match made {
            BanResult::Wait => Err(StoreError::Unavailable(
                "earlier bans are still being applied".into(),
            )),
            made => Ok(made),
        }
    }
}

impl<C: Connection> Bans for SqliteStore<C> {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        let change = |session: &Session<'_>| bans::ban(session, tenant, ban);
        match self.change_bans(tenant, ban.banned_at, change).await? {
            BanResult::TooMany => Ok(Err(TooManyBans)),
            BanResult::Done | BanResult::Wait => Ok(Ok(())),
        }
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        let change = |session: &Session<'_>| bans::unban(session, tenant, player, at);
        self.change_bans(tenant, at, change).await.map(drop)
    }

    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError> {
        self.single(|session| bans::find(session, tenant, player, now))
    }

    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError> {
        self.single(|session| bans::list(session, tenant, after, limit, now))
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
        self.single(|session| log::read(session, tenant, leaderboard, after, limit))
    }
}

impl<C: Connection> Leaderboards for SqliteStore<C> {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        self.single(|session| leaderboards::get(session, tenant, id))
    }

    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError> {
        self.single(|session| leaderboards::get_many(session, tenant, ids))
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        let done = self.write(|session| configuration::put(session, put)).await?;
        let stored = match done {
            Ok(stored) => stored,
            Err(refusal) => {
                if refusal == PutRefusal::Unfinished {
                    self.yield_to_others().await;
                }
                return Ok(Err(refusal));
            }
        };
        if stored.leaves_expiries {
            self.apply_expiries(stored.row, put).await?;
        }
        Ok(Ok((stored.version, stored.created)))
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        self.single(|session| leaderboards::list(session, tenant, after, limit))
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        self.write(|session| configuration::delete(session, tenant, id, expected))
            .await
    }

    /// Deletes discarded rows of all tenants, because discarded rows have no tenant.
    async fn sweep(&self, _tenant: &TenantId) -> Result<bool, StoreError> {
        let more = self.write(sweep::delete_some).await?;
        if more {
            self.yield_to_others().await;
        }
        Ok(more)
    }
}

impl<C: Connection> DeadLetters for SqliteStore<C> {
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        self.write(|session| dead_letters::push(session, tenant, letters))
            .await
    }

    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.single(|session| dead_letters::list(session, tenant, before, limit))
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        self.single(|session| dead_letters::read(session, id))
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        self.write(|session| dead_letters::delete(session, id)).await
    }
}

impl<C: Connection> Readiness for SqliteStore<C> {
    async fn check_ready(&self) -> Result<(), StoreError> {
        self.single(|session| {
            // A statement that has to read the file.
            session.run("SELECT 1 FROM leaderboards LIMIT 1", &[])
        })
    }

    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError> {
        Ok(Vec::new())
    }
}
