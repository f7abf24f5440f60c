//! JSON in and out: one submission and a batch of 1,000; pages of 10 and of 1,000 entries.
#![expect(
    clippy::expect_used,
    reason = "a benchmark stops at once when its input is wrong"
)]

use std::hint::black_box;
use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use leaderboard_api::wire::{ranks, read_scores};
use leaderboard_api::{ApiVersion, IntegerFormat, json};
use leaderboard_core::ports::Page;
use leaderboard_core::usecase::{Direction, Listing};
use leaderboard_core::{
    Entry, Leaderboard, LeaderboardId, Metadata, Period, PlayerId, RankedEntry, Timestamp, Values, Versioned,
};

const SUBMISSION: &str = r#"{"player": "José Piendibene (Uruguay)", "score": 1, "metadata": {"team": "Uruguay", "minute": 44}, "occurred_at": "1916-07-02T00:00:00Z", "id": "1916-07-02/3"}"#;

fn board() -> LeaderboardId {
    LeaderboardId::new("goals").expect("a valid id")
}

fn listing(entries: u64) -> Listing {
    let value = Leaderboard::new(board());
    let layout = value.layout();
    let metadata = Metadata::from_json_text(r#"{"team":"Uruguay","minute":44}"#).expect("short metadata");
    let ranked = |rank: u64| RankedEntry {
        rank,
        entry: Entry {
            player: PlayerId::new(format!("player-{rank}")).expect("a valid player"),
            values: Values::new(vec![1_000_000 - i64::try_from(rank).expect("a small rank")]),
            reached_at: Timestamp::MIN,
            metadata: Some(metadata.clone()),
            attempts: 1,
        },
    };
    Listing {
        leaderboard: Rc::new(Versioned { version: 1, value }),
        page: Page {
            layout: Some(layout.clone()),
            version: 1,
            count: entries,
            entries: (1..=entries).map(ranked).collect(),
            more_before: false,
            more_after: false,
        },
        layout,
        period: Period::all_time(),
        next: None,
        previous: None,
        direction: Direction::Next,
        started_from: 1,
        drifted: false,
    }
}

fn json_in(criterion: &mut Criterion) {
    let (board, mut group) = (board(), criterion.benchmark_group("json in"));
    let batch = format!("{{\"scores\": [{}]}}", vec![SUBMISSION; 1000].join(", "));
    for (name, body, count) in [
        ("one submission", SUBMISSION, 1),
        ("a batch of 1000", batch.as_str(), 1000),
    ] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            bencher.iter(|| read_scores(black_box(body.as_bytes()), &board).expect("a valid body"));
        });
    }
    group.finish();
}

fn json_out(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json out");
    for count in [10, 1000] {
        let listing = listing(count);
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("a page of {count}"), |bencher| {
            bencher.iter(|| {
                let page = ranks::page(ApiVersion::V1, black_box(&listing), None).expect("a page");
                json::write(&page, IntegerFormat::default()).expect("a document")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, json_in, json_out);
criterion_main!(benches);
