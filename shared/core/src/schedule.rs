//! When a leaderboard begins anew. Periods are computed from the clock, never scheduled: there is no job
//! that could be missed.

mod starts;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use self::starts::Starts;
use crate::{Invalid, Period, PeriodId, Timestamp};

/// How many computed periods a schedule remembers: a batch of scores falls into a few of them.
const REMEMBERED_PERIODS: usize = 32;
/// The longest cron expression, in bytes.
pub const MAX_CRON_BYTES: usize = 100;
/// 4599-01-01T00:00:00Z in milliseconds: the calendar repeats every 400 years and the cron library searches up
/// to the year 5000, so an instant that does not come after this one never does.
const LAST_CALENDAR_CYCLE_MS: i64 = 82_963_267_200_000;

/// Where a zone skips a whole day (Samoa, on 30 December 2011), the cron library gives up on a time of that day.
/// The search goes on beyond the next change of the clock, and tries so many of them.
const MAX_CHANGES_TRIED: usize = 8;
const SECOND_MS: i64 = 1000;

/// A five-field cron expression in an IANA time zone, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reset {
    /// Minute, hour, day of month, month, day of week.
    pub cron: Box<str>,
    /// An IANA name such as `Europe/Madrid`.
    pub time_zone: Box<str>,
}

/// A reset rule, ready to compute with.
#[derive(Debug, Clone)]
pub struct Schedule {
    rule: Option<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    reset: Reset,
    cron: Cron,
    zone: TimeZone,
    /// Periods computed lately, newest last. Computing one takes two searches of the calendar.
    recent: RefCell<VecDeque<Period>>,
    starts: RefCell<Starts>,
    expired: Cell<Option<Expired>>,
}

/// That periods which end no later than `ends_at` expire no later than `expires_at`, when `keep` are kept.
#[derive(Debug, Clone, Copy)]
struct Expired {
    keep: u16,
    ends_at: Timestamp,
    expires_at: Timestamp,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.reset() == other.reset()
    }
}

impl Schedule {
    /// One period for all time.
    #[must_use]
    pub fn never() -> Self {
        Self { rule: None }
    }

    /// A period from each instant the expression names to the next.
    ///
    /// On a day that skips the named hour, the period begins at the first instant after the gap; on a day
    /// that repeats it, a fixed time begins a period once, at its first pass, and an expression with a
    /// wildcard hour begins one in each. A day that a zone skips as a whole begins none.
    ///
    /// # Errors
    /// [`Invalid`] at `/cron` or `/time_zone`.
    pub fn new(reset: Reset) -> Result<Self, Invalid> {
        let cron = parse_cron(&reset.cron)?;
        let zone = TimeZone::get(&reset.time_zone)
            .map_err(|_| Invalid::new("/time_zone", "must be an IANA time zone, e.g. Europe/Madrid"))?;
        Ok(Self {
            rule: Some(Rule {
                reset,
                cron,
                zone,
                recent: RefCell::default(),
                starts: RefCell::default(),
                expired: Cell::default(),
            }),
        })
    }

    /// The rule as it was written; `None` for a leaderboard that never resets.
    #[must_use]
    pub fn reset(&self) -> Option<&Reset> {
        self.rule.as_ref().map(|rule| &rule.reset)
    }

    /// The period that holds `instant`.
    #[must_use]
    pub fn period_at(&self, instant: Timestamp) -> Period {
        match &self.rule {
            None => Period::all_time(),
            Some(rule) => rule.period_at(instant),
        }
    }

    /// The period before `period`; `None` where time begins or the leaderboard never resets.
    #[must_use]
    pub fn period_before(&self, period: &Period) -> Option<Period> {
        self.rule.as_ref()?;
        let start = period.starts_at?;
        (start > Timestamp::MIN).then(|| self.period_at(start.saturating_add_ms(-1)))
    }

    /// The instant `period` stops being kept when the newest `keep` periods are: the start of the period
    /// `keep` places after it. `None` is never.
    #[must_use]
    pub fn expires_at(&self, period: &Period, keep: u16) -> Option<Timestamp> {
        let rule = self.rule.as_ref()?;
        let steps = usize::from(keep).saturating_sub(1);
        let next = |start| rule.next_start(start);
        rule.starts.borrow_mut().after(period.ends_at?, steps, next)
    }

    /// Whether [`Schedule::expires_at`] has passed. Many scores of long ago are told at the price of one.
    pub(crate) fn has_expired(&self, period: &Period, keep: u16, now: Timestamp) -> bool {
        let (Some(rule), Some(ends_at)) = (&self.rule, period.ends_at) else {
            return false;
        };
        let known = rule.expired.get().filter(|known| known.keep == keep);
        if known.is_some_and(|known| ends_at <= known.ends_at && known.expires_at <= now) {
            return true;
        }
        let Some(expires_at) = self.expires_at(period, keep) else {
            return false;
        };
        let has_expired = expires_at <= now;
        if has_expired {
            rule.expired.set(Some(Expired {
                keep,
                ends_at,
                expires_at,
            }));
        }
        has_expired
    }
}

impl Rule {
    fn period_at(&self, instant: Timestamp) -> Period {
        if let Some(known) = self
            .recent
            .borrow()
            .iter()
            .rev()
            .find(|period| period.contains(instant))
        {
            return known.clone();
        }
        let starts_at = self.start_at(instant);
        let ends_at = self.next_start(instant);
        let id = starts_at.map_or_else(PeriodId::beginning, PeriodId::starting_at);
        let period = Period {
            id,
            starts_at,
            ends_at,
        };
        let mut recent = self.recent.borrow_mut();
        if recent.len() == REMEMBERED_PERIODS {
            recent.pop_front();
        }
        recent.push_back(period.clone());
        period
    }

    /// The last start at or before `instant`; `None` before the first one.
    fn start_at(&self, instant: Timestamp) -> Option<Timestamp> {
        let search = |from: jiff::Timestamp| {
            let zoned = from.to_zoned(self.zone.clone());
            let found = self.cron.find_previous_occurrence(&zoned, true).ok()?;
            Some(Timestamp::from_jiff(found.timestamp()))
        };
        let upto = instant.saturating_add_ms(SECOND_MS).to_jiff();
        let skipped_days = self.zone.preceding(upto).take(MAX_CHANGES_TRIED);
        let just_before =
            skipped_days.map(|change| Timestamp::from_jiff(change.timestamp()).saturating_add_ms(-1));
        let found = search(instant.to_jiff()).or_else(|| {
            let mut earlier = just_before.filter(|change| *change < instant);
            earlier.find_map(|change| search(change.to_jiff()))
        });
        found.filter(|start| *start <= instant)
    }

    /// The first start after `instant`; `None` after the last one.
    fn next_start(&self, instant: Timestamp) -> Option<Timestamp> {
        let search = |from: jiff::Timestamp, inclusive| {
            let zoned = from.to_zoned(self.zone.clone());
            let found = self.cron.find_next_occurrence(&zoned, inclusive).ok()?;
            Some(Timestamp::from_jiff(found.timestamp()))
        };
        let found = search(instant.to_jiff(), false).or_else(|| {
            let mut skipped_days = self.zone.following(instant.to_jiff()).take(MAX_CHANGES_TRIED);
            skipped_days.find_map(|change| search(change.timestamp(), true))
        });
        found.filter(|next| *next > instant)
    }
}

fn parse_cron(text: &str) -> Result<Cron, Invalid> {
    let invalid = |detail: String| Invalid::new("/cron", detail);
    if text.len() > MAX_CRON_BYTES {
        return Err(invalid(format!("must be at most {MAX_CRON_BYTES} bytes")));
    }
    if text.split_ascii_whitespace().count() != 5 {
        return Err(invalid(
            "must have five fields: minute, hour, day of month, month, day of week".into(),
        ));
    }
    let cron = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(text)
        .map_err(|error| invalid(format!("is not a cron expression: {error}")))?;
    let anchor = Timestamp::saturating_from_unix_ms(LAST_CALENDAR_CYCLE_MS).to_jiff();
    let anchor = anchor.to_zoned(TimeZone::UTC);
    cron.find_next_occurrence(&anchor, false)
        .map_err(|_| invalid("names no instant that ever comes".into()))?;
    Ok(cron)
}
