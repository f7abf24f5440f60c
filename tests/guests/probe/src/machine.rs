//! Requests that make the guest wait, run, grow, print or stream.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use futures::SinkExt;
use http_body_util::BodyExt;
use spin_sdk::wasip3::clocks::monotonic_clock;

use crate::Body;

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;
const BYTES_PER_MEBIBYTE: usize = 1 << 20;

/// The number of requests that have read the identity of this instance.
static SEEN: AtomicU64 = AtomicU64::new(0);
/// The time of the first such request. It differs between instances, so it is the identity of this instance.
static BORN: AtomicU64 = AtomicU64::new(0);

/// Returns the identity of this instance, and the number of requests that have read it, this request
/// included.
pub(crate) fn instance() -> String {
    if BORN.load(Relaxed) == 0 {
        BORN.store(monotonic_clock::now(), Relaxed);
    }
    format!("{} {}", BORN.load(Relaxed), SEEN.fetch_add(1, Relaxed) + 1)
}

/// Waits for `ms` milliseconds without running.
pub(crate) async fn sleep(ms: u64) -> String {
    monotonic_clock::wait_for(ms * NANOSECONDS_PER_MILLISECOND).await;
    "slept".to_owned()
}

/// Runs for `ms` milliseconds without waiting.
pub(crate) fn busy(ms: u64) -> String {
    let end = monotonic_clock::now() + ms * NANOSECONDS_PER_MILLISECOND;
    let mut rounds = 0_u64;
    while monotonic_clock::now() < end {
        rounds += 1;
    }
    format!("busy for {rounds} rounds")
}

/// Runs forever, without any call of the host.
pub(crate) fn run_away() -> String {
    let mut rounds = 0_u64;
    loop {
        rounds = std::hint::black_box(rounds.wrapping_add(1));
        if rounds == u64::MAX {
            return rounds.to_string();
        }
    }
}

/// Allocates `mib` mebibytes of memory and writes to them.
pub(crate) fn grow(mib: u64) -> String {
    let bytes = usize::try_from(mib).unwrap_or(0) * BYTES_PER_MEBIBYTE;
    let memory = std::hint::black_box(vec![1_u8; bytes]);
    format!("grew by {}", memory.len())
}

/// Prints a line to standard output and a line to standard error.
pub(crate) fn print(text: &str) -> String {
    println!("out {text}");
    eprintln!("err {text}");
    "printed".to_owned()
}

/// Returns a body that streams `chunks` numbered lines, with a pause of `ms` milliseconds after each line.
pub(crate) fn stream(chunks: u64, ms: u64) -> Body {
    let (mut sender, body) = spin_sdk::http::body::stream::<Bytes>();
    spin_sdk::wasip3::spawn(async move {
        for chunk in 0..chunks {
            if sender.send(Bytes::from(format!("{chunk}\n"))).await.is_err() {
                break;
            }
            monotonic_clock::wait_for(ms * NANOSECONDS_PER_MILLISECOND).await;
        }
    });
    body.boxed_unsync()
}
