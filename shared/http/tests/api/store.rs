//! The in-memory model of the domain as a store of record: with dead letters, and with a switch to go away.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use leaderboard_core::access::Caller;
use leaderboard_core::model::Model;
use leaderboard_core::ports::{
    Announcements, AuditLog, AuditRecord, Cache, Change, Counters, DayUsage, DeadLetter, DeadLetters,
    DocumentKind, DocumentName, Documents, Events, Expected, Holdings, Leaderboards, Metered, Metering, Page,
    PageFrom, PeriodSummary, Place, Positions, PutLeaderboard, PutRefusal, RateLimits, ReadError, Readiness,
    RecordedAudit, Sample, Scores, Standings, SubmitTerms, Submitted, VersionMismatch,
};
use leaderboard_core::{
    Attempt, Leaderboard, LeaderboardId, PlayerId, RecordedEvent, StoreError, TenantId, Timestamp, Versioned,
};

#[derive(Default)]
pub(crate) struct Store {
    model: Model,
    letters: RefCell<Vec<DeadLetter>>,
    pub(crate) down: Cell<bool>,
    /// How often documents were asked for.
    pub(crate) document_reads: Cell<u32>,
    /// Whether others get on between a read of documents and its answer.
    pub(crate) documents_take_time: Cell<bool>,
    /// How many reports of what was let through came.
    pub(crate) reports: Cell<u32>,
    pub(crate) log_is_closed: Cell<bool>,
    /// So many documents are still written before the store goes away.
    pub(crate) writes_left: Cell<Option<u32>>,
    /// How often ranks were asked for.
    pub(crate) reads: Cell<u32>,
    /// How often a configuration was asked for.
    pub(crate) board_reads: Cell<u32>,
    /// Whether changes are made and their answers get lost.
    pub(crate) answers_get_lost: Cell<bool>,
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

    /// A question about ranks; others get on meanwhile.
    async fn asked(&self) -> Result<&Model, StoreError> {
        self.reads.set(self.reads.get() + 1);
        turn().await;
        self.up()
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

impl Scores for Store {
    async fn submit_on(
        &self,
        tenant: &TenantId,
        attempts: &[Attempt],
        terms: &SubmitTerms,
    ) -> Result<Submitted, StoreError> {
        let done = self.up()?.submit_on(tenant, attempts, terms).await?;
        self.answered(done)
    }

    async fn page(&self, place: &Place<'_>, from: &PageFrom, limit: u32) -> Result<Page, ReadError> {
        self.asked().await?.page(place, from, limit).await
    }

    async fn around(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        self.asked().await?.around(place, player, limit, caller).await
    }

    async fn standings(
        &self,
        place: &Place<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<Standings, ReadError> {
        self.asked().await?.standings(place, players, caller).await
    }

    async fn sample(&self, place: &Place<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        self.asked().await?.sample(place, fractions).await
    }

    async fn positions(&self, place: &Place<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError> {
        self.asked().await?.positions(place, tuples).await
    }

    async fn periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        now: Timestamp,
    ) -> Result<Vec<PeriodSummary>, StoreError> {
        self.up()?.periods(tenant, leaderboard, now).await
    }

    async fn remove(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        let done = self.up()?.remove(place, player, at).await?;
        Ok(self.answered(done)?)
    }

    async fn hide(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        self.up()?.hide(tenant, player, at).await?;
        self.answered(())
    }

    async fn restore(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        self.up()?.restore(tenant, player, at).await
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
        self.up()?.read(tenant, leaderboard, after, limit).await
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
        self.up()?.get(tenant, id).await
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        let done = self.up()?.put(put).await?;
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
        self.answered(done)
    }
}

impl DeadLetters for Store {
    async fn bury(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.up()?;
        let mut letters = self.letters.borrow_mut();
        let known = letters
            .iter()
            .any(|old| old.payload == letter.payload && old.reason == letter.reason);
        if !known {
            letters.push(letter.clone());
        }
        Ok(())
    }

    async fn letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        self.up()?;
        let letters = self.letters.borrow();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(letters.iter().rev().take(limit).cloned().collect())
    }
}

impl Documents for Store {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        self.document_reads.set(self.document_reads.get() + 1);
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
        self.writes()?.put_document(name, body, expected).await
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
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

impl RateLimits for Store {
    async fn take(&self, tenant: &TenantId, metering: &Metering) -> Result<Metered, StoreError> {
        self.up()?.take(tenant, metering).await
    }

    async fn report(&self, tenant: &TenantId, metering: &Metering) -> Result<Metered, StoreError> {
        self.reports.set(self.reports.get() + 1);
        self.up()?.report(tenant, metering).await
    }

    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, Holdings), StoreError> {
        self.up()?.usage(tenant, days).await
    }
}

impl Counters for Store {
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        self.up()?.add(counts).await
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        self.up()?.counters().await
    }
}

impl AuditLog for Store {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        if self.log_is_closed.get() {
            return Err(StoreError::Unavailable("the log is closed".into()));
        }
        self.up()?.append_audit(record).await
    }

    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        self.up()?.read_audit(tenant, before, limit).await
    }
}

impl Announcements for Store {
    async fn announce(&self, channel: &str, tenant: &TenantId, change: Change<'_>) -> Result<(), StoreError> {
        self.up()?.announce(channel, tenant, change).await
    }
}

impl Readiness for Store {
    async fn ready(&self) -> Result<(), StoreError> {
        self.up().map(|_| ())
    }
}

/// A region's cache in memory, with a switch to fail.
#[derive(Default)]
pub(crate) struct Region {
    pub(crate) kept: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) down: Cell<bool>,
    /// How often something was put that is about views.
    pub(crate) puts: Cell<u32>,
}

impl Region {
    fn up(&self) -> Result<&RefCell<BTreeMap<String, Vec<u8>>>, StoreError> {
        if self.down.get() {
            Err(StoreError::Unavailable("the disk is full".into()))
        } else {
            Ok(&self.kept)
        }
    }
}

impl Cache for Region {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.up()?.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        if ["view:", "lease:", "changed:", "void:"]
            .iter()
            .any(|kind| key.starts_with(kind))
        {
            self.puts.set(self.puts.get() + 1);
        }
        self.up()?.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.up()?.borrow_mut().remove(key);
        Ok(())
    }
}

/// Lets other tasks go on.
pub(crate) async fn turn() {
    let mut polled = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            std::task::Poll::Ready(())
        } else {
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        }
    })
    .await;
}
