//! What a log takes up: the memory of the server, measured.

use leaderboard_core::ports::{RateLimits, Scores, SubmitTerms};
use leaderboard_core::{
    IDEMPOTENCY_RECORD_BYTES, Leaderboard, MAX_METADATA_BYTES, Metadata, Operator, RefusalReason, Status,
    SubmissionId,
};
use leaderboard_redis::Reply;

use crate::server::Server;
use crate::world::{NOW_MS, attempt, put, simple, tenant, terms};

/// The most memory that the server's own structures add to what is counted, in bytes.
const SLACK_BYTES: u64 = 32_768;

/// What all keys of the tenant take up.
async fn memory(server: &Server) -> u64 {
    let mut sum = 0;
    for key in server.ask("KEYS eb:acme:*").await {
        let Reply::Bytes(key) = key else { panic!("{key:?}") };
        let key = String::from_utf8(key).unwrap();
        let [Reply::Integer(bytes)] = server.ask(&format!("MEMORY USAGE {key} SAMPLES 0")).await[..] else {
            panic!("{key} is gone")
        };
        sum += u64::try_from(bytes).unwrap();
    }
    sum
}

/// The largest metadata, another one for each number.
fn large(number: usize) -> Metadata {
    let text = format!("\"{number:0>width$}\"", width = MAX_METADATA_BYTES - 2);
    Metadata::from_json_text(text).unwrap()
}

#[tokio::test]
async fn scores_that_change_nothing_do_not_fill_the_server() {
    const SCORES: usize = 3_000;
    const QUOTA: u64 = 200_000;
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple("a")).await;
    store
        .submit(&tenant(), &[attempt(&board, "p", 9, NOW_MS)], terms().ranks)
        .await
        .unwrap();
    let before = memory(&server).await;
    let bounded = SubmitTerms {
        max_log_bytes: Some(QUOTA),
        ..terms()
    };
    let (mut accepted, mut refused) = (0, 0);
    // One player, an id of its own for each score, the largest metadata, and never a better score.
    for first in (0..SCORES).step_by(50) {
        let attempts: Vec<_> = (first..first + 50)
            .map(|number| {
                let mut worse = attempt(&board, "p", 1, NOW_MS + 1);
                worse.id = SubmissionId::new(format!("match-{number}")).ok();
                worse.metadata = Some(large(number));
                worse
            })
            .collect();
        for answer in store
            .submit_on(&tenant(), &attempts, &bounded)
            .await
            .unwrap()
            .answers
        {
            match answer {
                Ok(outcomes) => {
                    assert_eq!(outcomes[0].status, Status::Kept);
                    accepted += 1;
                }
                Err(refusal) => {
                    let full = RefusalReason::LogFull { max_log_bytes: QUOTA };
                    assert_eq!(refusal.reason, full);
                    refused += 1;
                }
            }
        }
    }
    // Not the metadata fills the quota, but the ids; and it is never more than the quota.
    assert_eq!(accepted, QUOTA / IDEMPOTENCY_RECORD_BYTES);
    assert_eq!(accepted + refused, SCORES as u64);
    let taken = memory(&server).await - before;
    assert!(taken <= QUOTA + SLACK_BYTES, "{taken} bytes");
    let more = attempt(&board, "q", 1, NOW_MS + 2);
    let answers = store
        .submit_on(&tenant(), &[more], &bounded)
        .await
        .unwrap()
        .answers;
    assert!(answers[0].is_ok());
}

#[tokio::test]
async fn a_log_takes_up_no_more_than_the_events_it_keeps() {
    const KEPT: u32 = 100;
    let server = Server::start().await;
    let store = server.store().await;
    let mut leaderboard: Leaderboard = simple("a");
    leaderboard.operator = Operator::Set;
    leaderboard.log.keep_events = KEPT;
    let board = put(&store, &leaderboard).await;
    let mut largest = 0;
    for number in 0..2_000 {
        let mut changed = attempt(&board, "p", 1, NOW_MS);
        changed.metadata = Some(large(number));
        store.submit(&tenant(), &[changed], terms().ranks).await.unwrap();
        if number % 250 == 0 {
            largest = largest.max(memory(&server).await);
        }
    }
    let events = u64::from(KEPT) * (MAX_METADATA_BYTES as u64 + 128);
    // Redis takes up more than the bytes of an event; all 2,000 would be ten times as much.
    assert!(largest <= 2 * events + SLACK_BYTES, "{largest} bytes");
    let counted = store.usage(&tenant(), 1).await.unwrap().1.log_bytes;
    assert!(counted <= events, "{counted} bytes");
    let [Reply::Integer(length)] = server.ask("XLEN eb:acme:b:a:log").await[..] else {
        panic!("no log")
    };
    assert_eq!(length, i64::from(KEPT));
}

#[tokio::test]
async fn a_log_from_before_there_was_a_count_is_counted_as_it_goes_on() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut leaderboard = simple("a");
    leaderboard.log.keep_events = 10;
    let board = put(&store, &leaderboard).await;
    let score = async |value| {
        let attempts = [attempt(&board, "p", value, NOW_MS)];
        store.submit(&tenant(), &attempts, terms().ranks).await.unwrap();
    };
    for value in 0..5 {
        score(value).await;
    }
    server.ask("HDEL eb:acme:b:a:doc n f k d").await;
    server.ask("DEL eb:acme:log_bytes").await;
    put(&store, &leaderboard).await;
    for value in 5..30 {
        score(value).await;
    }
    // Without its bounds in the configuration's hash the default ones hold.
    let counted = store.usage(&tenant(), 1).await.unwrap().1.log_bytes;
    let events = leaderboard_core::ports::Events::read(&store, &tenant(), &board.value.id, 6, 100).await;
    let weight: u64 = events
        .unwrap()
        .iter()
        .map(|recorded| recorded.event.weight())
        .sum();
    assert_eq!(counted, weight);
}
