//! Entries, their order, and the log behind them.

use std::rc::Rc;

use super::{
    ChargeRequest, Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Positions,
    RateLimitDecision, ReadError, Sample,
};
use crate::access::Caller;
use crate::{
    LeaderboardId, Outcome, PeriodId, PlayerId, PreparedSubmission, RecordedEvent, Refusal, StoreError,
    TenantId, Timestamp,
};

/// How long an idempotency record is kept, in milliseconds: 24 hours.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1000;
/// The most periods that one call lists.
pub const MAX_PERIODS_LISTED: u32 = 200;
/// The most periods without entries that one call skips, in addition to those that it lists.
pub const MAX_PERIODS_SKIPPED: u32 = 100;
/// When a log has too many, too old or too heavy events, a write removes at least this many of them, and two more for each
/// event that it appends. So a log shrinks over several writes, and no write takes long.
pub const MIN_TRIMMED_EVENTS: u64 = 16;

/// Whether outcomes contain ranks. An import omits them, which is faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankDetail {
    /// The rank after the submission and the rank before it.
    Full,
    /// No ranks.
    Omitted,
}

/// Limits and extras of one call of [`Scores::submit_with_options`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitOptions {
    /// Whether outcomes contain ranks.
    pub ranks: RankDetail,
    /// What the call is charged; either all of it or nothing.
    pub charge_request: ChargeRequest,
    /// The most entries that the tenant may hold in all its leaderboards and periods. A submission that would exceed this number
    /// is refused with [`crate::RefusalReason::TenantFull`].
    pub max_tenant_entries: Option<u64>,
    /// The most bytes that the tenant's logs and idempotency records may weigh. Above this, the store removes the oldest events
    /// of the leaderboards that the call writes to. A submission whose idempotency records do not fit is refused with
    /// [`crate::RefusalReason::LogFull`].
    pub max_log_bytes: Option<u64>,
    /// The channel for announcements of changed leaderboards ([`super::Announcements`]); `None` announces nothing.
    pub announce_on: Option<Rc<str>>,
    /// When the submissions were received, if that was earlier than now (a replayed message). A submission without `occurred_at`
    /// happened at this instant.
    pub received_at: Option<Timestamp>,
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
            received_at: None,
        }
    }
}

/// The outcomes of one submission in the order of its leaderboards, or the refusal.
pub type SubmissionResult = Result<Vec<Outcome>, Refusal>;

/// The result of a call of [`Scores::submit_with_options`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The rate limits after the call. If they refused the call, no submission was applied.
    pub rate_limit_decision: RateLimitDecision,
    /// One result for each submission; empty if the rate limits refused the call.
    pub answers: Vec<SubmissionResult>,
}

/// Entries, their order, and the log behind them.
pub trait Scores {
    /// Applies submissions in their order, each atomically over its targets: all targets are applied or none.
    ///
    /// If a target has an idempotency record ([`PreparedSubmission::record_name`]) with the same fingerprint, the store returns
    /// the recorded outcome, marked as a replay, and changes nothing. Each other accepted target appends one event, even if the
    /// entry stays as it is; the event of such a target has no metadata.
    ///
    /// The rank in an outcome is the rank at the version in that outcome, without later submissions of the same call. The rank of
    /// a banned player is computed as if this player alone were unbanned.
    ///
    /// The store checks all targets before the first write, in this order: version of the configuration, idempotency record,
    /// layout of the period ([`crate::RefusalReason::PeriodReordered`]), rebuild of the period
    /// ([`crate::RefusalReason::Rebuilding`]), [`crate::Decision::from_change`], the tenant's entry quota, the tenant's log quota.
    ///
    /// # Errors
    /// [`StoreError`] if it is unknown whether the submissions were applied. The call can be repeated safely with the same ids.
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

    /// As [`Scores::submit`], with limits and announcements. Rate limits and usage are charged in the same command, before any
    /// submission is applied. A failed announcement changes no result.
    ///
    /// A call that is too large for one command is charged with its first command.
    ///
    /// # Errors
    /// As for [`Scores::submit`].
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError>;

    /// Returns a page of the visible entries, with one command; `limit` is 1 to 1,000. If a key does not fit the period's layout,
    /// the entries are arbitrary: the caller compares [`Page::layout`] with the layout of its key.
    ///
    /// To a banned player who asks with an own token, this and every other read with a caller shows the list as if the player
    /// were not banned: with the player's entry, the ranks that follow from it, and one more in the count.
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

    /// Returns a window of `limit` entries with the player's entry in the middle, with one command. At the ends of the list the
    /// window shifts and keeps its size. With an even limit, one more entry is above the player than below.
    ///
    /// Returns `None` if the player has no entry, or is banned and invisible to `caller`. A server sees the list as if this
    /// player were not banned.
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

    /// Returns the entries of up to 200 players that `caller` sees, with one command. To a server, the rank of a banned player is
    /// computed as if this player alone were unbanned.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn entries_by_player(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError>;

    /// Returns the values of the visible entries at these fractions of the order, in thousandths: 0 is the best entry, 1000 is
    /// the worst, and others are the entry at index `(count - 1) * fraction / 1000`, rounded down.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn sample(&self, period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError>;

    /// Returns the positions that tuples would have. Each tuple is the beginning of an order key of the period's layout: one or
    /// more whole columns ([`crate::Layout::tuple`]). With fewer columns than the layout has, only those columns are compared.
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

    /// Returns up to `limit` periods (at most [`MAX_PERIODS_LISTED`]) that have entries, have not expired at `now` and start
    /// before `before` (if given), newest first.
    ///
    /// The call is one command that looks at no more than [`MAX_PERIODS_SKIPPED`] periods in addition to `limit`. So it can
    /// return fewer than `limit` although the list continues ([`PeriodPage::before`]).
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

    /// Removes a player's entry with its count of attempts, and appends the event. Returns the period's new version, or `None`
    /// if there was no entry.
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

/// The log of a leaderboard. Each write that appends an event also removes the oldest events that
/// [`crate::LogPolicy`] does not keep. The last event always stays.
pub trait Events {
    /// Returns up to `limit` events after a position, in order. If the events right after the position were removed, the first
    /// returned event has a later position. Deleting a leaderboard deletes its log.
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
