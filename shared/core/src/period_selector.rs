//! The ways to name a period in a request.

use jiff::civil::Date;

use crate::{Invalid, Leaderboard, Period, PeriodId, Timestamp};

const SECOND_MS: i64 = 1000;

/// The period that a reader asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PeriodSelector {
    /// The current period.
    #[default]
    Current,
    /// The period before the current one.
    Previous,
    /// The period with this id, or the period that contains the instant in the id.
    Named(PeriodId),
    /// The first period that begins on this day in the leaderboard's time zone, or the period that contains the whole day.
    On(LocalDate),
}

/// A date in the years 1 to 9999, without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalDate(Date);

impl LocalDate {
    /// Parses a date such as `2026-11-09`. Returns `None` for any other text.
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

    /// Returns the period that the leaderboard's schedule determines. Returns `None` for [`Self::Previous`] if there is no
    /// previous period: the current period is the first, or the leaderboard never resets.
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

    /// Returns one selector for all names of a period: an instant or a date becomes the id of its period. `Current` and
    /// `Previous` stay as they are, because their period depends on the time.
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

    /// Returns the id of a period that only the store knows, because the schedule does not record its reset. Returns `None` if
    /// the schedule determines the period.
    #[must_use]
    pub fn find_unrecorded_id(&self, board: &Leaderboard) -> Option<PeriodId> {
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
