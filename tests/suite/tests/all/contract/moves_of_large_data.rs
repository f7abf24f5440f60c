//! Moves of keys that are large or many: in bounded steps, by several callers, and with servers that are started again.

use std::thread;

use leaderboard_core::ports::{MoveProgress, MoveRefusal, Shards};
use leaderboard_test_support::values::tenant;
use leaderboard_test_support::{ShardedBackend, StoreBackend, StoreFixture, block_on};

use super::moves::{
    Fixture, add, change_step, fill, find_home, finish_move, list_keys, other_of_two, read_marker, send,
    start, step,
};

/// Creates a large key of each type, and such as need care: with an end of life, a stream without entries, one whose newest entry is
/// deleted.
const LARGE_KEYS: &str = "
    for i = 1, 30000 do
        redis.call('ZADD', 'eb:acme:x:sorted', i / 10, 'member' .. i)
        redis.call('HSET', 'eb:acme:x:hash', 'field' .. i, i)
        redis.call('XADD', 'eb:acme:x:stream', '0-' .. i, 'e', 'event' .. i, 'f', '')
    end
    for i = 1, 300 do redis.call('RPUSH', 'eb:acme:x:a  list ', i .. string.rep('x', 20000)) end
    for i = 1, 3 do redis.call('HSET', 'eb:acme:x:long', i, string.rep(string.char(i), 700000)) end
    redis.call('XDEL', 'eb:acme:x:stream', '0-30000', '0-1')
    redis.call('XADD', 'eb:acme:x:empty', '7-7', 'a', 'b')
    redis.call('XDEL', 'eb:acme:x:empty', '7-7')
    redis.call('PEXPIREAT', 'eb:acme:x:sorted', '4000000000000')
    redis.call('SET', 'eb:acme:x:text', 'a' .. string.char(0, 255), 'PXAT', '4000000000000')
";
/// Creates so many keys that a scan takes several steps.
const MANY_KEYS: &str = "for i = 1, 2500 do redis.call('SET', 'eb:acme:x:' .. i, i) end";

/// Runs a script on the server where the tenant lives.
async fn run_at_home(fixture: &Fixture, script: &str) {
    let home = find_home(fixture).await;
    send(fixture, home, "EVAL", &[script.as_bytes(), b"0"]).await;
}

#[test]
fn keys_of_any_size_are_moved_in_bounded_steps() {
    block_on(async {
        let fixture = start(2).await;
        let board = fill(&fixture).await;
        run_at_home(&fixture, LARGE_KEYS).await;
        let from = find_home(&fixture).await;
        let before = list_keys(&fixture, from).await;
        let mut copying = 0;
        loop {
            match step(&fixture, other_of_two(from)).await {
                MoveProgress::Copying => copying += 1,
                MoveProgress::Done => break,
                MoveProgress::Draining | MoveProgress::Cleaning => {}
            }
        }
        assert!(copying > 2, "{copying}");
        assert!(list_keys(&fixture, other_of_two(from)).await == before);
        assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
    });
}

#[test]
fn a_move_survives_a_server_that_is_started_again_at_any_step() {
    block_on(async {
        let mut fixture = start(2).await;
        fill(&fixture).await;
        run_at_home(&fixture, MANY_KEYS).await;
        let first = find_home(&fixture).await;
        let before = list_keys(&fixture, first).await;
        for restarted in [1, 2] {
            // Each move takes seconds, so each server is started again at every second step.
            for steps in (restarted..).step_by(2) {
                let from = find_home(&fixture).await;
                let to = other_of_two(from);
                let mut progress = MoveProgress::Draining;
                for _ in 0..steps {
                    progress = change_step(&fixture, to).await;
                }
                let server = &mut fixture.backend.0[restarted - 1];
                server.kill();
                server.restart();
                // The native client does not connect again.
                fixture = StoreFixture::on(fixture.backend).await;
                finish_move(&fixture, to).await;
                assert!(list_keys(&fixture, to).await == before, "{restarted} {steps}");
                assert!(list_keys(&fixture, from).await.is_empty(), "{restarted} {steps}");
                if progress == MoveProgress::Done {
                    break;
                }
            }
        }
    });
}

#[test]
fn a_target_that_was_emptied_gets_everything_again() {
    block_on(async {
        let mut fixture = start(2).await;
        fill(&fixture).await;
        run_at_home(&fixture, MANY_KEYS).await;
        let from = find_home(&fixture).await;
        let to = other_of_two(from);
        let before = list_keys(&fixture, from).await;
        while step(&fixture, to).await != MoveProgress::Copying {}
        step(&fixture, to).await;
        // As a server that has no persistence.
        send(&fixture, to, "FLUSHALL", &[]).await;
        let server = &mut fixture.backend.0[usize::from(to) - 1];
        server.kill();
        server.restart();
        fixture = StoreFixture::on(fixture.backend).await;
        finish_move(&fixture, to).await;
        assert!(list_keys(&fixture, to).await == before);
    });
}

#[test]
fn a_server_that_forgot_the_handover_loses_nothing() {
    block_on(async {
        for forgetting in ["target", "source"] {
            let fixture = start(2).await;
            let board = fill(&fixture).await;
            let from = find_home(&fixture).await;
            let to = other_of_two(from);
            let before = list_keys(&fixture, from).await;
            while step(&fixture, to).await != MoveProgress::Cleaning {}
            // As if the last write was lost when the server was started again.
            if forgetting == "target" {
                send(&fixture, to, "FLUSHALL", &[]).await;
            } else {
                let marker = read_marker(&fixture, from).await;
                let words: Vec<&str> = marker.split(' ').collect();
                let moving = format!("{from} moving {to} {} 0 {}", words[2], words[4]);
                send(&fixture, from, "SET", &[b"eb:acme:shard", moving.as_bytes()]).await;
            }
            finish_move(&fixture, to).await;
            assert!(list_keys(&fixture, to).await == before, "{forgetting}");
            assert!(list_keys(&fixture, from).await.is_empty(), "{forgetting}");
            assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
        }
    });
}

/// Moves the tenant as a process of its own, and returns whether the move was refused because another one was under way.
async fn move_as_another(backend: &ShardedBackend, to: u8) -> bool {
    let store = backend.open().await;
    loop {
        match store.move_tenant(&tenant("acme"), to).await {
            Ok(Ok(MoveProgress::Done)) => return false,
            Ok(Err(MoveRefusal::MovingTo(other))) => {
                assert_ne!(other, to);
                return true;
            }
            // Another caller has done the step.
            Ok(Ok(_)) | Err(leaderboard_core::StoreError::TenantUnavailable(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn several_callers_can_continue_one_move() {
    block_on(async {
        let fixture = start(3).await;
        let board = fill(&fixture).await;
        run_at_home(&fixture, LARGE_KEYS).await;
        let from = find_home(&fixture).await;
        let before = list_keys(&fixture, from).await;
        let targets: Vec<u8> = (1..=3).filter(|shard| *shard != from).collect();
        let (to, other) = (targets[0], targets[1]);
        let backend = &fixture.backend;
        thread::scope(|scope| {
            let callers: Vec<_> = (0..3)
                .map(|_| scope.spawn(move || block_on(move_as_another(backend, to))))
                .collect();
            for caller in callers {
                assert!(!caller.join().unwrap());
            }
        });
        assert_eq!(find_home(&fixture).await, to);
        assert!(list_keys(&fixture, to).await == before);

        // Two callers with different targets begin at the same time: one move is done, or each after the other.
        thread::scope(|scope| {
            for target in [from, other] {
                scope.spawn(move || block_on(move_as_another(backend, target)));
            }
        });
        let home = find_home(&fixture).await;
        assert!([from, other].contains(&home));
        finish_move(&fixture, home).await;
        assert!(list_keys(&fixture, home).await == before);
        for empty in (1..=3).filter(|shard| *shard != home) {
            assert!(list_keys(&fixture, empty).await.is_empty(), "{empty}");
        }
        assert_eq!(add(&fixture, &board, "ann", 1).await, Ok(()));
    });
}
