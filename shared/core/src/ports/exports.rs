//! What an export reads of a leaderboard, as it is stored.

use super::{Claim, Freeze, PeriodRef, ReadError};
use crate::{Entry, Layout, LeaderboardId, OrderKey, Period, PlayerId, StoreError, TenantId, Timestamp};

/// The most entries or claims that one call of [`Exports`] returns. A store can return more claims if it keeps few in one value.
pub const MAX_ROWS_EXPORTED: u32 = 100;

/// A period as it is stored, without its entries and claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPeriod {
    /// The period, with the bounds that it was created with.
    pub period: Period,
    /// When it expires; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// The order of its entries.
    pub layout: Layout,
    /// The position of the last event that changed an entry.
    pub version: u64,
    /// The number of its entries, those of banned players included.
    pub entries: u64,
    /// When and with what the standings became final; `None` if they are not final.
    pub freeze: Option<Freeze>,
    /// How often late scores reopened the standings.
    pub reopened: u64,
}

/// What a leaderboard has at an index of its list of periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedPeriod {
    /// A period, which can have expired.
    Stored(Box<StoredPeriod>),
    /// The store has deleted the period, which had expired.
    Gone,
    /// The list has ended before this index.
    End,
}

/// Some claims of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimPage {
    /// The claims with their players.
    pub claims: Vec<(PlayerId, Claim)>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Vec<u8>>,
}

/// Reads a leaderboard as it is stored, in parts. A reader of all parts compares the position of the newest event before and after,
/// because the calls do not see one moment together.
pub trait Exports {
    /// Returns the period at an index of a leaderboard's list, in the order of the starts. The list is that of
    /// [`super::Scores::list_periods`], with periods that have no entries.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_stored_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        index: u64,
    ) -> Result<ListedPeriod, StoreError>;

    /// Returns up to [`MAX_ROWS_EXPORTED`] visible entries of a period, or those of banned players, in their order, after a key.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn list_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        is_banned: bool,
        after: Option<&OrderKey>,
    ) -> Result<Vec<Entry>, ReadError>;

    /// Returns some claims of a period; the first page has an empty `from`. All pages together have every claim, and can have one
    /// twice.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn list_claims(&self, period_ref: &PeriodRef<'_>, from: &[u8]) -> Result<ClaimPage, ReadError>;
}
