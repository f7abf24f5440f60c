//! What size costs on Redis: bytes of memory for an entry, and the time of rank, around, page and submission on
//! a leaderboard of 10,000 and on one of 1,000,000 entries of the same server, in turns.
//!
//! The times are those of a native client next to Redis, so they hold the way there and back; `inside Redis` is
//! what the server itself counts for a script.

mod board;
mod calls;
mod memory;

use std::error::Error;

use leaderboard_suite::RedisServer;
use leaderboard_suite::measure::{micros, print_row, rounded};
use serde_json::json;

use board::{Board, World};
use calls::{Cost, Operation};

type Outcome<T> = Result<T, Box<dyn Error>>;

const SMALL: u64 = 10_000;
const LARGE: u64 = 1_000_000;
/// What each of a million entries may take, its event in the log included, in bytes of Redis memory.
const MAX_ENTRY_BYTES: u64 = 260;
/// How many times the time on the small leaderboard the large one may take.
const MAX_RATIO: f64 = 1.5;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Outcome<()> {
    let server = RedisServer::start();
    let world = World::connect(&server.url()).await?;
    world.warm_up().await?;
    let small = grow(&world, "small", SMALL).await?;
    let large = grow(&world, "large", LARGE).await?;
    print_memory(&world, [&small, &large]).await?;
    for operation in Operation::ALL {
        let [small, large] = calls::in_turns(&world, operation, [&small.board, &large.board]).await?;
        print_times(operation, &small, &large);
    }
    Ok(())
}

/// A leaderboard and the memory that came with it.
struct Grown {
    board: Board,
    bytes: u64,
}

async fn grow(world: &World, name: &str, entries: u64) -> Outcome<Grown> {
    let before = memory::used(world).await?;
    let board = world.fill(name, entries).await?;
    let bytes = memory::used(world).await?.saturating_sub(before);
    Ok(Grown { board, bytes })
}

async fn print_memory(world: &World, grown: [&Grown; 2]) -> Outcome<()> {
    let each = grown.map(|grown| grown.bytes / grown.board.entries);
    print_row(&json!({
        "measured": "memory of an entry with its event", "unit": "bytes",
        "10k": each[0], "1M": each[1], "target": format!("≤ {MAX_ENTRY_BYTES}"),
        "reached": each[1] <= MAX_ENTRY_BYTES,
    }));
    let mut parts = Vec::new();
    for one in grown {
        parts.push(memory::parts(world, &one.board).await?);
    }
    let [small, large] = parts.as_slice() else {
        return Ok(());
    };
    for (what, large) in large {
        let small = small.iter().find(|(own, _)| own == what).map(|(_, bytes)| *bytes);
        print_row(&json!({
            "measured": format!("of it: {what}"), "unit": "bytes", "10k": small, "1M": large,
        }));
    }
    Ok(())
}

fn print_times(operation: Operation, small: &Cost, large: &Cost) {
    let row = |what: &str, small: f64, large: f64| {
        json!({
            "measured": format!("{}: {what}", operation.name()), "unit": "µs",
            "10k": small, "1M": large, "ratio": rounded(large / small, 2),
        })
    };
    let [fast, slow] = [small, large].map(|cost| micros(cost.times.percentile(50)));
    let mut median = row("median", fast, slow);
    if let Some(fields) = median.as_object_mut() {
        fields.insert("target".into(), format!("ratio ≤ {MAX_RATIO}").into());
        fields.insert("reached".into(), (slow / fast <= MAX_RATIO).into());
    }
    print_row(&median);
    let [fast, slow] = [small, large].map(|cost| micros(cost.times.percentile(99)));
    print_row(&row("p99", fast, slow));
    let [fast, slow] = [small, large].map(|cost| rounded(cost.inside_us, 1));
    print_row(&row("mean inside Redis", fast, slow));
}
