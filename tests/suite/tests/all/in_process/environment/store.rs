//! The store of tests: the model of the domain, with counters of calls and switches that make calls fail.
//! This module has the ports for scores and leaderboards.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

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

/// What a test does when scores are submitted.
type BeforeSubmit = Rc<dyn Fn(&[PreparedSubmission])>;

/// The model of the domain as a store that counts calls, and that fails when a test says so.
#[derive(Default)]
pub(crate) struct Store {
    pub(super) model: Model,
    /// How many commands pushed dead letters.
    pub(crate) letter_pushes: Cell<u32>,
    /// Whether all calls fail.
    pub(crate) down: Cell<bool>,
    /// How many commands read documents.
    pub(crate) document_reads: Cell<u32>,
    /// Whether other tasks run between a read of documents and its result.
    pub(crate) documents_take_time: Cell<bool>,
    /// How many calls reported the usage of rate limits.
    pub(crate) reports: Cell<u32>,
    /// Whether the audit log refuses records.
    pub(crate) log_is_closed: Cell<bool>,
    /// Whether the store is out of memory, so that it refuses commands that add data.
    pub(crate) is_full: Cell<bool>,
    /// How many steps swept data of deleted leaderboards.
    pub(crate) sweeps: Cell<u32>,
    /// How many sweeps leave data for a further sweep.
    pub(crate) sweeps_left: Cell<u32>,
    /// Whether every score is refused because its period is being rebuilt.
    pub(crate) is_rebuilding: Cell<bool>,
    /// How many more calls only do a step of a rebuild, before one finishes it.
    pub(crate) rebuild_steps: Cell<u32>,
    /// A period that cannot be put into another order, and the reason.
    pub(crate) reorder_refusal: RefCell<Option<(PeriodId, PutRefusal)>>,
    /// Whether the deletion of a leaderboard frees memory, so that the store is no longer full.
    pub(crate) has_room_after_deleting: Cell<bool>,
    /// How many more documents can be written or deleted before the store goes down; `None` for no limit.
    pub(crate) writes_left: Cell<Option<u32>>,
    /// How many reads of ranks and periods there were.
    pub(crate) reads: Cell<u32>,
    /// The most leaderboards that one call of `submit_with_options` named.
    pub(crate) most_leaderboards: Cell<usize>,
    /// How many more calls of `submit_with_options` succeed before they fail; `None` for no limit.
    pub(crate) submit_calls_left: Cell<Option<u32>>,
    /// How many more steps replace no events.
    pub(crate) erasure_steps: Cell<u32>,
    /// What happens before each call of `submit_with_options`.
    pub(crate) before_submit: RefCell<Option<BeforeSubmit>>,
    /// The tenant whose items of the queue cannot be finished, because its data is damaged.
    pub(crate) damaged_queue: RefCell<Option<TenantId>>,
    /// How often a period was looked up by its id.
    pub(crate) period_lookups: Cell<u32>,
    /// How many times readiness was checked.
    pub(crate) probes: Cell<u32>,
    /// How many announcements of changes there were.
    pub(crate) announcements: Cell<u32>,
    /// Whether the server refuses to publish announcements.
    pub(crate) refuses_announcements: Cell<bool>,
    /// How many events were read from event logs.
    pub(crate) events_read: Cell<u64>,
    /// How many commands read configurations of leaderboards.
    pub(crate) board_reads: Cell<u32>,
    /// How many commands did nothing but charge rate limits.
    pub(crate) takes: Cell<u32>,
    /// How many records were appended to the audit log, and the sum of their sizes in bytes.
    pub(crate) audited: Cell<(u32, usize)>,
    /// Whether commands get no result.
    pub(crate) hangs: Cell<bool>,
    /// How many times the settings of the store's server were checked.
    pub(crate) settings_checks: Cell<u32>,
    /// The settings of the store's server.
    pub(crate) settings: RefCell<Vec<SettingCheck>>,
    /// Whether bans fail, while all other calls succeed.
    pub(crate) bans_fail: Cell<bool>,
    /// Whether changes are applied, but their results get lost.
    pub(crate) answers_get_lost: Cell<bool>,
    /// Whether another client changes the leaderboard right before its next change.
    pub(crate) leaderboard_is_overtaken: Cell<bool>,
    /// The kind of the document that another client changes right before its next change.
    pub(crate) overtaken_kind: Cell<Option<DocumentKind>>,
}

impl Store {
    /// Sets the store's own clock, in microseconds since the epoch.
    pub(crate) fn set_clock(&self, now_us: u64) {
        self.model.set_clock(now_us);
    }

    /// Counts a write. Returns the model, or an error if the test allows no more writes.
    pub(super) fn model_for_write(&self) -> Result<&Model, StoreError> {
        if let Some(left) = self.writes_left.get() {
            self.down.set(left == 0);
            self.writes_left.set(Some(left.saturating_sub(1)));
        }
        self.model_if_up()
    }

    /// Returns the model for a command that adds data, or an error if the store is full or down.
    pub(super) fn model_if_room(&self) -> Result<&Model, StoreError> {
        if self.is_full.get() {
            let cause = "OOM command not allowed when used memory > 'maxmemory'.";
            return Err(StoreError::OutOfMemory(cause.into()));
        }
        self.model_if_up()
    }

    /// Counts a read of ranks or periods, and lets other tasks run. Returns the model, or an error if the
    /// store is down.
    async fn begin_read(&self) -> Result<&Model, StoreError> {
        self.reads.set(self.reads.get() + 1);
        turn().await;
        self.wait_while_hanging().await?;
        self.model_if_up()
    }

    /// Waits while the store hangs. Returns an error when the connection gives up.
    pub(super) async fn wait_while_hanging(&self) -> Result<(), StoreError> {
        /// How many turns of other tasks the connection waits.
        const PATIENCE: u32 = 1_000;
        for _ in 0..PATIENCE {
            if !self.hangs.get() {
                return Ok(());
            }
            turn().await;
        }
        Err(StoreError::Unavailable("the command took too long".into()))
    }

    /// Changes the document before the caller does, like another client, if the test asks for that. Does not
    /// change lists of issuers, whose ids begin with `~`.
    pub(super) async fn overtake(&self, name: &DocumentName, body: &[u8]) -> Result<(), StoreError> {
        if self.overtaken_kind.get() == Some(name.kind) && !name.id.starts_with('~') {
            self.overtaken_kind.set(None);
            let stored = self
                .model
                .read_documents(std::slice::from_ref(name))
                .await?
                .remove(0);
            let mut other = stored.map_or_else(|| body.to_vec(), |stored| stored.value);
            // A space makes the bytes differ, because equal bytes are no change. The document stays the same.
            other.push(b' ');
            let put = self.model.put_document(name, &other, Expected::Any).await?;
            put.expect("a put without a precondition succeeds");
        }
        Ok(())
    }

    /// Returns the result of a change, or an error if the result gets lost.
    pub(super) fn unless_lost<T>(&self, answer: T) -> Result<T, StoreError> {
        if self.answers_get_lost.get() {
            Err(StoreError::Unavailable("connection reset by 10.0.0.7".into()))
        } else {
            Ok(answer)
        }
    }

    /// Returns the model, or an error if the store is down.
    pub(super) fn model_if_up(&self) -> Result<&Model, StoreError> {
        if self.down.get() {
            Err(StoreError::Unavailable("connection refused by 10.0.0.7".into()))
        } else {
            Ok(&self.model)
        }
    }
}

/// Returns the refusal of a submission whose period is being rebuilt.
fn refuse_for_rebuild(submission: &PreparedSubmission) -> Refusal {
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
        let before_submit = self.before_submit.borrow().clone();
        if let Some(before_submit) = before_submit {
            before_submit(submissions);
        }
        if let Some(left) = self.submit_calls_left.get() {
            let less = left
                .checked_sub(1)
                .ok_or(StoreError::Unavailable("gone".into()))?;
            self.submit_calls_left.set(Some(less));
        }
        let targets = submissions.iter().flat_map(|submission| &submission.targets);
        let boards: BTreeSet<&LeaderboardId> = targets.map(|target| &target.leaderboard.value.id).collect();
        self.most_leaderboards
            .set(self.most_leaderboards.get().max(boards.len()));
        if self.is_rebuilding.get() {
            return Ok(Submitted {
                rate_limit_decision: self.model_if_up()?.take(tenant, &options.charge_request).await?,
                answers: submissions
                    .iter()
                    .map(|submission| Err(refuse_for_rebuild(submission)))
                    .collect(),
            });
        }
        let done = self
            .model_if_room()?
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
        let done = self.model_if_up()?.remove(period, player, at).await?;
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
        self.wait_while_hanging().await?;
        self.model_if_up()?.get(tenant, id).await
    }

    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError> {
        self.board_reads.set(self.board_reads.get() + 1);
        turn().await;
        self.model_if_up()?.get_many(tenant, ids).await
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        let steps = self.rebuild_steps.get();
        if put.rebuild && steps > 0 {
            self.model_if_room()?;
            self.rebuild_steps.set(steps - 1);
            return Ok(Err(PutRefusal::Unfinished));
        }
        if self.leaderboard_is_overtaken.take() {
            let mut leaderboard = put.leaderboard.clone();
            let stored = self.model.get(put.tenant, &leaderboard.id).await?;
            leaderboard.title = stored.map_or_else(String::new, |stored| stored.value.title) + "!";
            let other = PutLeaderboard {
                expected: Expected::Any,
                leaderboard: &leaderboard,
                ..put.clone()
            };
            self.model
                .put(&other)
                .await?
                .expect("a put without a precondition succeeds");
        }
        if let Some((period, why)) = &*self.reorder_refusal.borrow()
            && put.current == period
        {
            return Ok(Err(why.clone()));
        }
        let done = self.model_if_room()?.put(put).await?;
        self.unless_lost(done)
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        self.model_if_up()?.list(tenant, after, limit).await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        let done = self.model_if_up()?.delete(tenant, id, expected).await?;
        if self.has_room_after_deleting.get() {
            self.is_full.set(false);
        }
        self.unless_lost(done)
    }

    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        self.sweeps.set(self.sweeps.get() + 1);
        self.model_if_up()?.sweep(tenant).await?;
        let left = self.sweeps_left.get();
        self.sweeps_left.set(left.saturating_sub(1));
        Ok(left > 0)
    }
}
