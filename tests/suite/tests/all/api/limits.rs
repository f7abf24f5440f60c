//! Rate limits through the real components: what a crowd gets, what is reported, what is refused.

use std::time::Instant;

use leaderboard_test_support::{ApiClient, ApiResponse, RedisServer, StoreKind, TestService, wait_until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Connections of a crowd, and requests of each.
const CONNECTIONS: u64 = 32;
const REQUESTS: u64 = 250;
const QUOTA: u64 = 10;
const BURST: u64 = 20;

async fn service(store: StoreKind, limits: &Value) -> TestService {
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let service = TestService::start_with_default_limits(redis).await;
    service
        .api()
        .put("/operator/limits", limits)
        .await
        .expect_status(201);
    service
}

/// A read without a credential.
async fn read(api: &ApiClient) -> ApiResponse {
    let call = api.request("GET", "/leaderboards/b/entries");
    call.without_header("x-api-key").send().await
}

async fn requests_of_today(api: &ApiClient) -> u64 {
    let path = format!("/tenants/{}/usage", api.tenant);
    let usage = api.get(&path).await.expect_status(200);
    usage["days"][0]["requests"].as_u64().unwrap_or_default()
}

/// Hammers, and gets at most the burst, what grows back, and a burst of each instance that begins before it knows.
async fn a_crowd_from_one_address_gets_no_more_than_the_bound(store: StoreKind) {
    let limits = json!({"policies": {"client": {"quota": QUOTA, "window_s": 1, "burst": BURST}}});
    let service = service(store, &limits).await;
    let api = service.api();
    api.create_leaderboard("b", &json!({})).await;
    let began = Instant::now();
    let mut crowd = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let api = api.clone();
        crowd.spawn_local(async move {
            let mut let_through = 0;
            for _ in 0..REQUESTS {
                let answer = read(&api).await;
                match answer.status {
                    200 => let_through += 1,
                    429 => assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0),
                    other => panic!("status {other}"),
                }
            }
            let_through
        });
    }
    let let_through: u64 = crowd.join_all().await.into_iter().sum();
    let grown = QUOTA * (began.elapsed().as_secs() + 1);
    // No more instances begin at once than there are connections.
    let bound = BURST + grown + CONNECTIONS * BURST;
    assert!(let_through >= BURST, "{let_through}");
    assert!(let_through <= bound, "{let_through}, at most {bound}");
    assert!(
        bound < CONNECTIONS * REQUESTS,
        "the crowd asks for more than that"
    );
}

/// Instances come to their end on the way.
async fn every_read_is_reported_once(store: StoreKind) {
    const READS: u64 = 300;
    let off = json!({"policies": {"client": {"quota": 100_000, "burst": 100_000}}});
    let service = service(store, &off).await;
    let api = service.api();
    api.create_leaderboard("b", &json!({})).await;
    let before = requests_of_today(&api).await;
    for _ in 0..READS {
        read(&api).await.expect_status(200);
    }
    let counted = wait_until(
        async || requests_of_today(&api).await,
        |count| *count == before + READS,
    );
    assert_eq!(counted.await, before + READS);
}

async fn guesses_are_limited_by_address(store: StoreKind) {
    let limits = json!({"policies": {"credentials": {"quota": 1, "window_s": 3600, "burst": 5}}});
    let service = service(store, &limits).await;
    let api = service.api();
    let guess = async |path: &str| {
        api.request("GET", path)
            .replace_header("x-api-key", "guess")
            .send()
            .await
    };
    let mut refused = 0;
    for _ in 0..50 {
        match guess("/leaderboards").await.status {
            401 => refused += 1,
            429 => {}
            other => panic!("status {other}"),
        }
    }
    // Another instance can have looked at some before it knew.
    assert!((5..=10).contains(&refused), "{refused}");
    let limited = guess("/leaderboards").await;
    assert_eq!(limited.json()["violated-policies"], json!(["credentials"]));
    api.get("/health/live").await.expect_status(200);
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
    use leaderboard_test_support::StoreKind;

    $(#[test] fn $name() { leaderboard_test_support::block_on(super::$name(StoreKind::Sqlite)); })*
        }
        mod redis {
    use leaderboard_test_support::StoreKind;

    $(#[test] fn $name() { leaderboard_test_support::block_on(super::$name(StoreKind::Redis)); })*
        }
    };
}

on_both! {
    a_crowd_from_one_address_gets_no_more_than_the_bound
    every_read_is_reported_once
    guesses_are_limited_by_address
}
