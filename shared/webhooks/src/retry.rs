//! When a message is sent again, and when a receiver is left alone.

use leaderboard_core::Timestamp;

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The waits between the attempts, in milliseconds (Standard Webhooks, "Retry schedule"): ten attempts in about three days.
const WAITS_MS: [i64; 9] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];
/// The longest wait that a receiver can ask for, in milliseconds: the longest of the schedule.
const MAX_RETRY_AFTER_MS: i64 = 24 * HOUR_MS;
/// After so many failures one after another, the circuit breaker of a webhook opens.
pub(crate) const BREAKER_FAILURES: u32 = 5;
/// How long the breaker is open at first, in milliseconds. Each further failure doubles the time.
const FIRST_OPEN_MS: i64 = MINUTE_MS;
/// The longest time that the breaker is open, in milliseconds.
const MAX_OPEN_MS: i64 = 15 * MINUTE_MS;

/// Returns the wait before the next attempt in milliseconds, after `attempts` failed ones; `None` after the last attempt. A random
/// part of up to a fifth is added, so that messages that failed together do not all come back together.
pub(crate) fn choose_wait(attempts: u32, random: u32) -> Option<i64> {
    let at = usize::try_from(attempts).ok()?.checked_sub(1)?;
    WAITS_MS.get(at).map(|wait| add_jitter(*wait, random))
}

/// Returns how long the breaker stays open after `failures` failures one after another, in milliseconds; `None` if it is closed.
pub(crate) fn choose_open_time(failures: u32, random: u32) -> Option<i64> {
    let doublings = failures.checked_sub(BREAKER_FAILURES)?.min(16);
    let time = FIRST_OPEN_MS.saturating_mul(1 << doublings).min(MAX_OPEN_MS);
    Some(add_jitter(time, random))
}

fn add_jitter(wait_ms: i64, random: u32) -> i64 {
    wait_ms + i64::from(random) % (wait_ms / 5 + 1)
}

/// Reads the header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Returns the wait in milliseconds, at most a day;
/// `None` for other text.
pub(crate) fn parse_retry_after(text: &str, now: Timestamp) -> Option<i64> {
    let text = text.trim();
    let wait_ms = match text.parse::<u32>() {
        Ok(seconds) => i64::from(seconds) * SECOND_MS,
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            let since_epoch = date.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
            let at_ms = i64::try_from(since_epoch.as_millis()).ok()?;
            at_ms.saturating_sub(now.as_unix_ms())
        }
    };
    Some(wait_ms.clamp(0, MAX_RETRY_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_those_of_the_standard_and_up_to_a_fifth_longer() {
        let waits: Vec<i64> = (1..).map_while(|attempts| choose_wait(attempts, 0)).collect();
        assert_eq!(waits, WAITS_MS);
        assert_eq!(choose_wait(0, 0), None);
        for random in [0, 1, 12_345, u32::MAX] {
            let wait = choose_wait(1, random).unwrap();
            assert!((5_000..=6_000).contains(&wait), "{wait}");
        }
        assert_eq!(choose_wait(1, 1_000), Some(6_000));
    }

    #[test]
    fn the_breaker_opens_after_five_failures_for_up_to_a_quarter_of_an_hour() {
        let times: Vec<Option<i64>> = (3..12).map(|failures| choose_open_time(failures, 0)).collect();
        let minutes = |minutes: i64| Some(minutes * MINUTE_MS);
        assert_eq!(
            times,
            [
                None,
                None,
                minutes(1),
                minutes(2),
                minutes(4),
                minutes(8),
                minutes(15),
                minutes(15),
                minutes(15)
            ]
        );
        assert_eq!(choose_open_time(u32::MAX, 0), minutes(15));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
        let now = Timestamp::parse("2026-07-19T21:04:00Z").unwrap();
        for (text, wait_ms) in [
            ("0", Some(0)),
            (" 120 ", Some(120_000)),
            ("4000000000", Some(MAX_RETRY_AFTER_MS)),
            ("Sun, 19 Jul 2026 21:05:00 GMT", Some(60_000)),
            ("Sun, 19 Jul 2026 21:00:00 GMT", Some(0)),
            ("Thu, 19 Jul 2046 21:00:00 GMT", Some(MAX_RETRY_AFTER_MS)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(parse_retry_after(text, now), wait_ms, "{text}");
        }
    }
}
