//! The log of a leaderboard keeps the configured number of events and counts their size, also after another call has trimmed it.

use std::rc::Rc;

use leaderboard_core::ports::Scores;
use leaderboard_core::{Leaderboard, Versioned};
use leaderboard_redis::{RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{DAY_MS, NOW_MS, attempt, daily, put, simple, tenant, terms};

const KEPT: u32 = 5;

async fn submit(
    store: &RedisStore<NativeRedis>,
    board: &Rc<Versioned<Leaderboard>>,
    values: impl IntoIterator<Item = i64>,
    now_ms: i64,
) {
    for value in values {
        let attempts = [attempt(board, "p", value, now_ms)];
        let submitted = store.submit_with_options(&tenant(), &attempts, &terms()).await;
        assert!(submitted.unwrap().answers[0].is_ok());
    }
}

async fn events(server: &Server) -> Reply {
    server.ask("XLEN eb:acme:b:a:log").await.remove(0)
}

fn few_events(keep_days: u16) -> Leaderboard {
    let mut board = simple("a");
    board.log.keep_events = KEPT;
    board.log.keep_days = keep_days;
    board
}

#[tokio::test]
async fn a_log_keeps_its_number_of_events_whatever_is_known_of_the_oldest() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &few_events(30)).await;
    submit(&store, &board, 0..20, NOW_MS).await;
    assert_eq!(events(&server).await, Reply::Integer(KEPT.into()));
    for change in [
        // An earlier version of the code knows nothing of the oldest event, and trims without it.
        "HDEL eb:acme:b:a:doc o i",
        "XTRIM eb:acme:b:a:log MAXLEN 1",
        "HSET eb:acme:b:a:doc o 1",
        "HSET eb:acme:b:a:doc i 1",
        // A log that was lost begins again.
        "DEL eb:acme:b:a:log",
    ] {
        server.ask(change).await;
        submit(&store, &board, 20..30, NOW_MS).await;
        assert_eq!(events(&server).await, Reply::Integer(KEPT.into()), "{change}");
    }
}

#[tokio::test]
async fn events_leave_the_log_when_they_are_too_old() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &few_events(1)).await;
    submit(&store, &board, 0..4, NOW_MS).await;
    submit(&store, &board, [4], NOW_MS + DAY_MS).await;
    assert_eq!(events(&server).await, Reply::Integer(5));
    submit(&store, &board, [5], NOW_MS + DAY_MS + 1).await;
    assert_eq!(events(&server).await, Reply::Integer(2));
}

#[tokio::test]
async fn one_call_to_two_periods_counts_all_its_events() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut leaderboard = simple("a");
    leaderboard.schedule = daily();
    let board = put(&store, &leaderboard).await;
    let size = async || {
        let log = server.ask("HGET eb:acme:b:a:doc n").await;
        assert_eq!(log, server.ask("HGET eb:acme:log_bytes e").await);
        let [Reply::Bytes(bytes)] = &log[..] else {
            panic!("{log:?}")
        };
        let text = String::from_utf8(bytes.clone()).unwrap();
        text.parse::<u64>().unwrap()
    };
    let mut sizes = Vec::new();
    for _ in 0..2 {
        let before = size().await;
        let attempts = [NOW_MS, NOW_MS + DAY_MS].map(|now_ms| attempt(&board, "p", 1, now_ms));
        let submitted = store.submit_with_options(&tenant(), &attempts, &terms()).await;
        assert!(submitted.unwrap().answers.iter().all(Result::is_ok));
        sizes.push(size().await - before);
    }
    // The same two events, which keep the entries the second time.
    assert_eq!(sizes[0], sizes[1]);
    assert_eq!(events(&server).await, Reply::Integer(5));
}
