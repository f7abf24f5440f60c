//! Tests that the log of a leaderboard keeps the configured number of events and counts their size, also
//! after another call has trimmed the log.

use std::rc::Rc;

use leaderboard_core::ports::Scores;
use leaderboard_core::{Leaderboard, Versioned};
use leaderboard_redis::{RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, daily_schedule, prepare, put, simple_leaderboard, submit_options, tenant,
};

/// The number of events that the log keeps.
const KEPT: u32 = 5;

async fn submit(
    store: &RedisStore<NativeRedis>,
    board: &Rc<Versioned<Leaderboard>>,
    values: impl IntoIterator<Item = i64>,
    now_ms: i64,
) {
    for value in values {
        let submissions = [prepare(board, "p", value, now_ms)];
        let submitted = store
            .submit_with_options(&tenant(), &submissions, &submit_options())
            .await;
        assert!(submitted.unwrap().answers[0].is_ok());
    }
}

/// Returns the number of events in the log.
async fn count_events(server: &Server) -> Reply {
    server.run_command("XLEN eb:acme:b:a:log").await.remove(0)
}

/// Returns a leaderboard that keeps [`KEPT`] events for at most `keep_days` days.
fn leaderboard_with_few_events(keep_days: u16) -> Leaderboard {
    let mut board = simple_leaderboard("a");
    board.log.keep_events = KEPT;
    board.log.keep_days = keep_days;
    board
}

#[tokio::test]
async fn a_log_keeps_its_number_of_events_if_the_oldest_event_is_unknown() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &leaderboard_with_few_events(30)).await;
    submit(&store, &board, 0..20, NOW_MS).await;
    assert_eq!(count_events(&server).await, Reply::Integer(KEPT.into()));
    for change in [
        // An earlier version of the code does not store the oldest event, and trims the log without it.
        "HDEL eb:acme:b:a:doc o i",
        "XTRIM eb:acme:b:a:log MAXLEN 1",
        "HSET eb:acme:b:a:doc o 1",
        "HSET eb:acme:b:a:doc i 1",
        // A lost log starts again.
        "DEL eb:acme:b:a:log",
    ] {
        server.run_command(change).await;
        submit(&store, &board, 20..30, NOW_MS).await;
        assert_eq!(
            count_events(&server).await,
            Reply::Integer(KEPT.into()),
            "{change}"
        );
    }
}

#[tokio::test]
async fn events_leave_the_log_when_they_are_too_old() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &leaderboard_with_few_events(1)).await;
    submit(&store, &board, 0..4, NOW_MS).await;
    submit(&store, &board, [4], NOW_MS + DAY_MS).await;
    assert_eq!(count_events(&server).await, Reply::Integer(5));
    submit(&store, &board, [5], NOW_MS + DAY_MS + 1).await;
    assert_eq!(count_events(&server).await, Reply::Integer(2));
}

#[tokio::test]
async fn a_call_that_changes_two_periods_counts_all_its_events() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut leaderboard = simple_leaderboard("a");
    leaderboard.schedule = daily_schedule();
    let board = put(&store, &leaderboard).await;
    let size = async || {
        let log = server.run_command("HGET eb:acme:b:a:doc n").await;
        assert_eq!(log, server.run_command("HGET eb:acme:log_bytes e").await);
        let [Reply::Bytes(bytes)] = &log[..] else {
            panic!("{log:?}")
        };
        let text = String::from_utf8(bytes.clone()).unwrap();
        text.parse::<u64>().unwrap()
    };
    let mut sizes = Vec::new();
    for _ in 0..2 {
        let before = size().await;
        let submissions = [NOW_MS, NOW_MS + DAY_MS].map(|now_ms| prepare(&board, "p", 1, now_ms));
        let submitted = store
            .submit_with_options(&tenant(), &submissions, &submit_options())
            .await;
        assert!(submitted.unwrap().answers.iter().all(Result::is_ok));
        sizes.push(size().await - before);
    }
    // The second call records the same two events, although it leaves the entries unchanged.
    assert_eq!(sizes[0], sizes[1]);
    assert_eq!(count_events(&server).await, Reply::Integer(5));
}
