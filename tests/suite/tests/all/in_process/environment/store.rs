//! The model of the domain as the store: it counts calls, and fails when a test says so. The ports of scores and leaderboards.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    DocumentKind, DocumentName, Documents, Expected, Leaderboards, Page, PageFrom, PeriodPage, PeriodRef,
    PeriodSummary, PlayerEntries, Positions, PutLeaderboard, PutRefusal, RateLimits, ReadError, Sample,
    Scores, SettingCheck, SubmitOptions, Submitted,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, PeriodId, PlayerId, PreparedSubmission, Refusal, RefusalReason, StoreError,
    TenantId, Timestamp, Versioned,
};
use leaderboard_model::Model;

use super::key_value::turn;

#[derive(Default)]
pub(crate) struct Store {
    pub(super) model: Model,
    /// How often dead letters were pushed.
    pub(crate) letter_pushes: Cell<u32>,
    pub(crate) down: Cell<bool>,
    /// How often documents were read.
    pub(crate) document_reads: Cell<u32>,
    /// Whether other tasks go on between a read of documents and its result.
    pub(crate) documents_take_time: Cell<bool>,
    /// How many reports of usage came.
    pub(crate) reports: Cell<u32>,
    pub(crate) log_is_closed: Cell<bool>,
    /// Whether the store is out of memory: it refuses what adds data, and nothing else.
    pub(crate) is_full: Cell<bool>,
    /// How many sweeps there were.
    pub(crate) sweeps: Cell<u32>,
    /// How many sweeps leave something.
    pub(crate) sweeps_left: Cell<u32>,
    /// Whether a rebuild holds up every score.
    pub(crate) is_rebuilding: Cell<bool>,
    /// How many steps of a rebuild are left.
    pub(crate) rebuild_steps: Cell<u32>,
    /// Which period cannot be put into another order, and why.
    pub(crate) unordered: RefCell<Option<(PeriodId, PutRefusal)>>,
    /// Whether a leaderboard that is deleted leaves enough room.
    pub(crate) has_room_after_deleting: Cell<bool>,
    /// So many documents are still written before the store goes away.
    pub(crate) writes_left: Cell<Option<u32>>,
    /// How often ranks were read.
    pub(crate) reads: Cell<u32>,
    /// The most leaderboards that one call of scores named.
    pub(crate) most_boards: Cell<usize>,
    /// So many calls of scores are still unless_lost before the store goes away for them.
    pub(crate) calls_of_scores_left: Cell<Option<u32>>,
    /// How often a period was looked up by its id.
    pub(crate) period_lookups: Cell<u32>,
    /// How many checks of readiness there were.
    pub(crate) probes: Cell<u32>,
    /// How many changes were announced.
    pub(crate) announcements: Cell<u32>,
    /// Whether it may publish on no channel.
    pub(crate) refuses_announcements: Cell<bool>,
    /// How many events of logs were read.
    pub(crate) events_read: Cell<u64>,
    /// How often a configuration was read.
    pub(crate) board_reads: Cell<u32>,
    /// How often limits were charged in a command of their own.
    pub(crate) takes: Cell<u32>,
    /// How many records the audit log was given, and their bytes.
    pub(crate) audited: Cell<(u32, usize)>,
    /// Whether it takes commands and answers none.
    pub(crate) hangs: Cell<bool>,
    /// How often the settings of its server were read.
    pub(crate) settings_checks: Cell<u32>,
    /// The settings of its server.
    pub(crate) settings: RefCell<Vec<SettingCheck>>,
    /// Whether bans are refused by a store that does everything else.
    pub(crate) bans_fail: Cell<bool>,
    /// Whether changes are made, and their results get lost.
    pub(crate) answers_get_lost: Cell<bool>,
    /// Whether another client changes a leaderboard right before the next change of one.
    pub(crate) board_is_overtaken: Cell<bool>,
    /// The kind of document that another client changes right before the next change of one.
    pub(crate) overtaken: Cell<Option<DocumentKind>>,
}

impl Store {
    /// Sets the store's own clock, in microseconds since the epoch.
    pub(crate) fn set_clock(&self, now_us: u64) {
        self.model.set_clock(now_us);
    }

    /// Fails when all writes that the test lets through were made.
    pub(super) fn writes(&self) -> Result<&Model, StoreError> {
        if let Some(left) = self.writes_left.get() {
            self.down.set(left == 0);
            self.writes_left.set(Some(left.saturating_sub(1)));
        }
        self.up()
    }

    /// Fails when the store is full: for commands that add data.
    pub(super) fn has_room(&self) -> Result<&Model, StoreError> {
        if self.is_full.get() {
            let cause = "OOM command not allowed when used memory > 'maxmemory'.";
            return Err(StoreError::OutOfMemory(cause.into()));
        }
        self.up()
    }

    /// Counts a read of ranks. Other tasks go on meanwhile.
    async fn begin_read(&self) -> Result<&Model, StoreError> {
        self.reads.set(self.reads.get() + 1);
        turn().await;
        self.hang().await?;
        self.up()
    }

    /// Waits while the store hangs, until the connection gives up.
    pub(super) async fn hang(&self) -> Result<(), StoreError> {
        const PATIENCE: u32 = 1_000;
        for _ in 0..PATIENCE {
            if !self.hangs.get() {
                return Ok(());
            }
            turn().await;
        }
        Err(StoreError::Unavailable("the command took too long".into()))
    }

    /// Puts another document before a change of it, if the test asked for that. Lists of issuers are left alone.
    pub(super) async fn overtake(&self, name: &DocumentName, body: &[u8]) -> Result<(), StoreError> {
        if self.overtaken.get() == Some(name.kind) && !name.id.starts_with('~') {
            self.overtaken.set(None);
            let there = self
                .model
                .read_documents(std::slice::from_ref(name))
                .await?
                .remove(0);
            let mut other = there.map_or_else(|| body.to_vec(), |there| there.value);
            // The same document in other bytes: what is equal is no change.
            other.push(b' ');
            let put = self.model.put_document(name, &other, Expected::Any).await?;
            put.expect("it is put whatever is there");
        }
        Ok(())
    }

    /// The result of a change, unless it gets lost.
    pub(super) fn unless_lost<T>(&self, answer: T) -> Result<T, StoreError> {
        if self.answers_get_lost.get() {
            Err(StoreError::Unavailable("connection reset by 10.0.0.7".into()))
        } else {
            Ok(answer)
        }
    }

    pub(super) fn up(&self) -> Result<&Model, StoreError> {
        if self.down.get() {
            Err(StoreError::Unavailable("connection refused by 10.0.0.7".into()))
        } else {
            Ok(&self.model)
        }
    }
}

/// Why a score is refused while its period is being rebuilt.
fn rebuilding(submission: &PreparedSubmission) -> Refusal {
    Refusal {
        leaderboard: submission.targets[0].leaderboard.value.id.clone(),
        reason: RefusalReason::Rebuilding,
    }
}

impl Scores for Store {
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        if let Some(left) = self.calls_of_scores_left.get() {
            let less = left
                .checked_sub(1)
                .ok_or(StoreError::Unavailable("gone".into()))?;
            self.calls_of_scores_left.set(Some(less));
        }
        let targets = submissions.iter().flat_map(|submission| &submission.targets);
        let boards: BTreeSet<&LeaderboardId> = targets.map(|target| &target.leaderboard.value.id).collect();
        self.most_boards.set(self.most_boards.get().max(boards.len()));
        if self.is_rebuilding.get() {
            return Ok(Submitted {
                rate_limit_decision: self.up()?.take(tenant, &options.charge_request).await?,
                answers: submissions
                    .iter()
                    .map(|submission| Err(rebuilding(submission)))
                    .collect(),
            });
        }
        let done = self
            .has_room()?
            .submit_with_options(tenant, submissions, options)
            .await?;
        self.unless_lost(done)
    }

    async fn page(
        &self,
        period: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        self.begin_read().await?.page(period, from, limit, caller).await
    }

    async fn around(
        &self,
        period: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        self.begin_read()
            .await?
            .around(period, player, limit, caller)
            .await
    }

    async fn entries_by_player(
        &self,
        period: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError> {
        self.begin_read()
            .await?
            .entries_by_player(period, players, caller)
            .await
    }

    async fn sample(&self, period: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        self.begin_read().await?.sample(period, fractions).await
    }

    async fn positions(&self, period: &PeriodRef<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError> {
        self.begin_read().await?.positions(period, tuples).await
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        self.period_lookups.set(self.period_lookups.get() + 1);
        self.begin_read()
            .await?
            .find_period(tenant, leaderboard, id, now)
            .await
    }

    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError> {
        let model = self.begin_read().await?;
        model.list_periods(tenant, leaderboard, before, limit, now).await
    }

    async fn remove(
        &self,
        period: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        let done = self.up()?.remove(period, player, at).await?;
        Ok(self.unless_lost(done)?)
    }
}

impl Leaderboards for Store {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        self.board_reads.set(self.board_reads.get() + 1);
        turn().await;
        self.hang().await?;
        self.up()?.get(tenant, id).await
    }

    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError> {
        self.board_reads.set(self.board_reads.get() + 1);
        turn().await;
        self.up()?.get_many(tenant, ids).await
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        let steps = self.rebuild_steps.get();
        if put.rebuild && steps > 0 {
            self.has_room()?;
            self.rebuild_steps.set(steps - 1);
            return Ok(Err(PutRefusal::Unfinished));
        }
        if self.board_is_overtaken.take() {
            let mut leaderboard = put.leaderboard.clone();
            let there = self.model.get(put.tenant, &leaderboard.id).await?;
            leaderboard.title = there.map_or_else(String::new, |there| there.value.title) + "!";
            let other = PutLeaderboard {
                expected: Expected::Any,
                leaderboard: &leaderboard,
                ..put.clone()
            };
            self.model
                .put(&other)
                .await?
                .expect("it is put whatever is there");
        }
        if let Some((period, why)) = &*self.unordered.borrow()
            && put.current == period
        {
            return Ok(Err(why.clone()));
        }
        let done = self.has_room()?.put(put).await?;
        self.unless_lost(done)
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        self.up()?.list(tenant, after, limit).await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        let done = self.up()?.delete(tenant, id, expected).await?;
        if self.has_room_after_deleting.get() {
            self.is_full.set(false);
        }
        self.unless_lost(done)
    }

    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        self.sweeps.set(self.sweeps.get() + 1);
        self.up()?.sweep(tenant).await?;
        let left = self.sweeps_left.get();
        self.sweeps_left.set(left.saturating_sub(1));
        Ok(left > 0)
    }
}
