//! What the domain needs of a store, in the domain's words. Adapters live in crates of their own; one
//! contract suite holds them all to what is promised here.
//!
//! The futures carry no `Send` bound: a component runs on one thread.
#![expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]

mod audit;
mod bans;
mod dead_letters;
mod documents;
mod leaderboards;
mod rate_limits;
mod readiness;

use std::rc::Rc;

pub use audit::{
    AuditKind, AuditLog, AuditRecord, MAX_AUDIT_ACTIONS, MAX_AUDIT_AUTHENTICATIONS, RecordedAudit,
};
pub use bans::{Ban, Bans, MAX_BAN_REASON_BYTES, MAX_BANS, TooManyBans};
pub use dead_letters::{
    DeadLetter, DeadLetters, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, StoredDeadLetter,
};
pub use documents::{DocumentKind, DocumentName, Documents, MAX_DOCUMENT_ID_BYTES};
pub use leaderboards::{
    Expected, Leaderboards, MAX_CONFIGURATIONS_READ, PutLeaderboard, PutRefusal, VersionMismatch,
};
pub use rate_limits::{
    Charge, ChargeRequest, Counters, DayUsage, EntryQuota, MAX_BUCKET_BYTES, MAX_CHARGES, MAX_DEBT_US,
    MAX_OVERDRAFT_BURSTS, Overdraft, RateLimitDecision, RateLimits, USAGE_DAYS, Usage,
};
pub use readiness::{Readiness, SettingCheck};

use crate::access::Caller;
use crate::{
    Layout, Leaderboard, LeaderboardId, OrderKey, Outcome, Period, PeriodId, PlayerId, PreparedSubmission,
    RankedEntry, RecordedEvent, Refusal, StoreError, TenantId, Timestamp, Values, Versioned,
};

/// How long an `id` makes a submission count once, in milliseconds: 24 hours.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1000;
/// The most entries of the current period that a change of order rebuilds: no score is taken meanwhile, and a larger
/// rebuild would take many seconds.
pub const MAX_REBUILD_ENTRIES: u64 = 100_000;
/// The most entries that one call of a rebuild puts into the new order: the store does nothing else meanwhile.
pub const REBUILD_STEP_ENTRIES: u64 = 1_000;
/// How long after a step of a rebuild scores are refused, in milliseconds, when nobody goes on with it.
pub const REBUILD_LEASE_MS: i64 = 2_000;
/// The most rows that one step of a sweep deletes, in a store of rows.
pub const SWEEP_STEP_ROWS: u64 = 1_000;
/// The most periods that one call deletes, in a store where deleting a period takes the same time whatever is in it.
pub const SWEEP_STEP_PERIODS: u64 = 200;
/// The most periods that one call lists.
pub const MAX_PERIODS_LISTED: u32 = 200;
/// How many periods without entries a call passes over, beside those it lists.
pub const MAX_PERIODS_SKIPPED: u32 = 100;
/// How many events that are too many, too old or too heavy a write removes at least, beside two for each that it adds:
/// a log that has to shrink does so with the writes to come.
pub const MIN_TRIMMED_EVENTS: u64 = 16;

/// One period of one leaderboard, and the configuration the caller knows it by.
#[derive(Debug, Clone)]
pub struct PeriodRef<'a> {
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// The configuration; the store refuses to answer for another version than the current one.
    pub board: &'a Rc<Versioned<Leaderboard>>,
    /// Which period.
    pub period: &'a PeriodId,
    /// The instant of the call: bans that are over by then have ended.
    pub now: Timestamp,
}

/// Why a read gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The configuration in [`PeriodRef::board`] is no longer the current one (or the leaderboard is gone).
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

/// On which options submissions are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitOptions {
    /// Whether outcomes have ranks.
    pub ranks: RankDetail,
    /// What the call is charged with; all of it or none.
    pub charge_request: ChargeRequest,
    /// The most entries that the tenant may hold in all its leaderboards and periods; a submission that would make
    /// one more is refused with [`crate::RefusalReason::TenantFull`].
    pub max_tenant_entries: Option<u64>,
    /// What the tenant's logs and idempotency records may weigh, in bytes. Where they weigh more, the oldest events of
    /// the leaderboards that are written to go; a submission whose idempotency records have no room is refused with
    /// [`crate::RefusalReason::LogFull`].
    pub max_log_bytes: Option<u64>,
    /// The channel on which changed leaderboards are announced ([`Announcements`]); `None`: nowhere.
    pub announce_on: Option<Rc<str>>,
    /// When the submissions came in, where that was before now, as for a message that is replayed: one without `occurred_at`
    /// happened then.
    pub received_at: Option<Timestamp>,
}

impl SubmitOptions {
    /// No limits, no announcements.
    #[must_use]
    pub fn new(ranks: RankDetail) -> Self {
        Self {
            ranks,
            charge_request: ChargeRequest::default(),
            max_tenant_entries: None,
            max_log_bytes: None,
            announce_on: None,
            received_at: None,
        }
    }
}

/// What became of a call of [`Scores::submit_with_options`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The limits after the call. When it was refused, nothing was settled.
    pub rate_limit_decision: RateLimitDecision,
    /// One answer for each submission; empty when the call was refused.
    pub answers: Vec<Result<Vec<Outcome>, Refusal>>,
}

/// How long a leaderboard that was announced is not announced again, in milliseconds. Whoever hears of a change takes
/// it that the leaderboard goes on changing for this long.
pub const ANNOUNCEMENT_WINDOW_MS: u32 = 25;

/// The counter of announcements that the store refused to publish, e.g. because its user has no permission on the channel.
pub const ANNOUNCEMENTS_FAILED: &str = "edgeboard_announcements_failed_total";
/// The counter that holds when that happened last, in seconds since the epoch.
pub const ANNOUNCEMENT_FAILED_AT: &str = "edgeboard_announcement_failed_timestamp_seconds";

/// What changed otherwise than by a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnouncedChange<'a> {
    /// A leaderboard: by a removal, or its configuration. What was shown before may not be shown any more.
    Leaderboard(&'a LeaderboardId),
    /// All leaderboards of the tenant, likewise: by a ban.
    Leaderboards,
    /// The tenant's documents. What is shown of its leaderboards stays as it is.
    Documents,
}

/// Tells other regions what changed. The message of a submission is `{"tenant":"…","leaderboards":["…"]}` on the
/// channel; those of [`AnnouncedChange`] have `"void":true` or `"documents":true` beside it, and no leaderboards where all are meant.
/// A message can be lost, and what it speeds up must come right without it. An announcement that the store refuses fails no write:
/// the store counts it under [`ANNOUNCEMENTS_FAILED`].
pub trait Announcements {
    /// Announces a change, and says whether the store took the announcement. Does nothing where there is no channel (an embedded
    /// store has no other regions): then there is nothing to refuse.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn announce(
        &self,
        channel: &str,
        tenant: &TenantId,
        change: AnnouncedChange<'_>,
    ) -> Result<bool, StoreError>;
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
pub struct PlayerEntries {
    /// As in [`Page::layout`].
    pub layout: Option<Layout>,
    /// As in [`Page::version`].
    pub version: u64,
    /// As in [`Page::count`], and one more when a server asks for one hidden player alone.
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

/// Some of the periods that have entries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodPage {
    /// The periods.
    pub periods: Vec<PeriodSummary>,
    /// The start before which the list goes on; `None`: it does not. What follows may turn out to be empty.
    pub before: Option<Timestamp>,
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
    /// Settles submissions in their order, each atomically over its targets: all are applied or none. For a
    /// target whose `id` is known in its scope ([`PreparedSubmission::record_name`]) with the same fingerprint the first outcome
    /// comes back, marked as a replay, and nothing changes. Each accepted target appends one event, also one that keeps the
    /// entry; that one goes without its metadata.
    ///
    /// The rank in an outcome holds at the version in that outcome: later submissions of the same call do not
    /// show in it. The rank of a hidden player is the one they would have if only they were shown again.
    ///
    /// Checks come in this order, over all targets before the first write: configuration version, id,
    /// layout of the period ([`crate::RefusalReason::PeriodReordered`]), whether it is being rebuilt
    /// ([`crate::RefusalReason::Rebuilding`]), then [`crate::Decision::from_change`]; and last the tenant's quotas, of entries
    /// and then of its log.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is known of the call's fate; a repeat with the same ids is safe.
    async fn submit(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        ranks: RankDetail,
    ) -> Result<Vec<Result<Vec<Outcome>, Refusal>>, StoreError> {
        let options = SubmitOptions::new(ranks);
        Ok(self
            .submit_with_options(tenant, submissions, &options)
            .await?
            .answers)
    }

    /// As [`Scores::submit`], on options: rate limits and usage are charged in the same command, before anything is
    /// settled; the tenant's quota of entries holds; a leaderboard whose entries changed is announced. An announcement
    /// that fails leaves the answers as they are.
    ///
    /// A call too large for one command is charged with its first.
    ///
    /// # Errors
    /// As for [`Scores::submit`].
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError>;

    /// A page of the visible entries; `limit` is 1 to 1,000. One command. A key that is not one of the period's
    /// layout gives no error and no promise about the entries: [`Page::layout`] tells, and the caller compares.
    ///
    /// A player who is hidden and asks with an own token gets the list, here and in every read below that takes the
    /// caller, as if this player were shown: with the own entry, the ranks that follow from it, and one more in the count.
    ///
    /// # Errors
    /// [`ReadError`], as for every read below.
    async fn page(
        &self,
        place: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError>;

    /// A window of `limit` entries with the player's in the middle; at either end it shifts instead of
    /// shrinking. With an even limit the larger half is above. `None` when the player has no entry, or is
    /// hidden and `caller` does not see it; a server sees the list as if this player were shown.
    /// One command.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn around(
        &self,
        place: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError>;

    /// These players' entries (up to 200), those that `caller` sees. To a server, a hidden player's rank is the one they
    /// would have if only they were shown again. One command.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn entries_by_player(
        &self,
        place: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError>;

    /// The values of the visible entries at these fractions of the order, in thousandths: 0 is the best
    /// entry, 1000 the worst, and between them the entry at index `(count - 1) * fraction / 1000`, rounded
    /// down.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn sample(&self, place: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError>;

    /// Where tuples would stand. Each is a prefix of an order key of the period's layout, one or more whole
    /// columns ([`Layout::tuple`]); a prefix of fewer columns than the layout has compares by those alone.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn positions(&self, place: &PeriodRef<'_>, tuples: &[Vec<u8>]) -> Result<Positions, ReadError>;

    /// The period of that id, if it has entries and has not expired at `now`. One command of constant cost.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError>;

    /// Up to `limit` periods (at most [`MAX_PERIODS_LISTED`]) that have entries and have not expired at `now`, newest
    /// first: those that start before `before`, or all. One command, which looks at no more than
    /// [`MAX_PERIODS_SKIPPED`] periods beyond `limit`; it may give fewer although [`PeriodPage::before`] goes on.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError>;

    /// All that [`Scores::list_periods`] lists, page by page.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        now: Timestamp,
    ) -> Result<Vec<PeriodSummary>, StoreError> {
        let mut listed = Vec::new();
        let mut before = None;
        loop {
            let page = self
                .list_periods(tenant, leaderboard, before, MAX_PERIODS_LISTED, now)
                .await?;
            listed.extend(page.periods);
            if page.before.is_none() {
                return Ok(listed);
            }
            before = page.before;
        }
    }

    /// Removes a player's entry, with its submissions, and appends the event. The period's version after it;
    /// `None` when there was no entry.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn remove(
        &self,
        place: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError>;
}

/// The log of a leaderboard. What appends to it trims it as well, from its beginning, to what [`crate::LogPolicy`] keeps;
/// the event that was appended last stays.
pub trait Events {
    /// Up to `limit` events after a position, in order: the first one has another position than the next when the
    /// log no longer reaches back. Deleting a leaderboard deletes its log.
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
