//! Counting requests.

use std::cell::Cell;
use std::collections::BTreeMap;

use http::StatusCode;
use leaderboard_core::ports::Cache;

use crate::TelemetryEnvironment;
use leaderboard_api::FunctionName;

/// For how long an instance gathers counts at most before it passes them on, in milliseconds. It lives on for as long.
const GATHER_MS: u64 = 250;
/// How often it looks whether it has enough of them, in milliseconds.
const TICK_MS: u64 = 50;
/// How many counted requests are enough: an instance that is busy serves few more in its life.
const ENOUGH: u64 = 100;
/// How many slots of the region's key-value store hold counts.
const SLOTS: u8 = 16;
/// The most series in a slot.
const MAX_SERIES: usize = 256;

/// Counted things, by the series of the metric.
pub type Counted = BTreeMap<Box<str>, u64>;

/// What an instance has counted and not passed on.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests by the first digit of their status, from 1. An instance serves one family.
    requests: [Cell<u64>; 5],
    refused: Cell<u64>,
    unrecorded: Cell<u64>,
    /// Whether somebody is about to pass them on.
    passing: Cell<bool>,
}

impl Counts {
    /// Counts a request.
    pub fn request(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = self.requests.get(class) {
            count.set(count.get().saturating_add(1));
        }
    }

    /// Counts a refused credential.
    pub fn refused(&self) {
        self.refused.set(self.refused.get().saturating_add(1));
    }

    /// Counts an act that the audit log took no record of.
    pub fn unrecorded(&self) {
        self.unrecorded.set(self.unrecorded.get().saturating_add(1));
    }

    fn pending(&self) -> u64 {
        self.requests.iter().map(Cell::get).fold(0, u64::saturating_add)
    }

    fn take(&self, family: FunctionName) -> Counted {
        let mut counted = Counted::new();
        for (class, count) in (1..).zip(&self.requests) {
            let family = family.as_str();
            let series = format!("edgeboard_requests_total{{family=\"{family}\",status=\"{class}xx\"}}");
            add(&mut counted, series.into(), count.take());
        }
        add(
            &mut counted,
            "edgeboard_credentials_refused_total".into(),
            self.refused.take(),
        );
        add(
            &mut counted,
            "edgeboard_acts_unrecorded_total".into(),
            self.unrecorded.take(),
        );
        counted
    }
}

fn add(counted: &mut Counted, series: Box<str>, count: u64) {
    if count > 0 {
        let sum = counted.entry(series).or_default();
        *sum = sum.saturating_add(count);
    }
}

/// Sees to it that what this instance has counted is passed on soon, after the response.
pub fn pass_on<E: TelemetryEnvironment>(env: &E, family: FunctionName) {
    if env.counts().passing.replace(true) {
        return;
    }
    let env = env.clone();
    env.clone().later(async move {
        let counts = &env.counts();
        loop {
            let mut waited_ms = 0;
            while waited_ms < GATHER_MS && counts.pending() < ENOUGH {
                env.pause(TICK_MS).await;
                waited_ms += TICK_MS;
            }
            keep(&env, counts.take(family)).await;
            if counts.pending() == 0 {
                counts.passing.set(false);
                return;
            }
        }
    });
}

/// Adds to a slot. Any will do; instances that choose the same one at the same moment lose counts.
pub async fn keep<E: TelemetryEnvironment>(env: &E, counted: Counted) {
    let slot = env.new_trace_id().first().map_or(0, |byte| byte % SLOTS);
    let mut kept = read(env, slot).await;
    for (series, count) in counted {
        if kept.len() < MAX_SERIES || kept.contains_key(&series) {
            add(&mut kept, series, count);
        }
    }
    if let Ok(bytes) = serde_json::to_vec(&kept) {
        // There is no other place for them.
        let _ = env.region().put(&key(slot), &bytes).await;
    }
}

/// What the region has counted.
pub async fn region<E: TelemetryEnvironment>(env: &E) -> Counted {
    let mut all = Counted::new();
    for slot in 0..SLOTS {
        for (series, count) in read(env, slot).await {
            add(&mut all, series, count);
        }
    }
    all
}

/// Nothing, where there is no slot, or one of another time or another program.
async fn read<E: TelemetryEnvironment>(env: &E, slot: u8) -> Counted {
    let found = env.region().get(&key(slot)).await.ok().flatten();
    found
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

fn key(slot: u8) -> String {
    format!("metrics:counts:{slot}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_family_and_class_and_taken_once() {
        let counts = Counts::default();
        for status in [StatusCode::OK, StatusCode::CREATED, StatusCode::NOT_FOUND] {
            counts.request(status);
        }
        counts.refused();
        counts.unrecorded();
        let told: Vec<String> = counts
            .take(FunctionName::Ranks)
            .iter()
            .map(|(series, count)| format!("{series} {count}"))
            .collect();
        assert_eq!(
            told,
            [
                "edgeboard_acts_unrecorded_total 1",
                "edgeboard_credentials_refused_total 1",
                "edgeboard_requests_total{family=\"ranks\",status=\"2xx\"} 2",
                "edgeboard_requests_total{family=\"ranks\",status=\"4xx\"} 1",
            ]
        );
        assert!(counts.take(FunctionName::Ranks).is_empty());
    }
}
