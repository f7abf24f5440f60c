//! Tests of snapshots: their bytes, their weight, and when they are not stored.

use leaderboard_core::ports::{
    Expected, Leaderboards, NewSnapshot, RateLimits, SNAPSHOT_OVERHEAD_BYTES, SnapshotSummary, Snapshots,
};
use leaderboard_test_support::values::{Board, board, id};
use leaderboard_test_support::{StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

/// Stores a snapshot. Returns whether there is one at the position now.
async fn put<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
    (position, bytes): (u64, &[u8]),
    replaced: &[u64],
    max_log_bytes: Option<u64>,
) -> bool {
    let snapshot = NewSnapshot {
        summary: SnapshotSummary {
            position,
            latest_at: fixture.now(),
        },
        bytes,
        configuration_version: board.version,
        replaced,
        at: fixture.now(),
        max_log_bytes,
    };
    let stored = fixture
        .store
        .put_snapshot(&fixture.tenant, &board.value.id, &snapshot)
        .await;
    stored.unwrap()
}

async fn positions<B: StoreBackend>(fixture: &StoreFixture<B>, name: &str) -> Vec<u64> {
    let listed = fixture
        .store
        .list_snapshots(&fixture.tenant, &id(name))
        .await
        .unwrap();
    listed.into_iter().map(|snapshot| snapshot.position).collect()
}

async fn read<B: StoreBackend>(fixture: &StoreFixture<B>, name: &str, position: u64) -> Option<Vec<u8>> {
    fixture
        .store
        .read_snapshot(&fixture.tenant, &id(name), position)
        .await
        .unwrap()
}

async fn log_bytes<B: StoreBackend>(fixture: &StoreFixture<B>) -> u64 {
    fixture.store.usage(&fixture.tenant, 1).await.unwrap().1.log_bytes
}

on_both_stores! {
    async fn snapshots_are_listed_by_position_and_keep_their_bytes(fixture) {
        let board = fixture.put(&board("l")).await;
        let all_bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        for (position, bytes) in [(10, &b"ten"[..]), (9, b""), (1_000_000, &all_bytes)] {
            fixture.advance_ms(5);
            assert!(put(&fixture, &board, (position, bytes), &[], None).await);
            assert_eq!(read(&fixture, "l", position).await.as_deref(), Some(bytes));
        }
        let listed = fixture.store.list_snapshots(&fixture.tenant, &id("l")).await.unwrap();
        let last = SnapshotSummary { position: 1_000_000, latest_at: fixture.now() };
        assert_eq!(listed.last(), Some(&last));
        assert_eq!(positions(&fixture, "l").await, [9, 10, 1_000_000]);
        assert_eq!(read(&fixture, "l", 11).await, None);
        assert_eq!((positions(&fixture, "none").await, read(&fixture, "none", 9).await), (vec![], None));
    }

    async fn all_snapshots_of_a_leaderboard_are_deleted(fixture) {
        let board = fixture.put(&board("l")).await;
        let before = log_bytes(&fixture).await;
        for position in 1..=3 {
            assert!(put(&fixture, &board, (position, b"bytes"), &[], None).await);
        }
        for name in ["l", "l", "none"] {
            fixture.store.delete_snapshots(&fixture.tenant, &id(name), fixture.now()).await.unwrap();
        }
        assert_eq!((positions(&fixture, "l").await, read(&fixture, "l", 2).await), (vec![], None));
        assert_eq!(log_bytes(&fixture).await, before);
        // A snapshot of what was read before is not stored afterwards.
        assert!(!put(&fixture, &board, (4, b"late"), &[], None).await);
        let current = fixture.read_leaderboard(&board.value).await;
        assert!(put(&fixture, &current, (4, b"new"), &[], None).await);
        fixture.submit_score(&current, "ann", 1).await;
    }

    async fn a_snapshot_at_the_same_position_stays(fixture) {
        let board = fixture.put(&board("l")).await;
        assert!(put(&fixture, &board, (3, b"first"), &[], None).await);
        assert!(put(&fixture, &board, (3, b"second"), &[], None).await);
        assert_eq!(read(&fixture, "l", 3).await.as_deref(), Some(&b"first"[..]));
    }

    async fn a_snapshot_weighs_as_much_as_its_bytes_until_it_is_replaced(fixture) {
        let board = fixture.put(&board("l")).await;
        let before = log_bytes(&fixture).await;
        let weight = |bytes: &[u8]| bytes.len() as u64 + SNAPSHOT_OVERHEAD_BYTES;
        put(&fixture, &board, (3, b"three"), &[], None).await;
        put(&fixture, &board, (4, b"four"), &[], None).await;
        assert_eq!(log_bytes(&fixture).await, before + weight(b"three") + weight(b"four"));
        put(&fixture, &board, (5, b"five!!"), &[3, 77], None).await;
        assert_eq!(positions(&fixture, "l").await, [4, 5]);
        assert_eq!(read(&fixture, "l", 3).await, None);
        assert_eq!(log_bytes(&fixture).await, before + weight(b"four") + weight(b"five!!"));
    }

    async fn a_snapshot_without_room_is_not_stored(fixture) {
        let board = fixture.put(&board("l")).await;
        let used = log_bytes(&fixture).await;
        let weight = 10 + SNAPSHOT_OVERHEAD_BYTES;
        assert!(!put(&fixture, &board, (3, &[7; 10]), &[], Some(used + weight - 1)).await);
        assert_eq!((positions(&fixture, "l").await, log_bytes(&fixture).await), (vec![], used));
        assert!(put(&fixture, &board, (3, &[7; 10]), &[], Some(used + weight)).await);
        // The room of a replaced snapshot is free.
        assert!(put(&fixture, &board, (4, &[7; 10]), &[3], Some(used + weight)).await);
        assert_eq!(positions(&fixture, "l").await, [4]);
    }

    async fn a_snapshot_of_another_configuration_or_leaderboard_is_not_stored(fixture) {
        let configuration = board("l");
        let old = fixture.put(&configuration).await;
        let new = fixture.put(&leaderboard_core::Leaderboard { title: "new".into(), ..configuration.clone() }).await;
        assert!(!put(&fixture, &old, (1, b"old"), &[], None).await);
        assert!(put(&fixture, &new, (1, b"new"), &[], None).await);
        fixture.store.delete(&fixture.tenant, &id("l"), Expected::Any).await.unwrap().unwrap();
        assert_eq!(positions(&fixture, "l").await, Vec::<u64>::new());
        assert!(!put(&fixture, &new, (1, b"deleted"), &[], None).await);
        while fixture.store.sweep(&fixture.tenant).await.unwrap() {}
        assert_eq!(log_bytes(&fixture).await, 0);
        fixture.put(&configuration).await;
        assert_eq!((positions(&fixture, "l").await, read(&fixture, "l", 1).await), (vec![], None));
        assert!(!put(&fixture, &new, (1, b"of before"), &[], None).await);
    }
}
