//! The metrics of rate limits. The store adds the counts of all instances. While the store is out of reach, they are added to the
//! region's counts.

use std::cell::RefCell;

use leaderboard_core::ports::Counters;

use crate::RateLimitEnvironment;
use leaderboard_api::FunctionName;
use leaderboard_api::rate_limits::PolicyName;
use leaderboard_telemetry::metrics::{SeriesValues, add_to_region};

/// The metrics whose counts the store adds.
const IN_THE_STORE: [&str; 3] = [
    "edgeboard_requests_limited_total",
    "edgeboard_requests_unmetered_total",
    "edgeboard_changes_refused_total",
];

/// Returns the series of requests that a limit refused.
pub(crate) fn limited_series(name: PolicyName) -> Box<str> {
    format!("edgeboard_requests_limited_total{{policy=\"{}\"}}", name.as_str()).into()
}

/// Returns the series of requests that the daily quota refused.
pub(crate) fn quota_limited_series() -> Box<str> {
    "edgeboard_requests_limited_total{policy=\"day\"}".into()
}

/// Returns the series of admitted requests whose report did not reach the store.
pub(crate) fn unmetered_series() -> Box<str> {
    "edgeboard_requests_unmetered_total".into()
}

/// Returns the series of changes that were refused because the store was out of reach.
pub(crate) fn refused_changes_series(function: FunctionName) -> Box<str> {
    format!(
        "edgeboard_changes_refused_total{{family=\"{}\"}}",
        function.as_str()
    )
    .into()
}

/// Returns the name of a region's part of a series, with the label `kept="region"` if the store has the other part. If both parts
/// were one series, its value would go down while the store is out of reach.
pub fn regional_series(series: Box<str>) -> Box<str> {
    let (name, labels) = series.split_once('{').unwrap_or((&series, "}"));
    if !IN_THE_STORE.contains(&name) {
        return series;
    }
    let comma = if labels == "}" { "" } else { "," };
    format!("{name}{{kept=\"region\"{comma}{labels}").into()
}

/// The counts of an instance that have not been sent to the store yet.
#[derive(Debug, Default)]
pub struct LimitCounts(RefCell<SeriesValues>);

impl LimitCounts {
    /// Adds to a series.
    pub fn add(&self, series: Box<str>, count: u64) {
        let mut counted = self.0.borrow_mut();
        let sum = counted.entry(series).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Returns whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// Sends the counts to the store if `store_answers`. Otherwise, or if the store fails, adds them to the region's counts.
pub(crate) async fn flush_counts<E: RateLimitEnvironment>(env: &E, store_answers: bool) {
    let counted = env.rate_limit_state().counts.0.take();
    if counted.is_empty() {
        return;
    }
    let counts: Vec<_> = counted
        .iter()
        .map(|(series, count)| (series.clone(), *count))
        .collect();
    if !store_answers || env.store().add(&counts).await.is_err() {
        add_to_region(env, counted).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regional_part_of_a_stored_series_has_its_own_name() {
        for stored in [
            limited_series(PolicyName::Client),
            quota_limited_series(),
            unmetered_series(),
            refused_changes_series(FunctionName::Scores),
        ] {
            let regional = regional_series(stored.clone());
            assert!(
                regional != stored && regional.contains("kept=\"region\""),
                "{regional}"
            );
        }
        assert_eq!(
            &*regional_series(unmetered_series()),
            "edgeboard_requests_unmetered_total{kept=\"region\"}"
        );
        assert_eq!(
            &*regional_series(quota_limited_series()),
            "edgeboard_requests_limited_total{kept=\"region\",policy=\"day\"}"
        );
        let of_region = "edgeboard_requests_total{family=\"ranks\",status=\"2xx\"}";
        assert_eq!(&*regional_series(of_region.into()), of_region);
    }
}
