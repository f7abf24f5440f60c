//! Tests of moves of a tenant from one Redis server to another.

use std::collections::BTreeMap;

use leaderboard_core::ports::{
    DocumentKind, DocumentName, Documents, Expected, FinishedItem, MoveProgress, MoveRefusal, NewQueueItem,
    PageFrom, Queue, RankDetail, Scores, ShardNumber, Shards,
};
use leaderboard_core::{Leaderboard, Operator, StoreError};
use leaderboard_redis::{Connection, Reply};
use leaderboard_test_support::values::{Board, board, prepared, submission};
use leaderboard_test_support::{RedisServer, ShardedBackend, StoreFixture, block_on, native_redis};

/// More calls than any move of these tests takes. The source keeps its data for two seconds.
const MOST_CALLS: u32 = 100_000;

pub(super) type Fixture = StoreFixture<ShardedBackend>;

pub(super) async fn start(servers: usize) -> Fixture {
    let servers = (0..servers).map(|_| RedisServer::start_durable());
    StoreFixture::on(ShardedBackend(servers.collect())).await
}

pub(super) fn counting_board() -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ..board("l")
    }
}

pub(super) async fn step(fixture: &Fixture, to: ShardNumber) -> MoveProgress {
    fixture
        .store
        .move_tenant(&fixture.tenant, to)
        .await
        .unwrap()
        .unwrap()
}

/// Sends requests of a move until a marker changes, or the move is done. The source keeps its data for two seconds.
pub(super) async fn change_step(fixture: &Fixture, to: ShardNumber) -> MoveProgress {
    let read_markers = async || {
        let of = async |shard| send(fixture, shard, "GET", &[b"eb:acme:shard"]).await;
        (of(1).await, of(2).await)
    };
    let before = read_markers().await;
    for _ in 0..MOST_CALLS {
        let progress = step(fixture, to).await;
        if progress == MoveProgress::Done || read_markers().await != before {
            return progress;
        }
    }
    panic!("the move stands still");
}

pub(super) async fn finish_move(fixture: &Fixture, to: ShardNumber) {
    for _ in 0..MOST_CALLS {
        if step(fixture, to).await == MoveProgress::Done {
            return;
        }
    }
    panic!("the move does not end");
}

pub(super) async fn find_home(fixture: &Fixture) -> ShardNumber {
    let place = fixture.store.find_shard(&fixture.tenant).await;
    place.unwrap().unwrap().shard
}

/// Returns another shard of two.
pub(super) fn other_of_two(shard: ShardNumber) -> ShardNumber {
    3 - shard
}

/// Sends a command to the server of a shard.
pub(super) async fn send(
    fixture: &Fixture,
    shard: ShardNumber,
    name: &str,
    arguments: &[&[u8]],
) -> Vec<Reply> {
    let server = &fixture.backend.0[usize::from(shard) - 1];
    let connection = native_redis::connect(&server.url()).await;
    connection.command(name, arguments).await.unwrap()
}

/// Returns the tenant's marker on a shard, which has one.
pub(super) async fn read_marker(fixture: &Fixture, shard: ShardNumber) -> String {
    match send(fixture, shard, "GET", &[b"eb:acme:shard"]).await.as_slice() {
        [Reply::Bytes(marker)] => String::from_utf8(marker.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Returns the tenant's keys on a shard except the marker, each with its content and the instant at which it expires.
pub(super) async fn list_keys(fixture: &Fixture, shard: ShardNumber) -> BTreeMap<String, Vec<String>> {
    let mut keys = BTreeMap::new();
    for key in send(fixture, shard, "KEYS", &[b"eb:acme:*"]).await {
        let Reply::Bytes(key) = key else { panic!("{key:?}") };
        let kind = send(fixture, shard, "TYPE", &[&key]).await;
        let kind = format!("{kind:?}");
        let (command, arguments): (_, &[&[u8]]) = match kind.as_str() {
            "[Status(\"string\")]" => ("GET", &[&key]),
            "[Status(\"hash\")]" => ("HGETALL", &[&key]),
            "[Status(\"zset\")]" => ("ZRANGE", &[&key, b"0", b"-1", b"WITHSCORES"]),
            "[Status(\"stream\")]" => ("XRANGE", &[&key, b"-", b"+"]),
            "[Status(\"list\")]" => ("LRANGE", &[&key, b"0", b"-1"]),
            other => panic!("{other}"),
        };
        let mut content = send(fixture, shard, command, arguments).await;
        content.extend(send(fixture, shard, "PEXPIRETIME", &[&key]).await);
        if command == "XRANGE" {
            let info = send(fixture, shard, "XINFO", &[b"STREAM", &key]).await;
            content.extend(info.chunks(2).filter_map(|pair| match pair {
                [Reply::Bytes(name), value] if name.ends_with(b"-id") || name == b"entries-added" => {
                    Some(value.clone())
                }
                _ => None,
            }));
        }
        let mut lines: Vec<_> = content.iter().map(|value| format!("{value:?}")).collect();
        // The order of a hash depends on its encoding.
        lines.sort();
        keys.insert(String::from_utf8(key).unwrap(), lines);
    }
    keys.remove("eb:acme:shard");
    keys
}

/// Stores data of many kinds: entries, a ban, an id, a document, a finished request of the queue.
pub(super) async fn fill(fixture: &Fixture) -> Board {
    let board = fixture.put(&counting_board()).await;
    for n in 0..300 {
        fixture.submit_score(&board, &format!("p{n}"), n).await;
    }
    fixture
        .submit_score_with_id(&board, "ann", 7, "once")
        .await
        .unwrap();
    fixture.ban("p7").await;
    let name = DocumentName {
        tenant: Some(fixture.tenant.clone()),
        kind: DocumentKind::Flags,
        id: "flags".into(),
    };
    fixture
        .store
        .put_document(&name, b"body", Expected::Any)
        .await
        .unwrap()
        .unwrap();
    enqueue(fixture, "done").await.unwrap();
    finish_queue(fixture).await;
    board
}

async fn enqueue(fixture: &Fixture, id: &str) -> Result<(), StoreError> {
    let item = NewQueueItem {
        id,
        player: None,
        digest: [7; 16],
        payload: b"x",
    };
    let enqueued = fixture.store.enqueue(&fixture.tenant, &item).await;
    enqueued.map(Result::unwrap)
}

async fn finish_queue(fixture: &Fixture) {
    let claimed = fixture.store.claim_items(100, 60_000).await.unwrap();
    let finished: Vec<_> = claimed
        .into_iter()
        .map(|item| FinishedItem {
            item,
            result: b"done".to_vec(),
        })
        .collect();
    fixture
        .store
        .finish_items(Some(&fixture.tenant), &finished)
        .await
        .unwrap();
}

/// Adds to the score of a player. Returns the error of the store.
pub(super) async fn add(
    fixture: &Fixture,
    board: &Board,
    player: &str,
    value: i64,
) -> Result<(), StoreError> {
    let prepared = prepared(&submission(&[board], player, &[value]), &[board], fixture.now());
    fixture.advance_ms(1);
    let submitted = fixture
        .store
        .submit(&fixture.tenant, &[prepared], RankDetail::Full)
        .await?;
    submitted.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    Ok(())
}

#[test]
fn a_moved_tenant_has_everything_on_the_target_alone() {
    block_on(async {
        let fixture = start(2).await;
        let board = fill(&fixture).await;
        let from = find_home(&fixture).await;
        let to = other_of_two(from);
        let before = list_keys(&fixture, from).await;
        assert!(before.len() > 10, "{}", before.len());

        finish_move(&fixture, to).await;
        assert_eq!(find_home(&fixture).await, to);
        let after = list_keys(&fixture, to).await;
        let lost: Vec<_> = before
            .iter()
            .filter(|(key, content)| after.get(*key) != Some(*content))
            .collect();
        assert!(lost.is_empty() && after.len() == before.len(), "{lost:?}");
        assert!(list_keys(&fixture, from).await.is_empty());

        // An instance that remembers the old place, and one that remembers nothing.
        assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
        let fresh = StoreFixture::on(fixture.backend).await;
        assert_eq!(fresh.page(&board, &PageFrom::Top, 1).await.count, 300);
        let again = fresh
            .submit_score_with_id(&board, "ann", 7, "once")
            .await
            .unwrap();
        assert!(again.replayed);
        let request = fresh.store.find_request(&fresh.tenant, "done").await.unwrap();
        assert_eq!(request.unwrap().result, Some(b"done".to_vec()));

        // Back again, over what the first move left.
        finish_move(&fresh, from).await;
        assert!(list_keys(&fresh, to).await.is_empty());
        assert_eq!(add(&fresh, &board, "ann", 1).await, Ok(()));
    });
}

#[test]
fn a_move_can_be_continued_and_ended_at_each_step() {
    block_on(async {
        for most in 0.. {
            let fixture = start(2).await;
            let board = fill(&fixture).await;
            let from = find_home(&fixture).await;
            let to = other_of_two(from);
            let mut progress = MoveProgress::Draining;
            for _ in 0..most {
                progress = change_step(&fixture, to).await;
            }
            let fixture = StoreFixture::on(fixture.backend).await;
            let written = add(&fixture, &board, "ann", 1).await;
            assert_eq!(
                written.is_err(),
                most > 0 && progress == MoveProgress::Copying,
                "{most}: {written:?}"
            );
            assert_eq!(
                enqueue(&fixture, "new").await.is_err(),
                most > 0 && matches!(progress, MoveProgress::Draining | MoveProgress::Copying),
                "{most}"
            );
            assert_eq!(fixture.page(&board, &PageFrom::Top, 1).await.count, 300);
            let home = if progress < MoveProgress::Cleaning {
                from
            } else {
                to
            };
            assert_eq!(find_home(&fixture).await, home, "{most}");

            finish_queue(&fixture).await;
            finish_move(&fixture, from).await;
            assert!(list_keys(&fixture, to).await.is_empty(), "{most}");
            assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
            assert_eq!(fixture.page(&board, &PageFrom::Top, 1).await.count, 300);
            if progress == MoveProgress::Done {
                break;
            }
        }
    });
}

#[test]
fn a_move_to_a_server_that_dies_can_be_ended() {
    block_on(async {
        let mut fixture = start(2).await;
        let board = fill(&fixture).await;
        let from = find_home(&fixture).await;
        let to = other_of_two(from);
        while step(&fixture, to).await != MoveProgress::Copying {}
        fixture.backend.0[usize::from(to) - 1].kill();
        let failed = fixture.store.move_tenant(&fixture.tenant, to).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        assert_eq!(fixture.page(&board, &PageFrom::Top, 1).await.count, 300);
        assert!(add(&fixture, &board, "ann", 1).await.is_err());
        // The call fails because it cannot delete the copies, and the tenant can be written.
        let ended = fixture.store.move_tenant(&fixture.tenant, from).await;
        assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
        assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
        fixture.backend.0[usize::from(to) - 1].restart();
        let fixture = StoreFixture::on(fixture.backend).await;
        finish_move(&fixture, from).await;
        assert!(list_keys(&fixture, to).await.is_empty());
        assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
    });
}

#[test]
fn a_move_that_stopped_between_source_and_target_ends_at_the_target() {
    block_on(async {
        let fixture = start(2).await;
        let board = fill(&fixture).await;
        let from = find_home(&fixture).await;
        let to = other_of_two(from);
        while step(&fixture, to).await != MoveProgress::Cleaning {}
        // As if the call had ended before the target took the tenant.
        let marker = read_marker(&fixture, from).await;
        let id = marker.split(' ').nth(2).unwrap();
        let arriving = format!("{from} arriving {id}");
        send(&fixture, to, "SET", &[b"eb:acme:shard", arriving.as_bytes()]).await;

        let fixture = StoreFixture::on(fixture.backend).await;
        assert_eq!(find_home(&fixture).await, to);
        assert!(add(&fixture, &board, "ann", 1).await.is_err());
        finish_move(&fixture, to).await;
        assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
        assert_eq!(fixture.page(&board, &PageFrom::Top, 1).await.count, 300);
        assert!(list_keys(&fixture, from).await.is_empty());
    });
}

#[test]
fn a_move_waits_for_the_queue_and_goes_to_one_shard_that_exists() {
    block_on(async {
        let fixture = start(3).await;
        let tenant = &fixture.tenant;
        // A tenant without data is placed at once.
        assert_eq!(fixture.store.find_shard(tenant).await, Ok(None));
        finish_move(&fixture, 3).await;
        fill(&fixture).await;
        assert_eq!(find_home(&fixture).await, 3);
        for no_shard in [0, 4, 255] {
            let refused = fixture.store.move_tenant(tenant, no_shard).await;
            assert_eq!(refused, Ok(Err(MoveRefusal::NoSuchShard)));
        }
        enqueue(&fixture, "waits").await.unwrap();
        for _ in 0..100 {
            assert_eq!(step(&fixture, 2).await, MoveProgress::Draining);
        }
        let refused = fixture.store.move_tenant(tenant, 1).await;
        assert_eq!(refused, Ok(Err(MoveRefusal::MovingTo(2))));
        finish_queue(&fixture).await;
        finish_move(&fixture, 2).await;
        let request = fixture.store.find_request(tenant, "waits").await.unwrap();
        assert_eq!(request.unwrap().result, Some(b"done".to_vec()));
    });
}
