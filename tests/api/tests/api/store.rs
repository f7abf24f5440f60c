//! The in-memory model of the domain as a store of record: with dead letters, and with a switch to go away.

mod operations;
mod region;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, DeadLetter, DeadLetters, DocumentKind, DocumentName, Documents, Events, Expected,
    Leaderboards, Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Positions,
    PutLeaderboard, PutRefusal, RateLimits, ReadError, Sample, Scores, SettingCheck, StoredDeadLetter,
    SubmitOptions, Submitted, TooManyBans, VersionMismatch,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, PeriodId, PlayerId, PreparedSubmission, RecordedEvent, Refusal,
    RefusalReason, StoreError, TenantId, Timestamp, Versioned,
};
use leaderboard_model::Model;

pub(crate) use region::{Region, turn};

#[derive(Default)]
pub(crate) struct Store {
    model: Model,
    /// How often dead letters were pushed.
    pub(crate) letter_pushes: Cell<u32>,
    pub(crate) down: Cell<bool>,
    /// How often documents were asked for.
    pub(crate) document_reads: Cell<u32>,
    /// Whether others get on between a read of documents and its answer.
    pub(crate) documents_take_time: Cell<bool>,
    /// How many reports of what was let through came.
    pub(crate) reports: Cell<u32>,
    pub(crate) log_is_closed: Cell<bool>,
    /// Whether the store is out of memory: it refuses what adds data, and nothing else.
    pub(crate) is_full: Cell<bool>,
    /// How often it was told to sweep.
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
    /// How often ranks were asked for.
    pub(crate) reads: Cell<u32>,
    /// The most leaderboards that one call of scores named.
    pub(crate) most_boards: Cell<usize>,
    /// So many calls of scores are still answered before the store goes away for them.
    pub(crate) calls_of_scores_left: Cell<Option<u32>>,
    /// How often a period was asked for by its id.
    pub(crate) names_asked: Cell<u32>,
    /// How often the store was asked whether it is ready.
    pub(crate) probes: Cell<u32>,
    /// How many changes were announced.
    pub(crate) announcements: Cell<u32>,
    /// Whether it may publish on no channel.
    pub(crate) refuses_announcements: Cell<bool>,
    /// How many events of logs were read.
    pub(crate) events_read: Cell<u64>,
    /// How often a configuration was asked for.
    pub(crate) board_reads: Cell<u32>,
    /// How often limits were charged in a command of their own.
    pub(crate) takes: Cell<u32>,
    /// How many records the audit log was given, and their bytes.
    pub(crate) audited: Cell<(u32, usize)>,
    /// Whether it takes questions in and answers none.
    pub(crate) hangs: Cell<bool>,
    /// How often it was asked how its server is set up.
    pub(crate) settings_checks: Cell<u32>,
    /// How its server is set up.
    pub(crate) settings: RefCell<Vec<SettingCheck>>,
    /// Whether bans are refused by a store that does everything else.
    pub(crate) bans_fail: Cell<bool>,
    /// Whether changes are made and their answers get lost.
    pub(crate) answers_get_lost: Cell<bool>,
    /// Whether somebody else changes a leaderboard right before the next change of one.
    pub(crate) board_is_overtaken: Cell<bool>,
    /// Of which kind somebody else changes a document right before the next change of one.
    pub(crate) overtaken: Cell<Option<DocumentKind>>,
}

impl Store {
    /// Sets the store's own clock, in microseconds since the epoch.
    pub(crate) fn set_clock(&self, now_us: u64) {
        self.model.set_clock(now_us);
    }

    /// Goes away before a write, when as many as were to go through have.
    fn writes(&self) -> Result<&Model, StoreError> {
        if let Some(left) = self.writes_left.get() {
            self.down.set(left == 0);
            self.writes_left.set(Some(left.saturating_sub(1)));
        }
        self.up()
    }

    /// What adds data is refused by a store that is full.
    fn has_room(&self) -> Result<&Model, StoreError> {
        if self.is_full.get() {
            let cause = "OOM command not allowed when used memory > 'maxmemory'.";
            return Err(StoreError::OutOfMemory(cause.into()));
        }
        self.up()
    }

    /// A question about ranks; others get on meanwhile.
    async fn asked(&self) -> Result<&Model, StoreError> {
        self.reads.set(self.reads.get() + 1);
        turn().await;
        self.hang().await?;
        self.up()
    }

    /// Waits while the store hangs, until the connection gives up.
    async fn hang(&self) -> Result<(), StoreError> {
        const PATIENCE: u32 = 1_000;
        for _ in 0..PATIENCE {
            if !self.hangs.get() {
                return Ok(());
            }
            turn().await;
        }
        Err(StoreError::Unavailable("the command took too long".into()))
    }

    /// Somebody else puts a document before a change of it, if that is to happen. Lists of issuers are left alone.
    async fn overtake(&self, name: &DocumentName, body: &[u8]) -> Result<(), StoreError> {
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

    /// The answer to a change, unless it gets lost.
    fn answered<T>(&self, answer: T) -> Result<T, StoreError> {
        if self.answers_get_lost.get() {
            Err(StoreError::Unavailable("connection reset by 10.0.0.7".into()))
        } else {
            Ok(answer)
        }
    }

    fn up(&self) -> Result<&Model, StoreError> {
        if self.down.get() {
            Err(StoreError::Unavailable("connection refused by 10.0.0.7".into()))
        } else {
            Ok(&self.model)
        }
    }
}

/// Why a score is refused while its period is being rebuilt.
fn rebuilding(attempt: &PreparedSubmission) -> Refusal {
    Refusal {
        leaderboard: attempt.targets[0].board.value.id.clone(),
        reason: RefusalReason::Rebuilding,
    }
}

impl Scores for Store {
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        attempts: &[PreparedSubmission],
        terms: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        if let Some(left) = self.calls_of_scores_left.get() {
            let less = left
                .checked_sub(1)
                .ok_or(StoreError::Unavailable("gone".into()))?;
            self.calls_of_scores_left.set(Some(less));
        }
        let targets = attempts.iter().flat_map(|attempt| &attempt.targets);
        let boards: BTreeSet<&LeaderboardId> = targets.map(|target| &target.board.value.id).collect();
        self.most_boards.set(self.most_boards.get().max(boards.len()));
        if self.is_rebuilding.get() {
            return Ok(Submitted {
                rate_limit_decision: self.up()?.take(tenant, &terms.charge_request).await?,
                answers: attempts.iter().map(|attempt| Err(rebuilding(attempt))).collect(),
            });
        }
        let done = self
            .has_room()?
            .submit_with_options(tenant, attempts, terms)
            .await?;
        self.answered(done)
    }

    async fn page(
        &self,
        place: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        self.asked().await?.page(place, from, limit, caller).await
    }

    async fn around(
        &self,
        place: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        self.asked().await?.around(place, player, limit, caller).await
    }

    async fn entries_by_player(
        &self,
        place: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError> {
        self.asked()
            .await?
            .entries_by_player(place, players, caller)
            .await
    }

    async fn sample(&self, place: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        self.asked().await?.sample(place, fractions).await
    }

    async fn positions(&self, place: &PeriodRef<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError> {
        self.asked().await?.positions(place, tuples).await
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        self.names_asked.set(self.names_asked.get() + 1);
        self.asked()
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
        let model = self.asked().await?;
        model.list_periods(tenant, leaderboard, before, limit, now).await
    }

    async fn remove(
        &self,
        place: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        let done = self.up()?.remove(place, player, at).await?;
        Ok(self.answered(done)?)
    }
}

impl Bans for Store {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        if self.bans_fail.get() {
            return Err(StoreError::Unavailable("connection reset by 10.0.0.7".into()));
        }
        let done = self.up()?.ban(tenant, ban).await?;
        self.answered(done)
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        self.up()?.unban(tenant, player, at).await
    }

    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError> {
        self.up()?.find_ban(tenant, player, now).await
    }

    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError> {
        self.up()?.list_bans(tenant, after, limit, now).await
    }
}

impl Events for Store {
    async fn read(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let events = self.up()?.read(tenant, leaderboard, after, limit).await?;
        self.events_read.set(self.events_read.get() + events.len() as u64);
        Ok(events)
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
        self.answered(done)
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
        self.answered(done)
    }

    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        self.sweeps.set(self.sweeps.get() + 1);
        self.up()?.sweep(tenant).await?;
        let left = self.sweeps_left.get();
        self.sweeps_left.set(left.saturating_sub(1));
        Ok(left > 0)
    }
}

impl DeadLetters for Store {
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        self.letter_pushes.set(self.letter_pushes.get() + 1);
        self.has_room()?.push_dead_letters(tenant, letters).await
    }

    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.up()?.list_dead_letters(tenant, before, limit).await
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        self.up()?.read_dead_letter(id).await
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        self.up()?.delete_dead_letter(id).await
    }
}

impl Documents for Store {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        self.document_reads.set(self.document_reads.get() + 1);
        self.hang().await?;
        let found = self.up()?.read_documents(names).await;
        if self.documents_take_time.get() {
            turn().await;
        }
        found
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        self.overtake(name, body).await?;
        let model = self.writes()?;
        let there = model.read_documents(std::slice::from_ref(name)).await?;
        if there[0]
            .as_ref()
            .is_none_or(|there| there.value.len() < body.len())
        {
            self.has_room()?;
        }
        model.put_document(name, body, expected).await
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        self.overtake(name, b"").await?;
        self.writes()?.delete_document(name, expected).await
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        let found = self.up()?.list_documents(tenant, kind, after, limit).await;
        if self.documents_take_time.get() {
            turn().await;
        }
        found
    }
}
