//! Tests of the counted size of logs and idempotency records, compared with the memory that the server uses.

use std::rc::Rc;

use leaderboard_core::ports::{Expected, Leaderboards, RankDetail, RateLimits, Scores, SubmitOptions};
use leaderboard_core::{
    Column, Columns, IdScope, Leaderboard, MAX_COLUMN_NAME_BYTES, MAX_METADATA_BYTES, MAX_PLAYER_BYTES,
    MAX_SUBMISSION_ID_BYTES, Metadata, Operator, Order, PreparedSubmission, RECORD_OVERHEAD_BYTES,
    RefusalReason, SORTABLE_BYTES, Status, Submission, SubmissionId, SubmittedValues, Versioned,
};
use leaderboard_redis::{Connection, Reply};

use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, board_id, daily_schedule, prepare, put, resolve, simple_leaderboard, submission,
    submit_options, tenant,
};

/// The hash with the size of the tenant's logs and records.
const WEIGHTS: &str = "eb:acme:log_bytes";
/// The number of the span of idempotency records that contains [`NOW_MS`]. A span is a day.
const SPAN: i64 = NOW_MS / DAY_MS;

/// The maximum memory of the server's own structures, which the store does not count, in bytes.
const SLACK_BYTES: u64 = 32_768;

/// Returns the memory of all keys of the tenant, in bytes.
async fn measure_memory(server: &Server) -> u64 {
    let mut sum = 0;
    for key in server.run_command("KEYS eb:acme:*").await {
        let Reply::Bytes(key) = key else { panic!("{key:?}") };
        let key = String::from_utf8(key).unwrap();
        let [Reply::Integer(bytes)] = server.run_command(&format!("MEMORY USAGE {key} SAMPLES 0")).await[..]
        else {
            panic!("{key} is gone")
        };
        sum += u64::try_from(bytes).unwrap();
    }
    sum
}

/// Returns metadata of the maximum size, different for each number.
fn large_metadata(number: usize) -> Metadata {
    let text = format!("\"{number:0>width$}\"", width = MAX_METADATA_BYTES - 2);
    Metadata::from_json_text(text).unwrap()
}

/// The quota that the tests fill, in bytes.
const QUOTA: u64 = 1_000_000;

/// Fills the quota with submissions that change nothing, each with an id of its own and the largest metadata.
/// Checks that the server uses no more memory than the quota. `make_submission` creates a submission from a
/// value and a number.
async fn fill_quota(
    server: &Server,
    leaderboard: &Leaderboard,
    make_submission: impl Fn(&Rc<Versioned<Leaderboard>>, i64, usize) -> PreparedSubmission,
) {
    const AT_ONCE: usize = 50;
    const WRITES_UNTIL_SHRUNK: usize = 100;
    let store = server.store().await;
    let board = put(&store, leaderboard).await;
    let mut first = make_submission(&board, 9, 0);
    first.id = None;
    store
        .submit(&tenant(), &[first], submit_options().ranks)
        .await
        .unwrap();
    let before = measure_memory(server).await;
    let bounded = SubmitOptions {
        max_log_bytes: Some(QUOTA),
        ..submit_options()
    };
    let (mut weight, mut accepted) = (0, 0);
    for first in 0.. {
        let numbers = first * AT_ONCE..(first + 1) * AT_ONCE;
        let submissions: Vec<_> = numbers.map(|number| make_submission(&board, 1, number)).collect();
        weight = submissions[0].record_weight(&submissions[0].targets[0]);
        let submitted = store
            .submit_with_options(&tenant(), &submissions, &bounded)
            .await
            .unwrap();
        let mut is_full = false;
        for answer in submitted.answers {
            match answer {
                Ok(outcomes) => {
                    assert_eq!(outcomes[0].status, Status::Kept);
                    assert!(!is_full);
                    accepted += 1;
                }
                Err(refusal) => {
                    assert_eq!(refusal.reason, RefusalReason::LogFull { max_log_bytes: QUOTA });
                    is_full = true;
                }
            }
        }
        if is_full {
            break;
        }
    }
    // The idempotency records fill the quota, and the metadata does not.
    assert_eq!(accepted, QUOTA / weight);
    // The store accepts submissions without an id. Each of them trims the log, because the idempotency
    // records have filled the quota.
    for number in 0..WRITES_UNTIL_SHRUNK {
        let mut more = make_submission(&board, 1, number);
        more.id = None;
        let submitted = store.submit_with_options(&tenant(), &[more], &bounded).await;
        assert!(submitted.unwrap().answers[0].is_ok());
    }
    let taken = measure_memory(server).await - before;
    assert!(taken <= QUOTA + SLACK_BYTES, "{taken} bytes");
    // The counted size is close to the real size.
    assert!(taken >= QUOTA / 2, "{taken} bytes");
}

#[tokio::test]
async fn scores_that_change_nothing_do_not_fill_the_server() {
    let server = Server::start().await;
    fill_quota(&server, &simple_leaderboard("a"), |board, value, number| {
        let mut one = prepare(board, "p", value, NOW_MS);
        // All ids have the same length, so all records have the same size.
        one.id = SubmissionId::new(format!("match-{number:06}")).ok();
        one.metadata = Some(large_metadata(number));
        one
    })
    .await;
}

/// Returns a leaderboard whose idempotency records have the maximum size.
fn widest_leaderboard() -> Leaderboard {
    let names = ["a", "b", "c"].map(|name| name.repeat(MAX_COLUMN_NAME_BYTES));
    let columns = names.map(|name| Column::new(name, Order::Descending).unwrap());
    let mut leaderboard = simple_leaderboard("a");
    leaderboard.columns = Columns::new(columns.to_vec()).unwrap();
    leaderboard.schedule = daily_schedule();
    leaderboard
}

/// Returns a submission with a player name and an id of the maximum length, in the id scope of the player.
fn widest_submission(board: &Rc<Versioned<Leaderboard>>, value: i64, number: usize) -> PreparedSubmission {
    let columns = board.value.columns.iter();
    let values = columns.map(|column| (column.name().to_owned(), value)).collect();
    let submission = Submission {
        values: SubmittedValues::Named(values),
        id: SubmissionId::new(format!("{number:0>MAX_SUBMISSION_ID_BYTES$}")).ok(),
        metadata: Some(large_metadata(number)),
        ..submission(&"p".repeat(MAX_PLAYER_BYTES), &[])
    };
    let mut prepared = resolve(&submission, std::slice::from_ref(board), NOW_MS).unwrap();
    prepared.id_scope = IdScope::Player;
    prepared
}

#[tokio::test]
async fn large_idempotency_records_do_not_fill_the_server() {
    let server = Server::start().await;
    fill_quota(&server, &widest_leaderboard(), widest_submission).await;
}

/// Returns the bytes of a reply.
fn bytes(reply: Reply) -> Vec<u8> {
    let Reply::Bytes(bytes) = reply else {
        panic!("{reply:?}")
    };
    bytes
}

/// Returns the number in a field of a hash; 0 for a missing field.
async fn read_number(server: &Server, key: &str, field: &str) -> u64 {
    let connection = server.connection().await;
    let arguments = [key.as_bytes(), field.as_bytes()];
    match connection.command("HGET", &arguments).await.unwrap().remove(0) {
        Reply::Nil => 0,
        reply => String::from_utf8(bytes(reply)).unwrap().parse().unwrap(),
    }
}

#[tokio::test]
async fn the_counted_size_of_a_record_is_its_stored_size() {
    let server = Server::start().await;
    let store = server.store().await;
    let (narrow, wide) = (
        put(&store, &simple_leaderboard("narrow")).await,
        put(&store, &widest_leaderboard()).await,
    );
    let mut weights = 0;
    for (key, board) in [("eb:acme:b:narrow:ids1", narrow), ("eb:acme:b:a:ids1", wide)] {
        let is_wide = board.value.columns.count() > 1;
        let make = |number| {
            let mut small = prepare(&board, "p", 1, NOW_MS);
            small.id = SubmissionId::new(format!("{number}")).ok();
            small
        };
        let submissions: Vec<_> = (1..=2)
            .map(|number| {
                if is_wide {
                    widest_submission(&board, 1, number)
                } else {
                    make(number)
                }
            })
            .collect();
        for prepared in &submissions {
            let one = std::slice::from_ref(prepared);
            store.submit(&tenant(), one, RankDetail::Full).await.unwrap()[0]
                .as_ref()
                .unwrap();
        }
        let weight = submissions[0].record_weight(&submissions[0].targets[0]);
        weights += 2 * weight;
        assert_eq!(read_number(&server, key, "\u{1}").await, 2 * weight);
        let connection = server.connection().await;
        let mut sizes = Vec::new();
        for prepared in &submissions {
            let name = prepared.record_name().unwrap().into_owned();
            let arguments = [key.as_bytes(), name.as_bytes()];
            let record = connection.command("HGET", &arguments).await.unwrap().remove(0);
            sizes.push((name.len() + bytes(record).len()) as u64 + RECORD_OVERHEAD_BYTES);
        }
        // The first submission created the entry, so its outcome has no previous values.
        let tuple = (board.value.columns.count() * SORTABLE_BYTES) as u64;
        assert_eq!(sizes, [weight - tuple, weight]);
    }
    assert_eq!(read_number(&server, WEIGHTS, &format!("b{SPAN}")).await, weights);
    // The deletion of a leaderboard subtracts its size.
    store
        .delete(&tenant(), &board_id("a"), Expected::Any)
        .await
        .unwrap()
        .unwrap();
    let left = read_number(&server, "eb:acme:b:narrow:ids1", "\u{1}").await;
    assert_eq!(read_number(&server, WEIGHTS, &format!("b{SPAN}")).await, left);
    store
        .delete(&tenant(), &board_id("narrow"), Expected::Any)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read_number(&server, WEIGHTS, &format!("b{SPAN}")).await, 0);
}

#[tokio::test]
async fn records_of_an_earlier_version_count_256_bytes_until_they_expire() {
    const OLD: u64 = 10 * 256;
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    for span in [SPAN - 2, SPAN - 1, SPAN] {
        server.run_command(&format!("HSET {WEIGHTS} {span} 5")).await;
    }
    let score = async |id: &str, now_ms: i64, room: u64| {
        let mut one = prepare(&board, "p", 1, now_ms);
        one.id = SubmissionId::new(id).ok();
        let bounded = SubmitOptions {
            max_log_bytes: Some(room + one.record_weight(&one.targets[0])),
            ..submit_options()
        };
        let submitted = store
            .submit_with_options(&tenant(), &[one], &bounded)
            .await
            .unwrap();
        submitted.answers[0].is_ok()
    };
    assert!(!score("a", NOW_MS, OLD - 1).await);
    assert!(score("a", NOW_MS, OLD).await);
    let fields = async || {
        let replies = server.run_command(&format!("HKEYS {WEIGHTS}")).await.into_iter();
        let mut fields: Vec<_> = replies
            .map(|reply| String::from_utf8(bytes(reply)).unwrap())
            .collect();
        fields.sort();
        fields
    };
    let (before, now) = ((SPAN - 1).to_string(), SPAN.to_string());
    assert_eq!(
        fields().await,
        [before.as_str(), now.as_str(), &format!("b{now}"), "e"]
    );
    let later = SPAN + 2;
    assert!(score("b", NOW_MS + 2 * DAY_MS, 0).await);
    assert_eq!(fields().await, [&format!("b{later}"), "e"]);
}

#[tokio::test]
async fn a_log_uses_no_more_memory_than_its_kept_events_need() {
    const KEPT: u32 = 100;
    let server = Server::start().await;
    let store = server.store().await;
    let mut leaderboard: Leaderboard = simple_leaderboard("a");
    leaderboard.operator = Operator::Set;
    leaderboard.log.keep_events = KEPT;
    let board = put(&store, &leaderboard).await;
    let mut largest = 0;
    for number in 0..2_000 {
        let mut changed = prepare(&board, "p", 1, NOW_MS);
        changed.metadata = Some(large_metadata(number));
        store
            .submit(&tenant(), &[changed], submit_options().ranks)
            .await
            .unwrap();
        if number % 250 == 0 {
            largest = largest.max(measure_memory(&server).await);
        }
    }
    let events = u64::from(KEPT) * (MAX_METADATA_BYTES as u64 + 128);
    // Redis needs more memory than the bytes of an event; all 2,000 events would need ten times as much.
    assert!(largest <= 2 * events + SLACK_BYTES, "{largest} bytes");
    let counted = store.usage(&tenant(), 1).await.unwrap().1.log_bytes;
    assert!(counted <= events, "{counted} bytes");
    let [Reply::Integer(length)] = server.run_command("XLEN eb:acme:b:a:log").await[..] else {
        panic!("no log")
    };
    assert_eq!(length, i64::from(KEPT));
}

#[tokio::test]
async fn a_log_without_a_stored_size_is_counted_from_its_next_event() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut leaderboard = simple_leaderboard("a");
    leaderboard.log.keep_events = 10;
    let board = put(&store, &leaderboard).await;
    let score = async |value| {
        let submissions = [prepare(&board, "p", value, NOW_MS)];
        store
            .submit(&tenant(), &submissions, submit_options().ranks)
            .await
            .unwrap();
    };
    for value in 0..5 {
        score(value).await;
    }
    server.run_command("HDEL eb:acme:b:a:doc n f k d").await;
    server.run_command("DEL eb:acme:log_bytes").await;
    put(&store, &leaderboard).await;
    for value in 5..30 {
        score(value).await;
    }
    // Without a retention in the configuration's hash, the default applies.
    let counted = store.usage(&tenant(), 1).await.unwrap().1.log_bytes;
    let events = leaderboard_core::ports::Events::read(&store, &tenant(), &board.value.id, 6, 100).await;
    let weight: u64 = events
        .unwrap()
        .iter()
        .map(|recorded| recorded.event.as_ref().unwrap().weight())
        .sum();
    assert_eq!(counted, weight);
}
