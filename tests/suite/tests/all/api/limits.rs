//! Rate limits through the real components: what a crowd gets, what is reported, what is refused.

use std::time::Instant;

use leaderboard_suite::RedisServer;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::edgeboard::{Edgeboard, Reply, Site, Store, eventually};
use crate::harness::block_on;

/// Connections of a crowd, and requests of each.
const CONNECTIONS: u64 = 32;
const REQUESTS: u64 = 250;
const QUOTA: u64 = 10;
const BURST: u64 = 20;

async fn site(store: Store, limits: &Value) -> Site {
    let redis = (store == Store::Redis).then(RedisServer::start);
    let site = Site::limited(redis).await;
    site.edgeboard().put("/operator/limits", limits).await.is(201);
    site
}

/// A read without a credential.
async fn read(edgeboard: &Edgeboard) -> Reply {
    let call = edgeboard.call("GET", "/leaderboards/b/entries");
    call.without("x-api-key").send().await
}

async fn requests_of_today(edgeboard: &Edgeboard) -> u64 {
    let path = format!("/tenants/{}/usage", edgeboard.tenant);
    let usage = edgeboard.get(&path).await.is(200);
    usage["days"][0]["requests"].as_u64().unwrap_or_default()
}

/// Hammers, and gets at most the burst, what grows back, and a burst of each instance that begins before it knows.
async fn a_crowd_from_one_address_gets_no_more_than_the_bound(store: Store) {
    let limits = json!({"policies": {"client": {"quota": QUOTA, "window_s": 1, "burst": BURST}}});
    let site = site(store, &limits).await;
    let edgeboard = site.edgeboard();
    edgeboard.board("b", &json!({})).await;
    let began = Instant::now();
    let mut crowd = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let edgeboard = edgeboard.clone();
        crowd.spawn(async move {
            let mut let_through = 0;
            for _ in 0..REQUESTS {
                let answer = read(&edgeboard).await;
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
async fn every_read_is_reported_once(store: Store) {
    const READS: u64 = 300;
    let off = json!({"policies": {"client": {"quota": 100_000, "burst": 100_000}}});
    let site = site(store, &off).await;
    let edgeboard = site.edgeboard();
    edgeboard.board("b", &json!({})).await;
    let before = requests_of_today(&edgeboard).await;
    for _ in 0..READS {
        read(&edgeboard).await.is(200);
    }
    let counted = eventually(
        async || requests_of_today(&edgeboard).await,
        |count| *count == before + READS,
    );
    assert_eq!(counted.await, before + READS);
}

async fn guesses_are_limited_by_address(store: Store) {
    let limits = json!({"policies": {"credentials": {"quota": 1, "window_s": 3600, "burst": 5}}});
    let site = site(store, &limits).await;
    let edgeboard = site.edgeboard();
    let guess = async |path: &str| {
        edgeboard
            .call("GET", path)
            .instead("x-api-key", "guess")
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
    edgeboard.get("/health/live").await.is(200);
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            use crate::edgeboard::Store;
            $(#[test] fn $name() { super::block_on(super::$name(Store::Sqlite)); })*
        }
        mod redis {
            use crate::edgeboard::Store;
            $(#[test] fn $name() { super::block_on(super::$name(Store::Redis)); })*
        }
    };
}

on_both! {
    a_crowd_from_one_address_gets_no_more_than_the_bound
    every_read_is_reported_once
    guesses_are_limited_by_address
}
