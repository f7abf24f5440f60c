//! Tests of the reuse, isolation and limits of instances.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use leaderboard_host::OneOf;

use crate::http_client::{Connection, get};
use crate::setup::TestHost;

/// Parses a response of `/probe/instance`. Returns the identity of the instance, and the number of its
/// requests so far, this one included.
fn parse_instance(answer: &str) -> (String, u32) {
    let (born, count) = answer.split_once(' ').unwrap_or_else(|| panic!("{answer}"));
    (born.to_owned(), count.parse().unwrap())
}

#[tokio::test]
async fn an_instance_is_dropped_after_the_maximum_number_of_requests() {
    let host = TestHost::start_with(|config| {
        config.workers = 1;
        config.reuse.max_instance_reuse_count = OneOf::Value(5);
    })
    .await;
    let mut connection = Connection::open(host.address).await;
    let mut instances = BTreeSet::new();
    let mut largest = 0;
    for _ in 0..20 {
        let (born, count) = parse_instance(&connection.fetch("/probe/instance").await.body);
        instances.insert(born);
        largest = largest.max(count);
    }
    assert_eq!((instances.len(), largest), (4, 5));
}

#[tokio::test]
async fn an_idle_instance_is_dropped() {
    let host = TestHost::start_with(|config| {
        config.workers = 1;
        config.reuse.idle_instance_timeout = OneOf::Value(Duration::from_millis(50));
    })
    .await;
    let (first, _) = parse_instance(&host.probe("/instance").await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (second, count) = parse_instance(&host.probe("/instance").await);
    assert_ne!(first, second);
    assert_eq!(count, 1);
}

#[tokio::test]
async fn waiting_requests_share_an_instance_up_to_the_limit() {
    for (limit, shared) in [(16, true), (1, false)] {
        let host = TestHost::start_with(|config| {
            config.workers = 1;
            config.reuse.max_instance_concurrent_reuse_count = OneOf::Value(limit);
        })
        .await;
        let (born, _) = parse_instance(&host.probe("/instance").await);
        let address = host.address;
        let sleeping = tokio::spawn(async move { get(address, "/probe/sleep?ms=1000").await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (other, _) = parse_instance(&host.probe("/instance").await);
        assert_eq!(born == other, shared, "{limit} at a time");
        assert_eq!(sleeping.await.unwrap().body, "slept");
    }
}

#[tokio::test]
async fn a_runaway_guest_is_stopped_and_other_guests_are_served() {
    let host = TestHost::start_with(|config| {
        config.workers = 1;
        config.limits.guest_busy_limit = Duration::from_millis(500);
    })
    .await;
    let address = host.address;
    let runaway = tokio::spawn(async move { get(address, "/probe/loop").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The only thread runs the runaway guest. It must also serve other guests, even of the same component.
    for _ in 0..5 {
        assert_eq!(host.get("/hello").await.body, "hello");
        assert_eq!(host.probe("/sleep?ms=1").await, "slept");
    }
    let stopped = runaway.await.unwrap();
    assert_eq!(
        (stopped.status, stopped.body.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "")
    );
    // A guest that is busy for less than the limit is not stopped.
    assert!(host.probe("/busy?ms=200").await.starts_with("busy for"));
}

#[tokio::test]
async fn a_request_timeout_ends_a_request_that_only_waits() {
    let host = TestHost::start_with(|config| {
        config.reuse.request_timeout = Some(OneOf::Value(Duration::from_millis(100)));
    })
    .await;
    assert_eq!(
        host.get("/probe/sleep?ms=60000").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(host.probe("/sleep?ms=1").await, "slept");
}

#[tokio::test]
async fn a_trap_is_an_empty_500_and_the_next_request_is_served() {
    let host = TestHost::start().await;
    let trapped = host.get("/probe/abort").await;
    assert_eq!(
        (trapped.status, trapped.body.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "")
    );
    assert_eq!(host.get("/hello").await.body, "hello");
}

#[tokio::test]
async fn a_guest_cannot_grow_above_its_memory_limit() {
    let host = TestHost::start_with(|config| config.limits.max_instance_memory = 32 << 20).await;
    assert_eq!(host.probe("/grow?mib=8").await, format!("grew by {}", 8 << 20));
    assert_eq!(
        host.get("/probe/grow?mib=64").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(host.probe("/grow?mib=8").await, format!("grew by {}", 8 << 20));
}

#[tokio::test]
async fn without_room_for_an_instance_the_answer_is_503_with_retry_after() {
    let host = TestHost::start_with(|config| {
        config.workers = 1;
        config.limits.max_instances = 1;
    })
    .await;
    let address = host.address;
    let sleeping = tokio::spawn(async move { get(address, "/probe/sleep?ms=1500").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = host.get("/hello").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(sleeping.await.unwrap().body, "slept");
}

#[tokio::test]
async fn requests_above_the_in_flight_limit_wait_their_turn() {
    let host = TestHost::start_with(|config| {
        config.workers = 1;
        config.limits.max_in_flight = 2;
    })
    .await;
    let address = host.address;
    let requests = (0..8).map(|_| tokio::spawn(async move { get(address, "/probe/sleep?ms=50").await.body }));
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), "slept");
    }
}
