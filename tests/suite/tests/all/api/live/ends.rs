//! Tests of the ends of instances and hosts, and what their streams do.

use std::time::Duration;

use leaderboard_host::{HostLimits, OneOf};
use leaderboard_test_support::{RedisServer, StoreKind, TestService};
use serde_json::json;

use super::{open, open_with};
use crate::cases::on_both_kinds;

/// An instance that serves one request is retired when it has sent the head of the response.
async fn a_stream_goes_on_when_its_instance_takes_no_more_requests(store: StoreKind) {
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let service = TestService::start_configured(redis, |config| {
        config.reuse.max_instance_reuse_count = OneOf::Value(1);
    })
    .await;
    let api = service.api();
    api.create_leaderboard("b", &json!({})).await;
    let mut streams = [open(&api, "").await, open(&api, "").await];
    for stream in &mut streams {
        stream.expect("snapshot").await;
    }
    api.submit_score("b", "ann", 5).await;
    let mut ids = Vec::new();
    for stream in &mut streams {
        ids.push(stream.next().await.unwrap().id);
    }
    // Both instances give the same state the same id, so a client can resume at either.
    assert_eq!(ids[0], ids[1]);
}

/// Spin ends an instance with its streams when its last request is older than the request timeout.
async fn a_stream_that_the_host_ends_can_be_resumed(store: StoreKind) {
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let service = TestService::start_configured(redis, |config| {
        config.reuse.request_timeout = Some(OneOf::Value(Duration::from_secs(3)));
    })
    .await;
    let api = service.api();
    api.create_leaderboard("b", &json!({})).await;
    let mut stream = open(&api, "").await;
    let id = stream.expect("snapshot").await.id;
    assert!(stream.next().await.is_none());
    let mut resumed = open_with(&api, "", &[("last-event-id", &id)]).await;
    assert_eq!(resumed.next_block().await.unwrap(), "retry: 1000\n: resumed\n\n");
    api.submit_score("b", "ann", 5).await;
    assert_eq!(resumed.next().await.unwrap().data["count"], 1);
}

/// A stream has no end of its own that a stop could wait for.
async fn a_stop_of_the_host_ends_streams_cleanly(store: StoreKind) {
    let service = TestService::start(store).await;
    let api = service.api();
    api.create_leaderboard("b", &json!({})).await;
    let mut stream = open(&api, "").await;
    stream.expect("snapshot").await;
    let drain_limit = HostLimits::default().drain_limit;
    tokio::time::timeout(drain_limit / 2, service.host.stop())
        .await
        .expect("the host stops");
    assert!(stream.next().await.is_none());
    assert!(stream.has_ended_cleanly());
}

on_both_kinds! {
    a_stop_of_the_host_ends_streams_cleanly
    a_stream_goes_on_when_its_instance_takes_no_more_requests
    a_stream_that_the_host_ends_can_be_resumed
}
