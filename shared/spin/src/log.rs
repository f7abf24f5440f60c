//! Structured lines on standard error, one for each request or message.
//!
//! Standard error has no buffer, and every write is a call of the host. So the lines of requests are collected and written
//! together: at once when something failed, otherwise after a moment, which the instance lives to see (work after a response
//! keeps it).

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_pipeline::MicroCacheEntry;
use leaderboard_telemetry::{Level, LogRecord};
use serde_json::{Value, json};

/// How long lines are collected.
const COLLECTED_FOR: Duration = Duration::from_millis(20);
/// How many bytes of lines are collected at most.
const MAX_COLLECTED_BYTES: usize = 16 * 1024;

thread_local! {
    static COLLECTED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static REPEATED: RefCell<Vec<Rc<MicroCacheEntry>>> = const { RefCell::new(Vec::new()) };
    static TO_BE_WRITTEN: Cell<bool> = const { Cell::new(false) };
}

/// Writes one line of JSON, after those collected so far. A log that cannot be written is not worth failing a request for,
/// so unlike `eprintln!` this never panics.
pub(crate) fn line(line: &Value) {
    COLLECTED.with_borrow_mut(|lines| lines.extend_from_slice(format!("{line}\n").as_bytes()));
    write_collected();
}

/// Collects a request's line.
pub(crate) fn request(record: &LogRecord) {
    let collected = collect(record);
    if record.level == Level::Error || collected > MAX_COLLECTED_BYTES {
        write_collected();
    } else {
        write_soon();
    }
}

/// How many bytes there are now.
fn collect(record: &LogRecord) -> usize {
    COLLECTED.with_borrow_mut(|lines| {
        // Strings and numbers alone: there is nothing in it that could not be written.
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

/// Counts a reused response. One line per interval stands for all of them.
pub(crate) fn repeated(answer: &Rc<MicroCacheEntry>) {
    REPEATED.with_borrow_mut(|answers| {
        if !answers.iter().any(|known| Rc::ptr_eq(known, answer)) {
            answers.push(Rc::clone(answer));
        }
    });
    write_soon();
}

/// Writes that something went wrong, and what was behind it.
pub(crate) fn cause(level: &str, cause: &impl ToString) {
    line(&json!({"level": level, "cause": cause.to_string()}));
}

/// In one piece, so that lines of other instances do not come between.
fn write_collected() {
    for answer in REPEATED.take() {
        if let Some(record) = answer.take_log() {
            collect(&record);
        }
    }
    let lines = COLLECTED.take();
    if !lines.is_empty() {
        let _ = std::io::stderr().write_all(&lines);
    }
}
