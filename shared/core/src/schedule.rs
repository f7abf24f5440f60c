//! The schedule of a leaderboard's resets. Periods are computed from the clock, so no job can be missed.
//!
//! A leaderboard's reset can change. The schedule keeps the earlier rules with their times, so that every instant stays in the
//! period that it was in (docs/decisions/0026).

mod change;
mod rule;
mod starts;
mod stretch;

use std::cell::RefCell;
use std::collections::VecDeque;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::rule::ResetRule;
use self::starts::Starts;
use self::stretch::Stretch;
use crate::{Invalid, Period, PeriodId, Timestamp};

pub use self::change::{MAX_SCHEDULE_CHANGES, TooManyChanges};
pub(crate) use self::stretch::ScheduleChange;

/// How many computed periods a schedule caches. The scores of a batch usually fall into a few periods.
const CACHED_PERIODS: usize = 32;
/// The time from midnight to noon, in milliseconds.
const NOON_MS: i64 = 12 * 60 * 60 * 1000;
/// The longest cron expression, in bytes.
pub const MAX_CRON_BYTES: usize = 100;

/// A five-field cron expression in an IANA time zone, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reset {
    /// The five fields: minute, hour, day of month, month, day of week.
    pub cron: Box<str>,
    /// An IANA name such as `Europe/Madrid`.
    pub time_zone: Box<str>,
}

/// When new periods begin. From the first period of the configured rule on, that rule decides; before it, the earlier rules
/// decide.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The earlier stretches, in their order.
    earlier: Vec<Stretch>,
    /// The stretch of the configured rule, which may begin in the future.
    configured: Stretch,
    /// The earlier rules of periods that began before this instant may be unknown. `None` if all rules are recorded.
    unrecorded_until: Option<Timestamp>,
    /// The last computed periods, newest last. Computing a period takes two searches of the calendar.
    recent: RefCell<VecDeque<Period>>,
    starts: RefCell<Starts>,
    oldest_kept: RefCell<Option<OldestKept>>,
}

/// The start of the oldest kept period, valid while `current` is the current period.
#[derive(Debug, Clone)]
struct OldestKept {
    keep: u16,
    current: Period,
    /// The start; `None` if there are fewer periods than are kept.
    starts_at: Option<Timestamp>,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.has_rules_of(other) && self.unrecorded_until == other.unrecorded_until
    }
}

impl Schedule {
    /// Returns the schedule of a leaderboard that never resets: one period for all time.
    #[must_use]
    pub fn never() -> Self {
        Self::of(Vec::new(), Stretch::always(None))
    }

    /// Creates a schedule in which a period lasts from each instant of the expression to the next instant.
    ///
    /// On a day that lacks the hour of the expression (daylight saving time), the period begins at the first instant after the
    /// gap. On a day that has the hour twice, a fixed hour begins one period, the first time, and a wildcard hour begins a period
    /// each time. A day that a zone skips begins no period.
    ///
    /// # Errors
    /// [`Invalid`] at `/cron` or `/time_zone`.
    pub fn new(reset: Reset) -> Result<Self, Invalid> {
        Ok(Self::of(
            Vec::new(),
            Stretch::always(Some(ResetRule::new(reset)?)),
        ))
    }

    fn of(earlier: Vec<Stretch>, configured: Stretch) -> Self {
        Self {
            earlier,
            configured,
            unrecorded_until: None,
            recent: RefCell::default(),
            starts: RefCell::default(),
            oldest_kept: RefCell::default(),
        }
    }

    /// Returns the configured rule; `None` for a leaderboard that never resets.
    #[must_use]
    pub fn reset(&self) -> Option<&Reset> {
        self.configured.reset()
    }

    /// Returns the instant from which the configured rule is in effect, which may be in the future. Returns `None` if the rule
    /// has always been in effect.
    #[must_use]
    pub fn takes_effect_at(&self) -> Option<Timestamp> {
        self.configured.from
    }

    /// Returns whether the schedule knows the reset rule of a period that began at `instant`. It does not know the rules of changes
    /// that were made before rules were recorded.
    #[must_use]
    pub fn is_recorded(&self, instant: Timestamp) -> bool {
        self.unrecorded_until.is_none_or(|until| until <= instant)
    }

    /// Returns the period that contains `instant`.
    #[must_use]
    pub fn period_at(&self, instant: Timestamp) -> Period {
        if let Some(known) = self
            .recent
            .borrow()
            .iter()
            .rev()
            .find(|period| period.contains(instant))
        {
            return known.clone();
        }
        let period = match self.stretch_at(instant) {
            (Some(stretch), next) => stretch.period_at(instant, next),
            // Before all recorded rules. This period has expired.
            (None, first) => Period {
                id: PeriodId::beginning(),
                starts_at: None,
                ends_at: first,
            },
        };
        let mut recent = self.recent.borrow_mut();
        if recent.len() == CACHED_PERIODS {
            recent.pop_front();
        }
        recent.push_back(period.clone());
        period
    }

    /// Returns a stored period with its current bounds, because its end can have moved since its first score. A period that ended
    /// before rules were recorded keeps its stored bounds.
    #[must_use]
    pub fn bounds_of(&self, stored: Period) -> Period {
        let was_recorded = |end| self.unrecorded_until.is_none_or(|until| until < end);
        if !stored.ends_at.is_none_or(was_recorded) {
            return stored;
        }
        let scheduled = self.period_at(stored.starts_at.unwrap_or(Timestamp::MIN));
        if scheduled.id == stored.id {
            scheduled
        } else {
            stored
        }
    }

    /// Returns the period before `period`. Returns `None` for the first period, or if the leaderboard never resets.
    #[must_use]
    pub fn period_before(&self, period: &Period) -> Option<Period> {
        let start = period.starts_at?;
        (start > Timestamp::MIN).then(|| self.period_at(start.saturating_add_ms(-1)))
    }

    /// Returns the period of a date: the first period that begins on this day, or the period that contains the whole day. The day
    /// is in the time zone of the rule that is in effect at noon (UTC) of this date; without a rule, in UTC.
    #[must_use]
    pub fn period_on(&self, date: Date) -> Period {
        let start_of = |date: Date, zone: &TimeZone| {
            let zoned = date.to_zoned(zone.clone());
            zoned.map_or(Timestamp::MAX, |zoned| Timestamp::from_jiff(zoned.timestamp()))
        };
        let noon = start_of(date, &TimeZone::UTC).saturating_add_ms(NOON_MS);
        let rule = self.stretch_at(noon).0.and_then(|stretch| stretch.rule.as_ref());
        let zone = rule.map_or(TimeZone::UTC, |rule| rule.zone.clone());
        let begins = start_of(date, &zone);
        let ends = date
            .tomorrow()
            .map_or(Timestamp::MAX, |next| start_of(next, &zone));
        let period = self.period_at(begins);
        match period.ends_at {
            Some(next) if period.starts_at != Some(begins) && next < ends => self.period_at(next),
            _ => period,
        }
    }

    /// Returns when `period` expires if the newest `keep` periods are kept: at the start of the period that is `keep` periods
    /// later. Returns `None` if the period never expires.
    #[must_use]
    pub fn expires_at(&self, period: &Period, keep: u16) -> Option<Timestamp> {
        let ends_at = period.ends_at?;
        if self.is_forgotten(ends_at) {
            return Some(ends_at);
        }
        let steps = usize::from(keep).saturating_sub(1);
        let next = |start| self.next_start(start);
        self.starts.borrow_mut().after(ends_at, steps, next)
    }

    /// Returns whether the period has expired at `now` ([`Schedule::expires_at`]). Computes the start of the oldest kept period
    /// once for each current period.
    #[must_use]
    pub fn has_expired(&self, period: &Period, keep: u16, now: Timestamp) -> bool {
        let Some(ends_at) = period.ends_at.filter(|end| *end <= now) else {
            return false;
        };
        self.is_forgotten(ends_at)
            || self
                .oldest_kept(keep, now)
                .is_some_and(|oldest| ends_at <= oldest)
    }

    /// Returns the start of the oldest of the newest `keep` periods; `None` if there are fewer.
    fn oldest_kept(&self, keep: u16, now: Timestamp) -> Option<Timestamp> {
        if let Some(known) = &*self.oldest_kept.borrow()
            && known.keep == keep
            && known.current.contains(now)
        {
            return known.starts_at;
        }
        let current = self.period_at(now);
        let mut starts_at = current.starts_at;
        for _ in 1..keep {
            starts_at = starts_at.and_then(|start| self.start_before(start));
        }
        *self.oldest_kept.borrow_mut() = Some(OldestKept {
            keep,
            current,
            starts_at,
        });
        starts_at
    }

    /// Returns whether a period that ends at `ends_at` is older than all recorded rules.
    fn is_forgotten(&self, ends_at: Timestamp) -> bool {
        let first = self.stretches().next().and_then(|stretch| stretch.from);
        first.is_some_and(|from| ends_at <= from)
    }

    fn stretches(&self) -> impl Iterator<Item = &Stretch> {
        self.earlier.iter().chain([&self.configured])
    }

    /// Returns the stretch that contains `instant`, and the start of the next stretch.
    fn stretch_at(&self, instant: Timestamp) -> (Option<&Stretch>, Option<Timestamp>) {
        let mut holding = None;
        for stretch in self.stretches() {
            if stretch.from.is_some_and(|from| instant < from) {
                return (holding, stretch.from);
            }
            holding = Some(stretch);
        }
        (holding, None)
    }

    /// Returns the first start of a period after `start`, which is itself the start of a period.
    fn next_start(&self, start: Timestamp) -> Option<Timestamp> {
        let (stretch, next) = self.stretch_at(start);
        stretch?.end_at(start, next)
    }

    /// Returns the last start of a period before `start`, which is itself the start of a period.
    fn start_before(&self, start: Timestamp) -> Option<Timestamp> {
        let before = Some(start)
            .filter(|start| *start > Timestamp::MIN)?
            .saturating_add_ms(-1);
        self.stretch_at(before).0?.start_at(before)
    }
}

#[cfg(test)]
mod tests;
