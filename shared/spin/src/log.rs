//! Structured lines on standard error, one for each request or message.

use std::io::Write;
use std::time::Instant;

use leaderboard_http::LogRecord;
use serde_json::{Value, json};

/// Writes one line of JSON. A log that cannot be written is not worth failing a request for, so unlike
/// `eprintln!` this never panics.
pub(crate) fn line(line: &Value) {
    // In one piece: standard error has no buffer, and every piece would be a call of the host.
    let text = format!("{line}\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Writes a request's record with how long it took.
pub(crate) fn request(record: &LogRecord, started: Instant) {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(record) else {
        return;
    };
    let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    fields.insert("duration_us".into(), duration_us.into());
    line(&Value::Object(fields));
}

/// Writes that something went wrong, and what was behind it.
pub(crate) fn cause(level: &str, cause: &impl ToString) {
    line(&json!({"level": level, "cause": cause.to_string()}));
}
