//! Periods: the runs of a leaderboard between two resets.

use crate::{Invalid, Timestamp};

/// The most periods a leaderboard can keep.
pub const MAX_KEEP_PERIODS: u16 = 1000;
/// The id of the only period of a leaderboard that never resets.
const ALL_TIME: &str = "all";
/// The id of the period before the first reset.
const BEGINNING: &str = "beginning";

/// The id of a period: its start (RFC 3339, UTC, seconds), or `all`. An instant within a period can be used in place of its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeriodId(Box<str>);

impl PeriodId {
    /// Returns the id of the only period of a leaderboard that never resets.
    #[must_use]
    pub fn all_time() -> Self {
        Self(ALL_TIME.into())
    }

    pub(crate) fn beginning() -> Self {
        Self(BEGINNING.into())
    }

    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self(start.to_jiff().to_string().into())
    }

    /// Parses an id.
    ///
    /// # Errors
    /// [`Invalid`] with an empty pointer.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text == ALL_TIME || text == BEGINNING || Timestamp::parse(text).is_ok() {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new(
                "",
                "must be current, previous, all, a date such as 2026-11-09, or an RFC 3339 instant",
            ))
        }
    }

    /// Returns the id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PeriodId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A period and its bounds. `None` means that the period has no bound on this side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period {
    /// The id.
    pub id: PeriodId,
    /// The first instant of the period.
    pub starts_at: Option<Timestamp>,
    /// The first instant after the period.
    pub ends_at: Option<Timestamp>,
}

impl Period {
    /// Returns the only period of a leaderboard that never resets.
    #[must_use]
    pub fn all_time() -> Self {
        Self {
            id: PeriodId::all_time(),
            starts_at: None,
            ends_at: None,
        }
    }

    /// Returns whether the period contains `instant`.
    #[must_use]
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= instant) && self.ends_at.is_none_or(|end| instant < end)
    }
}
