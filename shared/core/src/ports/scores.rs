//! The entries of a leaderboard, their order, and the log.

use std::rc::Rc;

use super::{
    ChargeRequest, Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Positions,
    RateLimitDecision, ReadError, Sample,
};
use crate::access::Caller;
use crate::codec::decode_logged_event;
use crate::{
    LeaderboardId, LogPolicy, LoggedEvent, Outcome, PeriodId, PlayerId, PreparedSubmission, Refusal,
    StoreError, TenantId, Timestamp,
};

/// How long an idempotency record is kept, in milliseconds: 24 hours.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1000;
/// The most periods that one call lists.
pub const MAX_PERIODS_LISTED: u32 = 200;
/// The most periods without entries that one call skips, in addition to those that it lists.
pub const MAX_PERIODS_SKIPPED: u32 = 100;
/// If a log has too many, too old or too heavy events, a write removes at least this many of them, and two more for each event
/// that it appends. So a log shrinks over several writes, and each write is short.
pub const MIN_TRIMMED_EVENTS: u64 = 16;

/// Whether outcomes contain ranks. An import omits them, which is faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankDetail {
    /// The rank after the submission and the rank before it.
    Full,
    /// No ranks.
    Omitted,
}

/// Limits and options of one call of [`Scores::submit_with_options`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitOptions {
    /// Whether outcomes contain ranks.
    pub ranks: RankDetail,
    /// The charge of the call; the store makes all of it or nothing.
    pub charge_request: ChargeRequest,
    /// The most entries that the tenant may hold in all its leaderboards and periods. A submission that would exceed this number
    /// is refused with [`crate::RefusalReason::TenantFull`].
    pub max_tenant_entries: Option<u64>,
    /// The most bytes that the tenant's logs and idempotency records may weigh. If they weigh more, the store removes the oldest
    /// events of the leaderboards that the call writes to. A submission whose idempotency records do not fit is refused with
    /// [`crate::RefusalReason::LogFull`].
    pub max_log_bytes: Option<u64>,
    /// The channel for announcements of changed leaderboards ([`super::Announcements`]); `None` announces nothing.
    pub announce_on: Option<Rc<str>>,
}

impl SubmitOptions {
    /// Creates options without limits and announcements.
    #[must_use]
    pub fn new(ranks: RankDetail) -> Self {
        Self {
            ranks,
            charge_request: ChargeRequest::default(),
            max_tenant_entries: None,
            max_log_bytes: None,
            announce_on: None,
        }
    }
}

/// The outcomes of one submission in the order of its leaderboards, or the refusal.
pub type SubmissionResult = Result<Vec<Outcome>, Refusal>;

/// The result of one call of [`Scores::submit_with_options`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The rate limits after the call. If they refused the call, no submission was applied.
    pub rate_limit_decision: RateLimitDecision,
    /// One result for each submission; empty if the rate limits refused the call.
    pub answers: Vec<SubmissionResult>,
}

/// The entries of a leaderboard, their order, and the log.
pub trait Scores {
    /// Applies submissions, those of each player and of each idempotency record in their order, each atomically: either to all of its
    /// targets or to none. If a quota has room for some of them, it can be a later one of another player that is accepted.
    ///
    /// If a target has an idempotency record ([`PreparedSubmission::record_name`]) with the same fingerprint, the store returns
    /// the recorded outcome, marked as a replay, and changes nothing. Each other accepted target appends one event. If the
    /// submission did not change the entry, the event has no metadata.
    ///
    /// The rank in an outcome is the rank at the version in that outcome: later submissions of the same call do not affect it.
    /// The rank of a banned player is computed as if this player were not banned and all other banned players were.
    ///
    /// The store checks all targets before the first write, in this order: version of the configuration, idempotency record,
    /// layout of the period ([`crate::RefusalReason::PeriodReordered`]), rebuild of the period
    /// ([`crate::RefusalReason::Rebuilding`]), final standings ([`crate::RefusalReason::StandingsFinal`]),
    /// [`crate::Decision::from_change`], the tenant's entry quota, the tenant's log quota.
    ///
    /// # Errors
    /// [`StoreError`] if it is unknown which of the submissions were applied. The call can be repeated safely with the same ids.
    async fn submit(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        ranks: RankDetail,
    ) -> Result<Vec<SubmissionResult>, StoreError> {
        let options = SubmitOptions::new(ranks);
        let submitted = self.submit_with_options(tenant, submissions, &options).await?;
        Ok(submitted.answers)
    }

    /// Does the same as [`Scores::submit`], with limits and announcements. The same command charges rate limits and usage, before
    /// any submission is applied. A failed announcement does not change the result.
    ///
    /// The first command charges a call that is too large for one command.
    ///
    /// # Errors
    /// As for [`Scores::submit`].
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError>;

    /// Returns a page of the visible entries, with one command; `limit` is 1 to 1,000. If a key does not have the period's
    /// layout, the entries are arbitrary: the caller must compare [`Page::layout`] with the layout of its key.
    ///
    /// If the caller is a banned player with their own token, this and every other read shows the list as if the player were not
    /// banned: the list and the count include the player's entry, and the ranks take it into account.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn page(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError>;

    /// Returns a window of `limit` entries with the player's entry in the middle, with one command. At the ends of the list, the
    /// window shifts and keeps its size. If the limit is even, the window has one more entry above the player than below.
    ///
    /// Returns `None` if the player has no entry, or is banned and `caller` does not see banned players. A server sees the list
    /// as if this player were not banned.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn around(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError>;

    /// Returns the entries of up to 200 players, as far as `caller` sees them, with one command. For a server, the rank of a
    /// banned player is computed as if this player were not banned and all other banned players were.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn entries_by_player(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError>;

    /// Returns the values of the visible entries at these fractions of the order, in thousandths: 0 is the best entry and 1000 is
    /// the worst. Any other fraction is the entry at index `(count - 1) * fraction / 1000`, rounded down.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn sample(&self, period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError>;

    /// Returns the positions that entries with these tuples would have. Each tuple is the beginning of an order key of the
    /// period's layout: one or more whole columns ([`crate::Layout::tuple`]). If a tuple has fewer columns than the layout, only
    /// those columns are compared.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn positions(&self, period_ref: &PeriodRef<'_>, tuples: &[Vec<u8>])
    -> Result<Positions, ReadError>;

    /// Returns the period with this id, if it has entries and has not expired at `now`. The call is one command of constant cost.
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

    /// Returns up to `limit` periods (at most [`MAX_PERIODS_LISTED`]), newest first, that have entries, have not expired at
    /// `now`, and start before `before` (if given).
    ///
    /// The call is one command that reads at most `limit` + [`MAX_PERIODS_SKIPPED`] periods. So the result can have fewer than
    /// `limit` periods although the list continues ([`PeriodPage::before`]).
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

    /// Returns all pages of [`Scores::list_periods`] in one list.
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

    /// Removes a player's entry and its number of attempts, and appends the event. Returns the period's new version, or `None` if
    /// there was no entry.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn remove(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError>;
}

/// An event of a log, in the bytes in which the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedEvent {
    /// As in [`crate::RecordedEvent::position`].
    pub position: u64,
    /// The bytes ([`crate::codec::encode_event`], or an older or newer format).
    pub bytes: Vec<u8>,
}

impl EncodedEvent {
    /// Decodes the event.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for bytes that no version of the code has written.
    pub fn decode(&self) -> Result<LoggedEvent, StoreError> {
        let decoded = decode_logged_event(self.position, &self.bytes);
        decoded.map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

/// The oldest and the newest event of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogBounds {
    /// The oldest event.
    pub first: LoggedEvent,
    /// The newest event.
    pub last: LoggedEvent,
}

impl LogBounds {
    /// Returns when the oldest event becomes too old to be kept; `None` if its instant is unknown.
    #[must_use]
    pub fn retained_until(&self, policy: &LogPolicy) -> Option<Timestamp> {
        let oldest_at = self.first.recorded_at()?;
        Some(oldest_at.saturating_add_ms(policy.keep_ms()))
    }
}

/// The log of a leaderboard. Each write that appends an event also removes the oldest events that
/// [`crate::LogPolicy`] does not keep. The last event always stays.
pub trait Events {
    /// Returns up to `limit` events after a position, in order. If the events right after the position were removed, the first
    /// returned event has a later position. Deleting a leaderboard deletes its log.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_encoded(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EncodedEvent>, StoreError>;

    /// Does the same as [`Events::read_encoded`], and decodes the events.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let read = self.read_encoded(tenant, leaderboard, after, limit).await?;
        read.iter().map(EncodedEvent::decode).collect()
    }

    /// Returns the bounds of a log; `None` if there is no such leaderboard.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_log_bounds(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Option<LogBounds>, StoreError>;
}
