//! Messages that tell other regions what changed.

use crate::{LeaderboardId, RegionName, StoreError, TenantId, Timestamp};

/// After an announcement for a leaderboard, the store announces no further submission to that leaderboard for this time, in
/// milliseconds. A receiver assumes that the leaderboard keeps changing for the same time.
pub const ANNOUNCEMENT_WINDOW_MS: u32 = 25;

/// The counter of announcements that the store refused to publish, for example because its user has no permission on the
/// channel.
pub const ANNOUNCEMENTS_FAILED: &str = "edgeboard_announcements_failed_total";
/// The counter that holds the time of the last refused announcement, in seconds since the epoch.
pub const ANNOUNCEMENT_FAILED_AT: &str = "edgeboard_announcement_failed_timestamp_seconds";

/// A change that is not a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnouncedChange<'a> {
    /// An entry of this leaderboard was removed, or its configuration changed. Responses from before the change must not be used
    /// again.
    Leaderboard(&'a LeaderboardId),
    /// A player was banned or unbanned, which has the effect of `Leaderboard` on all leaderboards of the tenant.
    Leaderboards,
    /// The tenant's documents changed. Responses about its leaderboards stay valid.
    Documents,
    /// Nothing changed. The region of this name measures how long an announcement takes to arrive.
    Probe {
        /// The region that announces. The other regions ignore the message.
        region: &'a RegionName,
        /// When the region announces, by its clock.
        sent_at: Timestamp,
    },
}

/// Announces changes to other regions.
///
/// The message of a submission is `{"tenant":"…","leaderboards":["…"],"positions":[…]}`, with the position in the log of each
/// leaderboard. The message of an [`AnnouncedChange`] has no positions but `"void":true`, `"documents":true` or `"probe":{…}`, and names
/// no leaderboards if it is about all of them.
///
/// A message can be lost, so receivers must stay correct without it. A refused announcement does not fail the write: the store
/// counts it under [`ANNOUNCEMENTS_FAILED`].
pub trait Announcements {
    /// Announces a change, and returns whether the store accepted the announcement. A store without a channel (an embedded
    /// store serves one region) does nothing and returns `true`.
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
