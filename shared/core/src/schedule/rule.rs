//! The instants at which a cron expression in a time zone begins periods.

use std::cell::Cell;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use super::{MAX_CRON_BYTES, Reset};
use crate::{Invalid, Timestamp};

/// 4599-01-01T00:00:00Z in milliseconds. The calendar repeats every 400 years and the cron library searches up to the year 5000.
/// So an expression that has no instant after this one never has an instant.
const LAST_CALENDAR_CYCLE_MS: i64 = 82_963_267_200_000;
/// How many changes of a zone's offset a search tries. If a zone skips a whole day (Samoa, 30 December 2011), the cron library
/// finds no time on that day, and the search continues after the next change of the zone's offset.
const MAX_CHANGES_TRIED: usize = 8;
const SECOND_MS: i64 = 1000;

/// A parsed reset rule.
#[derive(Debug, Clone)]
pub(super) struct ResetRule {
    pub(super) reset: Reset,
    cron: Cron,
    pub(super) zone: TimeZone,
    /// How often the calendar was searched. Tests use this to check that caches avoid searches.
    searches: Cell<u64>,
}

impl ResetRule {
    /// # Errors
    /// [`Invalid`] at `/cron` or `/time_zone`.
    pub(super) fn new(reset: Reset) -> Result<Self, Invalid> {
        let cron = parse_cron(&reset.cron)?;
        let zone = TimeZone::get(&reset.time_zone)
            .map_err(|_| Invalid::new("/time_zone", "must be an IANA time zone, e.g. Europe/Madrid"))?;
        Ok(Self {
            reset,
            cron,
            zone,
            searches: Cell::default(),
        })
    }

    /// Returns how many searches of the calendar the rule has made.
    #[cfg(test)]
    pub(super) fn searches(&self) -> u64 {
        self.searches.get()
    }

    fn count_search(&self) {
        self.searches.set(self.searches.get().saturating_add(1));
    }

    /// Returns the last start at or before `instant`; `None` before the first start.
    pub(super) fn start_at(&self, instant: Timestamp) -> Option<Timestamp> {
        self.count_search();
        let search = |from: jiff::Timestamp| {
            let zoned = from.to_zoned(self.zone.clone());
            let found = self.cron.find_previous_occurrence(&zoned, true).ok()?;
            Some(Timestamp::from_jiff(found.timestamp()))
        };
        let upto = instant.saturating_add_ms(SECOND_MS).to_jiff();
        let skipped_days = self.zone.preceding(upto).take(MAX_CHANGES_TRIED);
        let just_before =
            skipped_days.map(|change| Timestamp::from_jiff(change.timestamp()).saturating_add_ms(-1));
        let found = search(whole_second(instant).to_jiff()).or_else(|| {
            let mut earlier = just_before.filter(|change| *change < instant);
            earlier.find_map(|change| search(change.to_jiff()))
        });
        found.filter(|start| *start <= instant)
    }

    /// Returns the first start after `instant`; `None` after the last start.
    pub(super) fn next_start(&self, instant: Timestamp) -> Option<Timestamp> {
        self.count_search();
        let search = |from: jiff::Timestamp, inclusive| {
            let zoned = from.to_zoned(self.zone.clone());
            let found = self.cron.find_next_occurrence(&zoned, inclusive).ok()?;
            Some(Timestamp::from_jiff(found.timestamp()))
        };
        let found = search(whole_second(instant).to_jiff(), false).or_else(|| {
            let mut skipped_days = self.zone.following(instant.to_jiff()).take(MAX_CHANGES_TRIED);
            skipped_days.find_map(|change| search(change.timestamp(), true))
        });
        found.filter(|next| *next > instant)
    }
}

/// Rounds an instant down to a second. Starts are whole seconds, so the result of a search stays the same. Without rounding, the
/// cron library counts the last fraction of a second before a repeated hour as part of the repetition.
fn whole_second(instant: Timestamp) -> Timestamp {
    instant.saturating_add_ms(-instant.as_unix_ms().rem_euclid(SECOND_MS))
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
