//! The log: lines of JSON on standard error, one for each request or message.
//!
//! Standard error has no buffer, and every write is a call of the host. So the lines of requests are collected and written
//! together: at once after an error, otherwise after a short time. The instance lives until then, because work after a response
//! keeps it alive.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_pipeline::MicroCacheEntry;
use leaderboard_telemetry::{Level, LogRecord};
use serde_json::{Value, json};

/// The time after which collected lines are written.
const COLLECTED_FOR: Duration = Duration::from_millis(50);
/// The number of collected bytes after which the lines are written at once.
const MAX_COLLECTED_BYTES: usize = 16 * 1024;

thread_local! {
    static COLLECTED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static REUSED: RefCell<Vec<Rc<MicroCacheEntry>>> = const { RefCell::new(Vec::new()) };
    static TO_BE_WRITTEN: Cell<bool> = const { Cell::new(false) };
}

/// Writes the collected lines and one line of JSON. If the log cannot be written, the line is lost: a request must not fail
/// because of the log. `eprintln!` would panic.
pub(crate) fn write_line(line: &Value) {
    COLLECTED.with_borrow_mut(|lines| lines.extend_from_slice(format!("{line}\n").as_bytes()));
    write_collected();
}

/// Collects the line of a request.
pub(crate) fn collect_request(record: &LogRecord) {
    let collected = collect(record);
    if record.level == Level::Error || collected > MAX_COLLECTED_BYTES {
        write_collected();
    } else {
        write_soon();
    }
}

/// Adds a line, and returns the number of collected bytes.
fn collect(record: &LogRecord) -> usize {
    COLLECTED.with_borrow_mut(|lines| {
        // The record contains only strings and numbers, so serialising it cannot fail.
        let _ = serde_json::to_writer(&mut *lines, record);
        lines.push(b'\n');
        lines.len()
    })
}

fn write_soon() {
    if !TO_BE_WRITTEN.replace(true) {
        spin_sdk::wasip3::spawn(async {
            spin_sdk::time::sleep(COLLECTED_FOR).await;
            TO_BE_WRITTEN.set(false);
            write_collected();
        });
    }
}

/// Records that a response of the micro-cache was reused. All reuses of a response within an interval become one line.
pub(crate) fn collect_reuse(response: &Rc<MicroCacheEntry>) {
    REUSED.with_borrow_mut(|responses| {
        if !responses.iter().any(|known| Rc::ptr_eq(known, response)) {
            responses.push(Rc::clone(response));
        }
    });
    write_soon();
}

/// Writes a line with the cause of a failure.
pub(crate) fn write_cause(level: &str, cause: &impl ToString) {
    write_line(&json!({"level": level, "cause": cause.to_string()}));
}

/// Writes all collected lines in one call, so that lines of other instances cannot come between them.
fn write_collected() {
    for response in REUSED.take() {
        if let Some(record) = response.take_log() {
            collect(&record);
        }
    }
    let lines = COLLECTED.take();
    if !lines.is_empty() {
        let _ = std::io::stderr().write_all(&lines);
    }
}
