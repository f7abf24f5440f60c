//! Values on the command line that may be ranges, as on Spin: `8`, `1..8`, `2s`, `100ms..2s`.

use std::time::Duration;

use crate::random;

/// One value, or a half-open range. For each new instance, a random value of the range is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneOf<T> {
    /// The same value for every instance.
    Value(T),
    /// From the first value, included, to the second, excluded.
    Range(T, T),
}

impl OneOf<usize> {
    /// Returns a value for a new instance.
    pub(crate) fn pick(self) -> usize {
        match self {
            Self::Value(value) => value,
            Self::Range(start, end) => {
                let width = u64::try_from(end.saturating_sub(start)).unwrap_or(u64::MAX);
                start.saturating_add(usize::try_from(random::below(width)).unwrap_or(0))
            }
        }
    }
}

impl OneOf<Duration> {
    /// Returns a value for a new instance.
    pub(crate) fn pick(self) -> Duration {
        match self {
            Self::Value(value) => value,
            Self::Range(start, end) => {
                let width = u64::try_from(end.saturating_sub(start).as_nanos()).unwrap_or(u64::MAX);
                start.saturating_add(Duration::from_nanos(random::below(width)))
            }
        }
    }
}

/// Parses a count or a range of counts.
///
/// # Errors
/// `text` has another form. The error names the expected form.
pub fn parse_count(text: &str) -> Result<OneOf<usize>, String> {
    parse_one_of(text, |part| {
        part.parse()
            .map_err(|_| format!("expected a number or a range such as 1..8, not {text:?}"))
    })
}

/// Parses a duration (`2`, `2s`, `5ms`, `5us`, `5ns`; a bare number is seconds) or a range of durations.
///
/// # Errors
/// `text` has another form. The error names the expected form.
pub fn parse_durations(text: &str) -> Result<OneOf<Duration>, String> {
    parse_one_of(text, parse_duration)
}

/// Parses a duration: `2`, `2s`, `5ms`, `5us`, `5ns`; a bare number is seconds.
///
/// # Errors
/// `text` has another form. The error names the expected form.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    type Unit = (&'static str, fn(u64) -> Duration);
    let units: [Unit; 5] = [
        ("ms", Duration::from_millis),
        ("us", Duration::from_micros),
        ("ns", Duration::from_nanos),
        ("s", Duration::from_secs),
        ("", Duration::from_secs),
    ];
    units
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix)?.parse().ok().map(unit))
        .ok_or_else(|| format!("expected a duration such as 2s or 500ms, not {text:?}"))
}

fn parse_one_of<T: PartialOrd>(
    text: &str,
    parse_value: impl Fn(&str) -> Result<T, String>,
) -> Result<OneOf<T>, String> {
    let Some((start, end)) = text.split_once("..") else {
        return parse_value(text).map(OneOf::Value);
    };
    let (start, end) = (parse_value(start)?, parse_value(end)?);
    if start >= end {
        return Err(format!("the range {text:?} is empty"));
    }
    Ok(OneOf::Range(start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_ranges_are_parsed_and_a_pick_is_in_its_range() {
        assert_eq!(parse_count("8"), Ok(OneOf::Value(8)));
        assert_eq!(parse_count("1..8"), Ok(OneOf::Range(1, 8)));
        assert_eq!(
            parse_durations("100ms..2s"),
            Ok(OneOf::Range(Duration::from_millis(100), Duration::from_secs(2)))
        );
        assert_eq!(parse_duration("3"), Ok(Duration::from_secs(3)));
        assert_eq!(parse_duration("3us"), Ok(Duration::from_micros(3)));
        for bad in ["", "x", "8..1", "1..", "5m"] {
            assert!(
                parse_count(bad).is_err() && parse_durations(bad).is_err(),
                "{bad:?}"
            );
        }
        for _ in 0..100 {
            assert!((1..8).contains(&OneOf::Range(1_usize, 8).pick()));
        }
    }
}
