//! Tests of announcements: which changes are published, and what happens when the server refuses to publish.

use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt as _;
use leaderboard_core::ports::{
    ANNOUNCEMENT_FAILED_AT, ANNOUNCEMENT_WINDOW_MS, ANNOUNCEMENTS_FAILED, AnnouncedChange, Announcements,
    ChargeRequest, Counters, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{PreparedSubmission, Status};
use leaderboard_redis::{RedisStore, Reply};
use redis::aio::PubSub;

use crate::native_redis::{NativeRedis, connect};
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, board_id, daily_schedule, prepare, put, resolve, simple_leaderboard, submission,
    submit_options, tenant,
};

/// The channel of the announcements.
const CHANNEL: &str = "eb:changes";

/// Subscribes to the channel.
async fn listen(server: &Server) -> PubSub {
    let client = redis::Client::open(server.url()).unwrap();
    let mut listening = client.get_async_pubsub().await.unwrap();
    listening.subscribe(CHANNEL).await.unwrap();
    listening
}

/// Returns the next message, or fails after 20 seconds.
async fn receive(listening: &mut PubSub) -> String {
    let mut messages = listening.on_message();
    let next = tokio::time::timeout(Duration::from_secs(20), messages.next());
    let message = next.await.expect("a message in time").expect("a message");
    message.get_payload().unwrap()
}

#[tokio::test]
async fn a_change_is_announced_once_for_each_leaderboard() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut listening = listen(&server).await;
    let mut by_day = simple_leaderboard("b.2");
    by_day.schedule = daily_schedule();
    let boards = [
        put(&store, &simple_leaderboard("a")).await,
        put(&store, &by_day).await,
    ];
    let announcing = SubmitOptions {
        announce_on: Some(Rc::from(CHANNEL)),
        ..submit_options()
    };
    let both = |value, now_ms| resolve(&submission("p", &[value]), &boards, now_ms).unwrap();
    // Changes of two periods of one leaderboard, and of another leaderboard, are announced in one message.
    let submit = async |submissions: &[PreparedSubmission], options: &SubmitOptions| {
        let done = store.submit_with_options(&tenant(), submissions, options).await;
        done.unwrap();
    };
    submit(&[both(5, NOW_MS), both(6, NOW_MS + DAY_MS)], &announcing).await;
    assert_eq!(
        receive(&mut listening).await,
        r#"{"tenant":"acme","leaderboards":["a","b.2"],"positions":[3,3]}"#
    );
    let [Reply::Integer(left)] = server.run_command("PTTL eb:acme:b:a:announced").await[..] else {
        panic!("no time to live")
    };
    assert!(left <= i64::from(ANNOUNCEMENT_WINDOW_MS) && left != -1, "{left}");

    // No announcement: a worse score, a leaderboard that was just announced, a submission without a channel.
    server
        .run_command("DEL eb:acme:b:a:announced eb:acme:b:b.2:announced")
        .await;
    submit(&[both(1, NOW_MS)], &announcing).await;
    server.run_command("SET eb:acme:b:a:announced x").await;
    submit(&[prepare(&boards[0], "p", 9, NOW_MS)], &announcing).await;
    submit(&[prepare(&boards[1], "p", 9, NOW_MS)], &submit_options()).await;
    store
        .announce(CHANNEL, &tenant(), AnnouncedChange::Leaderboards)
        .await
        .unwrap();
    assert_eq!(
        receive(&mut listening).await,
        r#"{"tenant":"acme","leaderboards":[],"void":true}"#
    );
    server.run_command("DEL eb:acme:b:a:announced").await;
    submit(&[prepare(&boards[0], "p", 10, NOW_MS)], &announcing).await;
    assert_eq!(
        receive(&mut listening).await,
        r#"{"tenant":"acme","leaderboards":["a"],"positions":[6]}"#
    );
}

#[tokio::test]
async fn each_kind_of_change_has_its_message() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut listening = listen(&server).await;
    for (change, message) in [
        (
            AnnouncedChange::Leaderboard(&board_id("a")),
            r#"{"tenant":"acme","leaderboards":["a"],"void":true}"#,
        ),
        (
            AnnouncedChange::Documents,
            r#"{"tenant":"acme","leaderboards":[],"documents":true}"#,
        ),
    ] {
        assert!(store.announce(CHANNEL, &tenant(), change).await.unwrap());
        assert_eq!(receive(&mut listening).await, message);
    }
}

/// Returns the value of a counter, or `None` if the counter does not exist.
async fn find_counter(store: &RedisStore<NativeRedis>, wanted: &str) -> Option<u64> {
    let counters = store.counters().await.unwrap();
    let mut counters = counters.into_iter();
    counters
        .find(|(name, _)| **name == *wanted)
        .map(|(_, count)| count)
}

/// Checks that the server refuses the announcement of each kind of change.
async fn assert_all_refused(store: &RedisStore<NativeRedis>) {
    for change in [
        AnnouncedChange::Leaderboard(&board_id("a")),
        AnnouncedChange::Leaderboards,
        AnnouncedChange::Documents,
    ] {
        let taken = store.announce(CHANNEL, &tenant(), change).await;
        assert!(!taken.unwrap(), "{change:?}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_publish_can_write_and_the_failure_is_counted() {
    let server = Server::start().await;
    // Since Redis 7, a user that `ACL SETUSER` creates has no permission for channels.
    server
        .run_command("ACL SETUSER edge on >secret ~eb:* +@all")
        .await;
    let store = RedisStore::new(connect(&server.url().replace("//", "//edge:secret@")).await);
    let boards = [put(&store, &simple_leaderboard("a")).await];
    let announcing = SubmitOptions {
        announce_on: Some(Rc::from(CHANNEL)),
        charge_request: ChargeRequest {
            usage: Usage {
                requests: 1,
                scores: 1,
            },
            ..ChargeRequest::default()
        },
        ..submit_options()
    };
    let submit = async |value| {
        let submissions = [prepare(&boards[0], "p", value, NOW_MS)];
        let submitted = store
            .submit_with_options(&tenant(), &submissions, &announcing)
            .await
            .unwrap();
        submitted.answers.into_iter().next().unwrap().unwrap().remove(0)
    };
    let counter = async |name| find_counter(&store, name).await;
    let outcome = submit(5).await;
    assert_eq!((outcome.status, outcome.version), (Status::Created, 2));
    assert_eq!(counter(ANNOUNCEMENTS_FAILED).await, Some(1));
    let [Reply::Bytes(seconds), _] = &server.run_command("TIME").await[..] else {
        panic!("no time")
    };
    let now_s: u64 = String::from_utf8(seconds.clone()).unwrap().parse().unwrap();
    let failed_at = counter(ANNOUNCEMENT_FAILED_AT).await.unwrap();
    assert!(
        (now_s - 60..=now_s).contains(&failed_at),
        "{failed_at} at {now_s}"
    );
    // For every other change, `announce` returns that the server refused the message.
    assert_all_refused(&store).await;
    assert_eq!(counter(ANNOUNCEMENTS_FAILED).await, Some(4));
    // With permission for the channel, no failure is counted.
    server.run_command(&format!("ACL SETUSER edge &{CHANNEL}")).await;
    let taken = store
        .announce(CHANNEL, &tenant(), AnnouncedChange::Documents)
        .await;
    assert!(taken.unwrap());
    server.run_command("DEL eb:acme:b:a:announced").await;
    let mut listening = listen(&server).await;
    assert_eq!(submit(6).await.status, Status::Improved);
    assert_eq!(
        receive(&mut listening).await,
        r#"{"tenant":"acme","leaderboards":["a"],"positions":[3]}"#
    );
    assert_eq!(counter(ANNOUNCEMENTS_FAILED).await, Some(4));
}
