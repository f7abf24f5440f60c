//! Fresh stores for tests of the ports, and short methods for common calls.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test stops where it cannot go on"
)]

use std::cell::Cell;
use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, Events, Expected, Leaderboards, Page, PageFrom, PeriodRef, PutLeaderboard, PutRefusal,
    RankDetail, ReadError, ReadSource, Scores,
};
use leaderboard_core::{
    Leaderboard, LoggedEvent, Outcome, PeriodId, PreparedSubmission, RankedEntry, RecordedEvent, Refusal,
    RefusalReason, Submission, SubmissionId, TenantId, Timestamp, Versioned,
};

use crate::backends::{AllPorts, StoreBackend};
use crate::block_on;
use crate::values::{Board, at, player, prepared, submission, submission_id, tenant};

/// A limit that is larger than the number of items that any test puts into one log or list.
pub const ALL: u32 = 1_000_000;

/// Runs a test on a fresh store.
pub fn run_on<B: StoreBackend>(test: impl AsyncFnOnce(StoreFixture<B>)) {
    block_on(async { test(StoreFixture::on(B::new()).await).await });
}

/// A store, a tenant, and a clock that changes only when the test changes it.
#[expect(missing_debug_implementations, reason = "a store has no text form")]
pub struct StoreFixture<B: StoreBackend> {
    /// Where the store keeps its data.
    pub backend: B,
    /// The store.
    pub store: B::Store,
    /// The tenant, `acme`.
    pub tenant: TenantId,
    /// The time of the next call.
    pub now: Cell<Timestamp>,
}

impl<B: StoreBackend> StoreFixture<B> {
    /// Opens a store on a backend.
    pub async fn on(backend: B) -> Self {
        Self {
            store: backend.open().await,
            backend,
            tenant: tenant("acme"),
            now: Cell::new(at(0)),
        }
    }

    /// Returns the time of the next call.
    pub fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Moves the clock forward by `ms` milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.now.set(self.now().saturating_add_ms(ms));
    }

    /// Stores a configuration as the use case does, and returns it with its version.
    pub async fn put(&self, leaderboard: &Leaderboard) -> Board {
        self.try_put(leaderboard, Expected::Any, false).await.unwrap();
        self.read_leaderboard(leaderboard).await
    }

    /// Does the same as [`StoreFixture::put`], and rebuilds the entries if the order changes.
    pub async fn rebuild(&self, leaderboard: &Leaderboard) -> Board {
        self.try_put(leaderboard, Expected::Any, true).await.unwrap();
        self.read_leaderboard(leaderboard).await
    }

    /// Reads the configuration of a leaderboard that exists.
    pub async fn read_leaderboard(&self, leaderboard: &Leaderboard) -> Board {
        Rc::new(self.find_leaderboard(leaderboard).await.expect("a configuration"))
    }

    /// Reads a configuration; `None` when the leaderboard does not exist.
    pub async fn find_leaderboard(&self, leaderboard: &Leaderboard) -> Option<Versioned<Leaderboard>> {
        Leaderboards::get(&self.store, &self.tenant, &leaderboard.id)
            .await
            .unwrap()
    }

    /// Stores a configuration. Returns its version, and whether the leaderboard is new.
    ///
    /// # Errors
    /// The reason when the store refuses the configuration.
    pub async fn try_put(
        &self,
        leaderboard: &Leaderboard,
        expected: Expected,
        rebuild: bool,
    ) -> Result<(u64, bool), PutRefusal> {
        put_leaderboard(
            &self.store,
            &self.tenant,
            leaderboard,
            expected,
            rebuild,
            self.now(),
        )
        .await
    }

    /// Submits one score that happens now, and returns its outcome. Moves the clock by a millisecond.
    pub async fn submit_score(&self, board: &Board, name: &str, value: i64) -> Outcome {
        let outcome = self.submit(&submission(&[board], name, &[value]), &[board]).await;
        outcome.unwrap().remove(0)
    }

    /// Does the same as [`StoreFixture::submit_score`], in a submission with an id.
    ///
    /// # Errors
    /// The reason when the store refuses the submission.
    pub async fn submit_score_with_id(
        &self,
        board: &Board,
        name: &str,
        value: i64,
        id: &str,
    ) -> Result<Outcome, RefusalReason> {
        let submission = Submission {
            id: Some(submission_id(id)),
            ..submission(&[board], name, &[value])
        };
        let outcome = self.submit(&submission, &[board]).await;
        outcome
            .map(|mut all| all.remove(0))
            .map_err(|refusal| refusal.reason)
    }

    /// Sends a submission to these leaderboards. Moves the clock by a millisecond.
    ///
    /// # Errors
    /// The reason when the store refuses the submission.
    pub async fn submit(&self, submission: &Submission, boards: &[&Board]) -> Result<Vec<Outcome>, Refusal> {
        let prepared = prepared(submission, boards, self.now());
        self.advance_ms(1);
        self.submit_prepared(&[prepared]).await.remove(0)
    }

    /// Submits a score that the store refuses, and returns the reason.
    pub async fn refused_score(&self, board: &Board, name: &str, value: i64) -> RefusalReason {
        let refused = self.submit(&submission(&[board], name, &[value]), &[board]).await;
        refused.unwrap_err().reason
    }

    /// Sends prepared submissions in one call.
    pub async fn submit_prepared(
        &self,
        submissions: &[PreparedSubmission],
    ) -> Vec<Result<Vec<Outcome>, Refusal>> {
        self.store
            .submit(&self.tenant, submissions, RankDetail::Full)
            .await
            .unwrap()
    }

    /// Returns the period that contains the current time.
    pub fn current_period(&self, board: &Board) -> PeriodId {
        board.value.schedule.period_at(self.now()).id
    }

    /// Reads a page of the current period, as an anonymous caller.
    pub async fn page(&self, board: &Board, from: &PageFrom, limit: u32) -> Page {
        self.page_of(board, &self.current_period(board), from, limit)
            .await
            .unwrap()
    }

    /// Reads a page of a period, as an anonymous caller.
    ///
    /// # Errors
    /// The error of the store.
    pub async fn page_of(
        &self,
        board: &Board,
        period: &PeriodId,
        from: &PageFrom,
        limit: u32,
    ) -> Result<Page, ReadError> {
        self.store
            .page(&self.period_ref(board, period), from, limit, &Caller::Anonymous)
            .await
    }

    /// Returns a reference to a period, for calls of the ports.
    pub fn period_ref<'a>(&'a self, board: &'a Board, period: &'a PeriodId) -> PeriodRef<'a> {
        PeriodRef {
            tenant: &self.tenant,
            leaderboard: board,
            period,
            now: self.now(),
            source: ReadSource::Primary,
        }
    }

    /// Returns the lines of the first 1000 entries of the current period.
    pub async fn list_entries(&self, board: &Board) -> Vec<RankedLine> {
        ranked_lines(&self.page(board, &PageFrom::Top, 1000).await.entries)
    }

    /// Reads the entries around a player in the current period.
    pub async fn around(&self, board: &Board, name: &str, limit: u32, caller: &Caller) -> Option<Page> {
        let period = self.current_period(board);
        let page = self
            .store
            .around(&self.period_ref(board, &period), &player(name), limit, caller)
            .await;
        page.unwrap()
    }

    /// Returns the rank of a player in the current period, as a server sees it.
    pub async fn find_rank(&self, board: &Board, name: &str) -> Option<u64> {
        let period = self.current_period(board);
        let found = self
            .store
            .entries_by_player(&self.period_ref(board, &period), &[player(name)], &Caller::Server)
            .await;
        found.unwrap().entries.first().map(|ranked| ranked.rank)
    }

    /// Removes a player's entry of the current period. Returns the position of the event, if any.
    pub async fn remove(&self, board: &Board, name: &str) -> Option<u64> {
        let period = self.current_period(board);
        self.store
            .remove(&self.period_ref(board, &period), &player(name), self.now())
            .await
            .unwrap()
    }

    /// Bans a player without an expiry.
    pub async fn ban(&self, name: &str) {
        self.store
            .ban(&self.tenant, &Ban::new(player(name), self.now()))
            .await
            .unwrap()
            .unwrap();
    }

    /// Ends a ban.
    pub async fn unban(&self, name: &str) {
        self.store
            .unban(&self.tenant, &player(name), self.now())
            .await
            .unwrap();
    }

    /// Reads the whole log of a leaderboard.
    pub async fn read_events(&self, board: &Board) -> Vec<RecordedEvent> {
        let logged = Events::read(&self.store, &self.tenant, &board.value.id, 0, ALL).await;
        let known = logged.unwrap().into_iter().map(LoggedEvent::into_known);
        known.collect::<Result<_, _>>().unwrap()
    }
}

/// Stores a configuration as the use case does, with the expiries of the existing periods. Returns its
/// version, and whether the leaderboard is new.
///
/// # Errors
/// The reason when the store refuses the configuration.
pub async fn put_leaderboard<S: AllPorts>(
    store: &S,
    tenant: &TenantId,
    leaderboard: &Leaderboard,
    expected: Expected,
    rebuild: bool,
    now: Timestamp,
) -> Result<(u64, bool), PutRefusal> {
    let periods = store.periods(tenant, &leaderboard.id, now).await.unwrap();
    let expiry = |summary: leaderboard_core::ports::PeriodSummary| {
        let expires_at = leaderboard
            .schedule
            .expires_at(&summary.period, leaderboard.keep_periods);
        (summary.period.id, expires_at)
    };
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant,
        leaderboard,
        expected,
        current: &leaderboard.schedule.period_at(now).id,
        rebuild,
        verified: None,
        expiries: &periods.into_iter().map(expiry).collect::<Vec<_>>(),
        at: now,
    };
    loop {
        match store.put(&put).await.unwrap() {
            Err(PutRefusal::Unfinished) => {}
            decided => return decided,
        }
    }
}

/// A line of a list: rank, player and first value of an entry.
pub type RankedLine = (u64, String, i64);

/// Returns the line of each entry.
#[must_use]
pub fn ranked_lines(entries: &[RankedEntry]) -> Vec<RankedLine> {
    let line = |ranked: &RankedEntry| {
        (
            ranked.rank,
            ranked.entry.player.to_string(),
            ranked.entry.values.first(),
        )
    };
    entries.iter().map(line).collect()
}

/// Returns a line, for comparisons.
#[must_use]
pub fn ranked_line(rank: u64, name: &str, value: i64) -> RankedLine {
    (rank, name.to_owned(), value)
}

/// Returns the submission with an id.
#[must_use]
pub fn with_submission_id(mut prepared: PreparedSubmission, id: &str) -> PreparedSubmission {
    prepared.id = SubmissionId::new(id).ok();
    prepared
}
