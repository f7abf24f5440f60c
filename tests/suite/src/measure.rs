//! What benchmarks share: times of many calls, and the rows that `scripts/bench` collects.

use std::time::Duration;

use serde_json::Value;

/// The times of many calls.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds a call's time.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that so many of 100 calls stay within, by the nearest rank; zero when there are no calls.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

impl Extend<Duration> for Times {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, times: T) {
        self.0.extend(times);
    }
}

impl IntoIterator for Times {
    type Item = Duration;
    type IntoIter = std::vec::IntoIter<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A number with so many decimals, for a table.
#[must_use]
pub fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}

/// In microseconds, with one decimal.
#[must_use]
pub fn micros(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1e6, 1)
}

/// In milliseconds, with two decimals.
#[must_use]
pub fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1e3, 2)
}

/// Prints a row of the benchmark's table: a JSON object whose field `measured` says what it is about.
pub fn print_row(row: &Value) {
    println!("{row}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_go_by_the_nearest_rank() {
        let mut times = Times::default();
        assert_eq!(times.percentile(50), Duration::ZERO);
        times.extend((1..=200).rev().map(Duration::from_micros));
        assert_eq!(times.percentile(50), Duration::from_micros(100));
        assert_eq!(times.percentile(99), Duration::from_micros(198));
        assert_eq!(times.percentile(100), Duration::from_micros(200));
    }
}
