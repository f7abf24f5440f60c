//! Instants with a precision of a millisecond.

use crate::Invalid;

/// An instant in the years 1 to 9999: milliseconds since 1970-01-01T00:00:00Z (negative before it).
///
/// Digits after the milliseconds are cut instead of rounded, so that an instant never moves into the next period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0001-01-01T00:00:00.000Z.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// 9999-12-30T22:00:00.999Z: the last millisecond that can be written in every time zone.
    pub const MAX: Self = Self(253_402_207_200_999);

    /// Returns the instant that is `ms` milliseconds after the epoch; `None` outside the years 1 to 9999.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Option<Self> {
        if ms >= Self::MIN.0 && ms <= Self::MAX.0 {
            Some(Self(ms))
        } else {
            None
        }
    }

    /// Returns the instant that is `ms` milliseconds after the epoch, or else the nearest of [`Timestamp::MIN`] and
    /// [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_from_unix_ms(ms: i64) -> Self {
        Self(ms.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Returns the milliseconds since the epoch.
    #[must_use]
    pub const fn as_unix_ms(self) -> i64 {
        self.0
    }

    /// Returns the instant `ms` milliseconds later, or else the nearest of [`Timestamp::MIN`] and [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_add_ms(self, ms: i64) -> Self {
        Self::saturating_from_unix_ms(self.0.saturating_add(ms))
    }

    /// Parses RFC 3339 with a zone (`Z` or an offset), e.g. `2026-07-19T21:04:00.250+02:00`.
    ///
    /// # Errors
    /// [`Invalid`] with an empty pointer.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| {
            Invalid::new(
                "",
                "must be an RFC 3339 time with a zone, e.g. 2026-07-19T21:04:00Z",
            )
        })?;
        let floor = parsed.as_nanosecond().div_euclid(1_000_000);
        i64::try_from(floor)
            .ok()
            .and_then(Self::from_unix_ms)
            .ok_or_else(|| Invalid::new("", "must be in the years 1 to 9999"))
    }

    /// Returns this instant in the type of the calendar library.
    pub(crate) fn to_jiff(self) -> jiff::Timestamp {
        // Its constructor from milliseconds refuses the last second of its range.
        let duration = jiff::SignedDuration::from_millis(self.0);
        jiff::Timestamp::from_duration(duration).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    pub(crate) fn from_jiff(instant: jiff::Timestamp) -> Self {
        Self::saturating_from_unix_ms(instant.as_millisecond())
    }
}

/// Writes RFC 3339 in UTC with exactly three digits of milliseconds: `1916-07-02T00:00:00.000Z`.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_parsed_and_instants_rounded_down_to_milliseconds() {
        let parsed = Timestamp::parse("1969-12-31T23:59:59.999999Z").map(Timestamp::as_unix_ms);
        assert_eq!(parsed, Ok(-1));
        let offset = Timestamp::parse("2026-07-19T21:04:00.25+02:00").map(|t| t.to_string());
        assert_eq!(offset.as_deref(), Ok("2026-07-19T19:04:00.250Z"));
    }

    #[test]
    fn local_times_and_other_text_are_refused() {
        for bad in [
            "",
            "2026-07-19",
            "2026-07-19T21:04:00",
            "now",
            "1752958800",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
        ] {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_and_the_last_instant_are_printed() {
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::parse("0001-01-01T00:00:00Z"), Ok(Timestamp::MIN));
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00.999Z");
    }
}
