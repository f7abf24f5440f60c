//! One structured line for each request, on standard error.

use std::time::Instant;

use leaderboard_http::LogRecord;

/// Writes the record as one line of JSON with how long it took. A log that cannot be written is not worth
/// failing a request for.
pub(crate) fn write(record: &LogRecord, started: Instant) {
    let Ok(serde_json::Value::Object(mut line)) = serde_json::to_value(record) else {
        return;
    };
    let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    line.insert("duration_us".into(), duration_us.into());
    eprintln!("{}", serde_json::Value::Object(line));
}
