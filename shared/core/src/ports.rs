//! What the domain needs of a store, in the domain's words. Adapters live in crates of their own; one
//! contract suite holds them all to what is promised here.
//!
//! The futures carry no `Send` bound: a component runs on one thread.
#![expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]

mod audit;
mod documents;
mod leaderboards;
mod metering;

use std::rc::Rc;

pub use audit::{AuditKind, AuditLog, AuditRecord, MAX_AUDIT_ACTS, MAX_AUDIT_NOTICES, RecordedAudit};
pub use documents::{DocumentKind, DocumentName, Documents, MAX_DOCUMENT_ID_BYTES};
pub use leaderboards::{Expected, Leaderboards, PutLeaderboard, PutRefusal, VersionMismatch};
pub use metering::{
    Charge, Counters, DayUsage, Holdings, MAX_BUCKET_BYTES, MAX_CHARGES, MAX_OVERDRAFT_BURSTS, Metered,
    Metering, RateLimits, USAGE_DAYS, Usage,
};

use crate::access::Caller;
use crate::{
    Attempt, Layout, Leaderboard, LeaderboardId, OrderKey, Outcome, Period, PeriodId, PlayerId, RankedEntry,
    RecordedEvent, Refusal, StoreError, TenantId, Timestamp, Values, Versioned,
};

/// How long an `id` makes a submission count once, in milliseconds: 24 hours.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1000;
/// The most entries of the current period that a change of order rebuilds; a larger one would hold up the
/// store for seconds.
pub const MAX_REBUILD_ENTRIES: u64 = 100_000;
/// How many dead letters are kept; the oldest go first.
pub const MAX_DEAD_LETTERS: u64 = 10_000;

/// One period of one leaderboard, and the configuration the caller knows it by.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// The configuration; the store refuses to answer for another version than the current one.
    pub board: &'a Rc<Versioned<Leaderboard>>,
    /// Which period.
    pub period: &'a PeriodId,
}

/// Why a read gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The configuration in [`Place::board`] is no longer the current one (or the leaderboard is gone).
    StaleConfiguration,
    /// The store could not do its work.
    Store(StoreError),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Whether a submission wants ranks in its outcome. An import does not, and is faster for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankDetail {
    /// Rank now and before.
    Full,
    /// None.
    Omitted,
}

/// On which terms submissions are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitTerms {
    /// Whether outcomes have ranks.
    pub ranks: RankDetail,
    /// What the call is charged with; all of it or none.
    pub metering: Metering,
    /// The most entries that the tenant may hold in all its leaderboards and periods; a submission that would make
    /// one more is refused with [`crate::RefusalReason::TenantFull`].
    pub max_tenant_entries: Option<u64>,
    /// The channel on which changed leaderboards are announced ([`Announcements`]); `None`: nowhere.
    pub announce_on: Option<Rc<str>>,
}

impl SubmitTerms {
    /// No limits, no announcements.
    #[must_use]
    pub fn new(ranks: RankDetail) -> Self {
        Self {
            ranks,
            metering: Metering::default(),
            max_tenant_entries: None,
            announce_on: None,
        }
    }
}

/// What became of a call of [`Scores::submit_on`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The limits after the call. When it was refused, nothing was settled.
    pub metered: Metered,
    /// One answer for each attempt; empty when the call was refused.
    pub answers: Vec<Result<Vec<Outcome>, Refusal>>,
}

/// How long a leaderboard that was announced is not announced again, in milliseconds. Whoever hears of a change takes
/// it that the leaderboard goes on changing for this long.
pub const ANNOUNCEMENT_WINDOW_MS: u32 = 25;

/// What changed otherwise than by a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// A leaderboard: by a removal, or its configuration. What was shown before may not be shown any more.
    Leaderboard(&'a LeaderboardId),
    /// All leaderboards of the tenant, likewise: by a ban.
    Leaderboards,
    /// The tenant's documents. What is shown of its leaderboards stays as it is.
    Documents,
}

/// Tells other regions what changed. The message of a submission is `{"tenant":"…","leaderboards":["…"]}` on the
/// channel; those of [`Change`] have `"void":true` or `"documents":true` beside it, and no leaderboards where all are meant.
/// A message can be lost, and what it speeds up must come right without it.
pub trait Announcements {
    /// Announces a change. Does nothing where there is no channel (an embedded store has no other regions).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn announce(&self, channel: &str, tenant: &TenantId, change: Change<'_>) -> Result<(), StoreError>;
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageFrom {
    /// At rank 1.
    Top,
    /// With the first entry whose key is greater than this one, whether an entry has this key or not.
    After(OrderKey),
    /// So that it ends with the last entry whose key is less than this one. Entries still come best first.
    Before(OrderKey),
}

/// A stretch of the visible entries, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How the period is ordered: an older period keeps the layout it was made with. `None` when it has
    /// never had an entry.
    pub layout: Option<Layout>,
    /// The position of the last event that changed the period's entries; 0 before the first.
    pub version: u64,
    /// How many entries are visible.
    pub count: u64,
    /// The entries.
    pub entries: Vec<RankedEntry>,
    /// Whether visible entries come before the first one here (or before where the page begins).
    pub more_before: bool,
    /// Whether visible entries come after the last one here.
    pub more_after: bool,
}

/// Some players' entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standings {
    /// As in [`Page::layout`].
    pub layout: Option<Layout>,
    /// As in [`Page::version`].
    pub version: u64,
    /// As in [`Page::count`], and one more when the only player asked for is a hidden one that is seen.
    pub count: u64,
    /// Those found, best first.
    pub entries: Vec<RankedEntry>,
}

/// Values at given fractions of a period's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// As in [`Page::layout`].
    pub layout: Option<Layout>,
    /// As in [`Page::version`].
    pub version: u64,
    /// As in [`Page::count`].
    pub count: u64,
    /// One for each fraction asked for, unless there are no entries.
    pub values: Vec<Values>,
}

/// Where tuples would stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// As in [`Page::version`].
    pub version: u64,
    /// As in [`Page::count`].
    pub count: u64,
    /// One for each tuple asked for.
    pub positions: Vec<Position>,
}

/// Where a tuple would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// How many visible entries have a better tuple.
    pub better: u64,
    /// How many visible entries have this very tuple.
    pub equal: u64,
    /// How many different better tuples there are, for [`crate::Ties::Dense`]; otherwise equal to `better`.
    pub better_tuples: u64,
}

/// A period that has entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodSummary {
    /// The period as it was when its first score came in.
    pub period: Period,
    /// How many entries are visible.
    pub count: u64,
    /// As in [`Page::version`].
    pub version: u64,
}

/// Entries, their order and the log behind them.
pub trait Scores {
    /// Settles attempts in their order, each atomically over its targets: all are applied or none. For a
    /// target whose `id` is known with the same fingerprint the first outcome comes back, marked as a
    /// replay, and nothing changes. Each accepted target appends one event, also one that keeps the entry.
    ///
    /// The rank in an outcome holds at the version in that outcome: later attempts of the same call do not
    /// show in it. The rank of a hidden player is the one they would have if only they were shown again.
    ///
    /// Checks come in this order, over all targets before the first write: configuration version, id,
    /// layout of the period ([`crate::RefusalReason::PeriodReordered`]), then [`crate::Decision::settle`].
    ///
    /// # Errors
    /// [`StoreError`] when nothing is known of the call's fate; a repeat with the same ids is safe.
    async fn submit(
        &self,
        tenant: &TenantId,
        attempts: &[Attempt],
        ranks: RankDetail,
    ) -> Result<Vec<Result<Vec<Outcome>, Refusal>>, StoreError> {
        let terms = SubmitTerms::new(ranks);
        Ok(self.submit_on(tenant, attempts, &terms).await?.answers)
    }

    /// As [`Scores::submit`], on terms: rate limits and usage are charged in the same command, before anything is
    /// settled; the tenant's quota of entries holds; a leaderboard whose entries changed is announced.
    ///
    /// A call too large for one command is charged with its first.
    ///
    /// # Errors
    /// As for [`Scores::submit`].
    async fn submit_on(
        &self,
        tenant: &TenantId,
        attempts: &[Attempt],
        terms: &SubmitTerms,
    ) -> Result<Submitted, StoreError>;

    /// A page of the visible entries; `limit` is 1 to 1,000. One command. A key that is not one of the period's
    /// layout gives no error and no promise about the entries: [`Page::layout`] tells, and the caller compares.
    ///
    /// # Errors
    /// [`ReadError`], as for every read below.
    async fn page(&self, place: &Place<'_>, from: &PageFrom, limit: u32) -> Result<Page, ReadError>;

    /// A window of `limit` entries with the player's in the middle; at either end it shifts instead of
    /// shrinking. With an even limit the larger half is above. `None` when the player has no entry, or is
    /// hidden and `caller` does not see it; a caller who does sees the list as if this player were shown.
    /// One command.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn around(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError>;

    /// These players' entries (up to 200), those that `caller` sees. A hidden player's rank is the one they
    /// would have if only they were shown again. One command.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn standings(
        &self,
        place: &Place<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<Standings, ReadError>;

    /// The values of the visible entries at these fractions of the order, in thousandths: 0 is the best
    /// entry, 1000 the worst, and between them the entry at index `(count - 1) * fraction / 1000`, rounded
    /// down.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn sample(&self, place: &Place<'_>, fractions: &[u16]) -> Result<Sample, ReadError>;

    /// Where tuples would stand. Each is a prefix of an order key of the period's layout, one or more whole
    /// columns ([`Layout::tuple`]); a prefix of fewer columns than the layout has compares by those alone.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn positions(&self, place: &Place<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError>;

    /// The periods that have entries and have not expired at `now`, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        now: Timestamp,
    ) -> Result<Vec<PeriodSummary>, StoreError>;

    /// Removes a player's entry, with its attempts, and appends the event. The period's version after it;
    /// `None` when there was no entry.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn remove(
        &self,
        place: &Place<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError>;

    /// Hides a player in every leaderboard and period of the tenant, now and for scores to come. Atomic for
    /// each leaderboard; an event and a new version where the player has entries. Doing it twice is doing
    /// it once; a call that failed half-way is finished by calling again.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn hide(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError>;

    /// The reverse of [`Scores::hide`]: every entry is back at the place its score deserves.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn restore(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError>;
}

/// The log of a leaderboard.
pub trait Events {
    /// Up to `limit` events after a position, in order. Deleting a leaderboard deletes its log.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError>;
}

/// A message that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// When it was given up.
    pub at: Timestamp,
    /// Why, in words.
    pub reason: String,
    /// The message as it came, cut to the limit its producer states.
    pub payload: Vec<u8>,
}

/// Where messages go that could not be applied.
pub trait DeadLetters {
    /// Adds a letter; beyond [`MAX_DEAD_LETTERS`] the oldest goes. The same payload with the same reason
    /// within [`IDEMPOTENCY_MS`] is kept once: every region receives every message.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn bury(&self, letter: &DeadLetter) -> Result<(), StoreError>;

    /// The newest letters first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError>;
}

/// Bytes that may be lost at any time.
pub trait Cache {
    /// The value under a key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a value under a key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Forgets a key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}

/// That a store answers.
pub trait Readiness {
    /// Asks the store for a sign of life.
    ///
    /// # Errors
    /// [`StoreError`] when it gives none.
    async fn ready(&self) -> Result<(), StoreError>;
}
