//! Tests of rate limits through the real components: how many requests are accepted, counted and refused.

use std::time::Instant;

use leaderboard_test_support::{ApiClient, ApiResponse, RedisServer, StoreKind, TestService, wait_until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cases::on_both_kinds;

/// How many connections send requests at the same time.
const CONNECTIONS: u64 = 32;
/// How many requests each connection sends.
const REQUESTS: u64 = 250;
/// How many requests a client may send in a second.
const QUOTA: u64 = 10;
/// How many requests a client may send at once.
const BURST: u64 = 20;

/// Starts a service on this store, with these limits for all tenants.
async fn start_service(store: StoreKind, limits: &Value) -> TestService {
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let service = TestService::start_with_default_limits(redis).await;
    service
        .api()
        .put("/operator/limits", limits)
        .await
        .expect_status(201);
    service
}

/// Reads the entries without a credential.
async fn read_anonymously(api: &ApiClient) -> ApiResponse {
    let call = api.request("GET", "/leaderboards/b/entries");
    call.without_header("x-api-key").send().await
}

/// Returns how many requests of the tenant the service counted today.
async fn count_requests_today(api: &ApiClient) -> u64 {
    let path = format!("/tenants/{}/usage", api.tenant);
    let usage = api.get(&path).await.expect_status(200);
    usage["days"][0]["requests"].as_u64().unwrap_or_default()
}

/// Sends requests from many connections at once. At most these are accepted: the burst, what the quota adds
/// meanwhile, and another burst for each instance that starts before it knows the count of the others.
async fn many_connections_from_one_address_get_no_more_than_the_bound(store: StoreKind) {
    let limits = json!({"policies": {"client": {"quota": QUOTA, "window_s": 1, "burst": BURST}}});
    let service = start_service(store, &limits).await;
    let api = service.api();
    api.create_leaderboard("b", &json!({})).await;
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let api = api.clone();
        clients.spawn_local(async move {
            let mut let_through = 0;
            for _ in 0..REQUESTS {
                let answer = read_anonymously(&api).await;
                match answer.status {
                    200 => let_through += 1,
                    429 => assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0),
                    other => panic!("status {other}"),
                }
            }
            let_through
        });
    }
    let let_through: u64 = clients.join_all().await.into_iter().sum();
    let grown = QUOTA * (began.elapsed().as_secs() + 1);
    // At most one instance for each connection starts at the same time.
    let bound = BURST + grown + CONNECTIONS * BURST;
    assert!(let_through >= BURST, "{let_through}");
    assert!(let_through <= bound, "{let_through}, at most {bound}");
    assert!(
        bound < CONNECTIONS * REQUESTS,
        "the connections send more requests than the bound"
    );
}

/// Sends more requests than an instance serves, so that instances end during the test.
async fn every_read_is_counted_once_in_the_usage(store: StoreKind) {
    const READS: u64 = 300;
    let high_limits = json!({"policies": {"client": {"quota": 100_000, "burst": 100_000}}});
    let service = start_service(store, &high_limits).await;
    let api = service.api();
    api.create_leaderboard("b", &json!({})).await;
    let before = count_requests_today(&api).await;
    for _ in 0..READS {
        read_anonymously(&api).await.expect_status(200);
    }
    let counted = wait_until(
        async || count_requests_today(&api).await,
        |count| *count == before + READS,
    );
    assert_eq!(counted.await, before + READS);
}

on_both_kinds! {
    many_connections_from_one_address_get_no_more_than_the_bound
    every_read_is_counted_once_in_the_usage
}
