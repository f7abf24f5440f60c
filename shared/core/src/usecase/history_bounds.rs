//! How far the history of a leaderboard reaches.

use crate::Timestamp;

/// The part of the time that the history of a leaderboard covers. `None` means that there is no known bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryBounds {
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The first instant that is too late to be replayed in one request.
    pub until: Option<Timestamp>,
}
