//! A span of time in which a leaderboard collects scores.

use jiff::civil::Date;

use crate::{Invalid, Leaderboard, Timestamp};

/// The id of the one period of a leaderboard that never resets.
const ALL_TIME: &str = "all";
/// The id of the span before the first reset there ever was.
const BEGINNING: &str = "beginning";
const SECOND_MS: i64 = 1000;

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
                "must be current, previous, all, a date such as 2026-11-09, or an RFC 3339 instant",
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
    /// The first period that begins on that day in the leaderboard's time zone, or the one that holds all of it.
    On(LocalDate),
}

/// A day of the years 1 to 9999 in a time zone that is named elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalDate(Date);

impl LocalDate {
    /// Reads `2026-11-09`; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let (year, month, day) = (fields.next()?, fields.next()?, fields.next()?);
        let digits = [(year, 4), (month, 2), (day, 2)]
            .iter()
            .all(|(field, width)| field.len() == *width && field.bytes().all(|byte| byte.is_ascii_digit()));
        if !digits || fields.next().is_some() {
            return None;
        }
        let year = year.parse().ok().filter(|year| *year > 0)?;
        Date::new(year, month.parse().ok()?, day.parse().ok()?)
            .ok()
            .map(Self)
    }
}

impl PeriodSelector {
    /// Parses `current`, `previous`, a date, a period id or an instant.
    ///
    /// # Errors
    /// [`Invalid`] with an empty pointer.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "current" => Ok(Self::Current),
            "previous" => Ok(Self::Previous),
            other => match LocalDate::parse(other) {
                Some(date) => Ok(Self::On(date)),
                None => PeriodId::parse(other).map(Self::Named),
            },
        }
    }

    /// The period meant, by the leaderboard's schedule. `None` where there is none before the first, and where the
    /// leaderboard never resets but a previous period is asked for.
    #[must_use]
    pub fn resolve(&self, board: &Leaderboard, now: Timestamp) -> Option<Period> {
        let schedule = &board.schedule;
        match self {
            Self::Current => Some(schedule.period_at(now)),
            Self::Previous => schedule.period_before(&schedule.period_at(now)),
            Self::On(LocalDate(date)) => Some(schedule.period_on(*date)),
            Self::Named(id) => Some(match Timestamp::parse(id.as_str()) {
                Ok(instant) => schedule.period_at(instant),
                Err(_) => {
                    let first = schedule.period_at(Timestamp::MIN);
                    if first.id == *id || *id == PeriodId::beginning() {
                        first
                    } else {
                        Period::all_time()
                    }
                }
            }),
        }
    }

    /// The same selector for every name of one period, by the leaderboard's schedule: an instant or a date becomes the id of
    /// its period. What depends on the clock stays as it is.
    #[must_use]
    pub fn canonical(&self, board: &Leaderboard, now: Timestamp) -> Self {
        match self {
            Self::Named(_) | Self::On(_) => match self.resolve(board, now) {
                Some(period) => Self::Named(period.id),
                None => self.clone(),
            },
            Self::Current | Self::Previous => self.clone(),
        }
    }

    /// The id of a period that the store may have by a rule that nobody recorded, spelled as a store spells it. `None`:
    /// the schedule knows the period that is meant.
    #[must_use]
    pub fn unexplained(&self, board: &Leaderboard) -> Option<PeriodId> {
        let Self::Named(id) = self else { return None };
        let start = Timestamp::parse(id.as_str()).ok()?;
        // No period begins within a second.
        if board.schedule.is_recorded(start) || start.as_unix_ms().rem_euclid(SECOND_MS) != 0 {
            return None;
        }
        let spelled = PeriodId::starting_at(start);
        (board.schedule.period_at(start).id != spelled).then_some(spelled)
    }
}

impl std::fmt::Display for LocalDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
