//! Counts requests in the instance and adds the counts to the region's counts.

use std::cell::Cell;
use std::collections::BTreeMap;

use http::StatusCode;
use leaderboard_core::ports::Cache;

use crate::TelemetryEnvironment;
use leaderboard_api::FunctionName;

/// The longest time between two flushes of an instance's counts, in milliseconds. The instance stays alive for this time.
const MAX_DELAY_MS: u64 = 250;
/// The pause between two checks whether a flush is due, in milliseconds.
const TICK_MS: u64 = 50;
/// The number of counted requests that makes a flush due. An instance of Spin ends after 128 requests.
const FLUSH_AT: u64 = 100;
/// The number of slots for counts in the region's key-value store.
const SLOTS: u8 = 16;
/// The most series in a slot.
const MAX_SERIES: usize = 256;

/// Values by the series of their metric.
pub type SeriesValues = BTreeMap<Box<str>, u64>;

/// The counts of an instance that have not been added to the region's counts yet.
#[derive(Debug, Default)]
pub struct RequestCounts {
    /// Requests by the first digit of their status, from 1. An instance serves one function.
    requests: [Cell<u64>; 5],
    refused: Cell<u64>,
    unrecorded: Cell<u64>,
    /// Whether a flush is scheduled.
    flushing: Cell<bool>,
}

impl RequestCounts {
    /// Counts a request by the status of its response.
    pub fn count_request(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = self.requests.get(class) {
            count.set(count.get().saturating_add(1));
        }
    }

    /// Counts a refused credential.
    pub fn count_refused_credential(&self) {
        self.refused.set(self.refused.get().saturating_add(1));
    }

    /// Counts an action that the audit log could not record.
    pub fn count_unrecorded_action(&self) {
        self.unrecorded.set(self.unrecorded.get().saturating_add(1));
    }

    fn pending_requests(&self) -> u64 {
        self.requests.iter().map(Cell::get).fold(0, u64::saturating_add)
    }

    fn take_values(&self, function: FunctionName) -> SeriesValues {
        let mut values = SeriesValues::new();
        for (class, count) in (1..).zip(&self.requests) {
            let function = function.as_str();
            let series = format!("edgeboard_requests_total{{family=\"{function}\",status=\"{class}xx\"}}");
            add_value(&mut values, series.into(), count.take());
        }
        add_value(
            &mut values,
            "edgeboard_credentials_refused_total".into(),
            self.refused.take(),
        );
        add_value(
            &mut values,
            "edgeboard_acts_unrecorded_total".into(),
            self.unrecorded.take(),
        );
        values
    }
}

fn add_value(values: &mut SeriesValues, series: Box<str>, count: u64) {
    if count > 0 {
        let sum = values.entry(series).or_default();
        *sum = sum.saturating_add(count);
    }
}

/// Schedules a flush of this instance's counts after the response.
pub fn schedule_flush<E: TelemetryEnvironment>(env: &E, function: FunctionName) {
    if env.counts().flushing.replace(true) {
        return;
    }
    let env = env.clone();
    env.clone().later(async move {
        let counts = &env.counts();
        loop {
            let mut waited_ms = 0;
            while waited_ms < MAX_DELAY_MS && counts.pending_requests() < FLUSH_AT {
                env.pause(TICK_MS).await;
                waited_ms += TICK_MS;
            }
            add_to_region(&env, counts.take_values(function)).await;
            if counts.pending_requests() == 0 {
                counts.flushing.set(false);
                return;
            }
        }
    });
}

/// Adds values to a random slot of the region. If two instances write a slot at the same time, the values of one of them are
/// lost.
pub async fn add_to_region<E: TelemetryEnvironment>(env: &E, values: SeriesValues) {
    let slot = env.new_trace_id().first().map_or(0, |byte| byte % SLOTS);
    let mut stored = read_slot(env, slot).await;
    for (series, count) in values {
        if stored.len() < MAX_SERIES || stored.contains_key(&series) {
            add_value(&mut stored, series, count);
        }
    }
    if let Ok(bytes) = serde_json::to_vec(&stored) {
        // When the write fails, the values are lost: no other place takes them.
        let _ = env.key_value_store().put(&slot_key(slot), &bytes).await;
    }
}

/// Returns the sums of all slots of the region.
pub async fn read_region<E: TelemetryEnvironment>(env: &E) -> SeriesValues {
    let mut all = SeriesValues::new();
    for slot in 0..SLOTS {
        for (series, count) in read_slot(env, slot).await {
            add_value(&mut all, series, count);
        }
    }
    all
}

/// Reads a slot; a slot that is absent or has another format has no values.
async fn read_slot<E: TelemetryEnvironment>(env: &E, slot: u8) -> SeriesValues {
    let found = env.key_value_store().get(&slot_key(slot)).await.ok().flatten();
    found
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

fn slot_key(slot: u8) -> String {
    format!("metrics:counts:{slot}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_function_and_class_and_taken_once() {
        let counts = RequestCounts::default();
        for status in [StatusCode::OK, StatusCode::CREATED, StatusCode::NOT_FOUND] {
            counts.count_request(status);
        }
        counts.count_refused_credential();
        counts.count_unrecorded_action();
        let series: Vec<String> = counts
            .take_values(FunctionName::Ranks)
            .iter()
            .map(|(series, count)| format!("{series} {count}"))
            .collect();
        assert_eq!(
            series,
            [
                "edgeboard_acts_unrecorded_total 1",
                "edgeboard_credentials_refused_total 1",
                "edgeboard_requests_total{family=\"ranks\",status=\"2xx\"} 2",
                "edgeboard_requests_total{family=\"ranks\",status=\"4xx\"} 1",
            ]
        );
        assert!(counts.take_values(FunctionName::Ranks).is_empty());
    }
}
