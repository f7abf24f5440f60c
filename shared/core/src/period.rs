//! A span of time in which a leaderboard collects scores.

use crate::{Invalid, Leaderboard, Timestamp};

/// The id of the one period of a leaderboard that never resets.
const ALL_TIME: &str = "all";
/// The id of the span before the first reset there ever was.
const BEGINNING: &str = "beginning";

/// The name of a period: the instant it starts at (RFC 3339, UTC, seconds), or `all`.
///
/// Because the id is the instant, asking for a period by id and by an instant within it are one question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeriodId(Box<str>);

impl PeriodId {
    /// The id of the one period of a leaderboard that never resets.
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

    /// Reads an id back as a store wrote it.
    ///
    /// # Errors
    /// [`Invalid`] with an empty pointer.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text == ALL_TIME || text == BEGINNING || Timestamp::parse(text).is_ok() {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new(
                "",
                "must be current, previous, all, or an RFC 3339 instant",
            ))
        }
    }

    /// The id's text.
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

/// A period and its bounds. `starts_at` is part of it, `ends_at` is not; `None` is unbounded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period {
    /// Its name.
    pub id: PeriodId,
    /// Its first instant.
    pub starts_at: Option<Timestamp>,
    /// The first instant after it.
    pub ends_at: Option<Timestamp>,
}

impl Period {
    /// The one period of a leaderboard that never resets.
    #[must_use]
    pub fn all_time() -> Self {
        Self {
            id: PeriodId::all_time(),
            starts_at: None,
            ends_at: None,
        }
    }

    /// Whether `instant` falls into it.
    #[must_use]
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= instant) && self.ends_at.is_none_or(|end| instant < end)
    }
}

/// Which period a reader asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PeriodSelector {
    /// The one that holds now.
    #[default]
    Current,
    /// The one before the current one.
    Previous,
    /// The period of that id, or the one that holds the instant the id names.
    Named(PeriodId),
}

impl PeriodSelector {
    /// Parses `current`, `previous`, a period id or an instant.
    ///
    /// # Errors
    /// [`Invalid`] with an empty pointer.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "current" => Ok(Self::Current),
            "previous" => Ok(Self::Previous),
            other => PeriodId::parse(other).map(Self::Named),
        }
    }

    /// The period meant, by the leaderboard's schedule of today. `None` where there is none before the
    /// first, and where the leaderboard never resets but a previous period is asked for.
    #[must_use]
    pub fn resolve(&self, board: &Leaderboard, now: Timestamp) -> Option<Period> {
        match self {
            Self::Current => Some(board.schedule.period_at(now)),
            Self::Previous => board.schedule.period_before(&board.schedule.period_at(now)),
            Self::Named(id) => Some(match Timestamp::parse(id.as_str()) {
                Ok(instant) => board.schedule.period_at(instant),
                Err(_) if *id == PeriodId::beginning() => board.schedule.period_at(Timestamp::MIN),
                Err(_) => Period::all_time(),
            }),
        }
    }
}
