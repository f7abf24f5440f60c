//! Reads and writes of a tenant while the tenant is moved from one Redis server to another.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Leaderboards, MoveProgress, PageFrom, PeriodRef, RankDetail, ReadSource, Scores, Shards,
};
use leaderboard_core::{Leaderboard, StoreError, TenantId, Versioned};
use leaderboard_test_support::values::{at, board, prepared, submission, tenant};
use leaderboard_test_support::{ShardedBackend, StoreBackend, block_on};

use super::moves::{counting_board, start};

/// What the threads of a test have done.
#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicI64,
    refused: AtomicI64,
    read: AtomicI64,
    ends: AtomicBool,
}

/// A store of its own for a thread, with the tenant and the leaderboard of the test.
async fn open_board(
    backend: &ShardedBackend,
) -> (
    <ShardedBackend as StoreBackend>::Store,
    TenantId,
    Rc<Versioned<Leaderboard>>,
) {
    let store = backend.open().await;
    let tenant = tenant("acme");
    let found = Leaderboards::get(&store, &tenant, &board("l").id).await;
    (store, tenant, Rc::new(found.unwrap().unwrap()))
}

/// Adds 1 to the score of a player until the moves end. Counts what was acknowledged, and what was refused because of a move.
async fn write_until_end(backend: &ShardedBackend, player: &str, counts: &Counts) {
    let (store, tenant, board) = open_board(backend).await;
    for n in 0.. {
        if counts.ends.load(Ordering::SeqCst) {
            break;
        }
        let score = prepared(&submission(&[&board], player, &[1]), &[&board], at(n));
        match store.submit(&tenant, &[score], RankDetail::Full).await {
            Ok(mut submitted) => {
                submitted.remove(0).unwrap();
                counts.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            Err(StoreError::TenantUnavailable(_)) => {
                counts.refused.fetch_add(1, Ordering::SeqCst);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Reads the list until the moves end. Each read succeeds.
async fn read_until_end(backend: &ShardedBackend, counts: &Counts) {
    let (store, tenant, board) = open_board(backend).await;
    let period = board.value.schedule.period_at(at(0)).id;
    let period_ref = PeriodRef {
        tenant: &tenant,
        leaderboard: &board,
        period: &period,
        now: at(0),
        source: ReadSource::Primary,
    };
    while !counts.ends.load(Ordering::SeqCst) {
        let page = store
            .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
            .await;
        assert!(page.is_ok(), "{page:?}");
        counts.read.fetch_add(1, Ordering::SeqCst);
    }
}

/// Moves the tenant to one shard after another, with reads and writes between the moves. Then ends the other threads.
async fn move_around(backend: &ShardedBackend, counts: &Counts) {
    let store = backend.open().await;
    for to in [1, 2, 3, 1, 3, 2, 1] {
        let done = || {
            counts
                .read
                .load(Ordering::SeqCst)
                .min(counts.acknowledged.load(Ordering::SeqCst))
        };
        let before = done();
        while store.move_tenant(&tenant("acme"), to).await.unwrap().unwrap() != MoveProgress::Done {}
        while done() < before + 20 {
            thread::yield_now();
        }
    }
    counts.ends.store(true, Ordering::SeqCst);
}

#[test]
fn a_tenant_can_be_read_during_moves_and_no_acknowledged_write_is_lost() {
    const PLAYERS: [&str; 2] = ["ann", "ben"];
    block_on(async {
        let fixture = start(3).await;
        let board = fixture.put(&counting_board()).await;
        let counts = Counts::default();
        let backend = &fixture.backend;
        thread::scope(|scope| {
            for player in PLAYERS {
                let counts = &counts;
                scope.spawn(move || block_on(write_until_end(backend, player, counts)));
            }
            scope.spawn(|| block_on(read_until_end(backend, &counts)));
            scope.spawn(|| block_on(move_around(backend, &counts)));
        });
        let entries = fixture.page(&board, &PageFrom::Top, 10).await.entries;
        let sum: i64 = entries
            .iter()
            .map(|ranked| ranked.entry.values.as_slice()[0])
            .sum();
        let acknowledged = counts.acknowledged.load(Ordering::SeqCst);
        assert_eq!(sum, acknowledged);
        assert!(acknowledged > 100, "{counts:?}");
    });
}
