//! Counters of what limits did. The store adds them up; while it is out of reach the region's counts take them in.

use std::cell::RefCell;

use leaderboard_core::ports::Counters;

use crate::RateLimitEnvironment;
use leaderboard_api::FunctionName;
use leaderboard_api::rate_limits::PolicyName;
use leaderboard_telemetry::metrics::{Counted, keep};

/// The metrics whose counts the store adds up.
const IN_THE_STORE: [&str; 3] = [
    "edgeboard_requests_limited_total",
    "edgeboard_requests_unmetered_total",
    "edgeboard_changes_refused_total",
];

/// Requests refused because a limit was used up.
pub fn limited(name: PolicyName) -> Box<str> {
    format!("edgeboard_requests_limited_total{{policy=\"{}\"}}", name.as_str()).into()
}

/// Requests refused because the day's quota was used up.
pub fn limited_by_quota() -> Box<str> {
    "edgeboard_requests_limited_total{policy=\"day\"}".into()
}

/// Requests let through whose report did not reach the store.
pub(crate) fn unmetered() -> Box<str> {
    "edgeboard_requests_unmetered_total".into()
}

/// Changes refused because the store was out of reach.
pub fn changes_refused(family: FunctionName) -> Box<str> {
    format!(
        "edgeboard_changes_refused_total{{family=\"{}\"}}",
        family.as_str()
    )
    .into()
}

/// The name under which the region's part of a series is shown: the store has the other part, and a series that had both
/// would go backwards while the store is out of reach.
pub fn of_the_region(series: Box<str>) -> Box<str> {
    let (name, labels) = series.split_once('{').unwrap_or((&series, "}"));
    if !IN_THE_STORE.contains(&name) {
        return series;
    }
    let comma = if labels == "}" { "" } else { "," };
    format!("{name}{{kept=\"region\"{comma}{labels}").into()
}

/// What an instance has counted and not passed on.
#[derive(Debug, Default)]
pub struct Counts(RefCell<Counted>);

impl Counts {
    /// Counts.
    pub fn add(&self, series: Box<str>, count: u64) {
        let mut counted = self.0.borrow_mut();
        let sum = counted.entry(series).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Whether there is nothing to pass on.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// Passes on what was counted: to the store, or to the region where the store is not asked.
pub(crate) async fn pass_on<E: RateLimitEnvironment>(env: &E, to_the_store: bool) {
    let counted = env.rate_limit_state().counts.0.take();
    if counted.is_empty() {
        return;
    }
    let counts: Vec<_> = counted
        .iter()
        .map(|(series, count)| (series.clone(), *count))
        .collect();
    if !to_the_store || env.store().add(&counts).await.is_err() {
        keep(env, counted).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regions_part_of_what_the_store_counts_has_a_name_of_its_own() {
        for stored in [
            limited(PolicyName::Client),
            limited_by_quota(),
            unmetered(),
            changes_refused(FunctionName::Scores),
        ] {
            let apart = of_the_region(stored.clone());
            assert!(apart != stored && apart.contains("kept=\"region\""), "{apart}");
        }
        assert_eq!(
            &*of_the_region(unmetered()),
            "edgeboard_requests_unmetered_total{kept=\"region\"}"
        );
        assert_eq!(
            &*of_the_region(limited_by_quota()),
            "edgeboard_requests_limited_total{kept=\"region\",policy=\"day\"}"
        );
        let of_region = "edgeboard_requests_total{family=\"ranks\",status=\"2xx\"}";
        assert_eq!(&*of_the_region(of_region.into()), of_region);
    }
}
