//! Fills servers with data, and configures their leaderboards.

use std::ops::Range;
use std::time::Instant;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};
use http::Method;
use leaderboard_redis::Connection;
use leaderboard_test_support::native_redis;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::data::{self, Data};
use crate::edgeboard::{Edgeboard, StoreSize};
use crate::http_client::HttpClient;
use crate::native;

/// The submissions of one request, and the members of one `ZADD`.
const FILLED_AT_ONCE: u64 = 1_000;
/// The requests under way at a time.
const IN_FLIGHT: usize = 8;
/// A limit that is counted and never reached: the requests of a second.
const GENEROUS: u64 = 1_000_000;
/// What the score of a player's number is multiplied with, so that scores are in another order than players.
const SCORE_STEP: u64 = 104_729;
/// The script of the guest `evalsha`, which knows its digest.
const EVALSHA_SCRIPT: &[u8] = b"return redis.call(\"INCR\", KEYS[1])";

/// How long it took to fill a store, and what the store then held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Filled {
    pub(crate) system: String,
    pub(crate) data: Data,
    pub(crate) seconds: f64,
    /// The size afterwards, without the data of the empty store.
    pub(crate) size: StoreSize,
}

/// Creates leaderboards and entries, and a key for writes. Returns the key, and what the store then holds.
pub(crate) async fn fill(edgeboard: &Edgeboard, system: &str, data: Data) -> Result<(String, Filled)> {
    set_limits(&edgeboard.admin).await?;
    configure(&edgeboard.admin, data, 0).await?;
    let empty = edgeboard.store_size().await?;
    let started_at = Instant::now();
    let batches = places(data).flat_map(|place| batches(data).map(move |numbers| (place.clone(), numbers)));
    futures::stream::iter(batches)
        .map(|(place, numbers)| send_batch(&edgeboard.admin, data, place, numbers))
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await?;
    let seconds = started_at.elapsed().as_secs_f64();
    let mut size = edgeboard.store_size().await?;
    size.data_bytes = size.data_bytes.saturating_sub(empty.data_bytes);
    let filled = Filled {
        system: system.to_owned(),
        data,
        seconds,
        size,
    };
    if let Some(redis) = &edgeboard.redis {
        let connection = native_redis::try_connect(&redis.url()).await?;
        let loaded = connection.command("SCRIPT", &[b"LOAD", EVALSHA_SCRIPT]).await;
        loaded.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    }
    Ok((create_key(&edgeboard.admin, data).await?, filled))
}

/// The tenants with each of their leaderboards.
fn places(data: Data) -> impl Iterator<Item = (String, String)> {
    (0..data.tenants).flat_map(move |tenant| {
        let tenant = data::tenant(data, tenant);
        (0..data.leaderboards).map(move |number| (tenant.clone(), data::leaderboard(number)))
    })
}

async fn set_limits(admin: &HttpClient) -> Result<()> {
    let generous = json!({"quota": GENEROUS, "window_s": 1});
    let limits = json!({"policies": {"client": generous, "tenant": generous, "key": generous}});
    let body = limits.to_string();
    admin
        .send(Method::PUT, "/api/v1/operator/limits", "default", body)
        .await?;
    Ok(())
}

/// Creates or replaces all leaderboards. Their responses are fresh for `lifetime_ms`.
pub(crate) async fn configure(admin: &HttpClient, data: Data, lifetime_ms: u32) -> Result<()> {
    let body = json!({"operator": "increment", "cache": {"lifetime_ms": lifetime_ms}}).to_string();
    futures::stream::iter(places(data))
        .map(|(tenant, leaderboard)| {
            let body = body.clone();
            async move {
                let path = format!("/api/v1/leaderboards/{leaderboard}");
                admin
                    .send_again(Method::PUT, &path, &tenant, body)
                    .await
                    .map(drop)
            }
        })
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await
}

/// Returns the score that a player begins with.
fn first_score(data: Data, number: u64) -> u64 {
    number.wrapping_mul(SCORE_STEP) % data.entries_each()
}

/// Returns the numbers of a leaderboard's players, so many at a time as are filled at once.
fn batches(data: Data) -> impl Iterator<Item = Range<u64>> {
    let count = data.entries_each().div_ceil(FILLED_AT_ONCE);
    (0..count).map(move |batch| {
        let first = batch * FILLED_AT_ONCE;
        first..(first + FILLED_AT_ONCE).min(data.entries_each())
    })
}

async fn send_batch(
    admin: &HttpClient,
    data: Data,
    place: (String, String),
    numbers: Range<u64>,
) -> Result<()> {
    let (tenant, leaderboard) = place;
    let scores: Vec<String> = numbers
        .map(|number| {
            let (player, score) = (data.player(number), first_score(data, number));
            format!(r#"{{"player":"{player}","score":{score}}}"#)
        })
        .collect();
    let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
    let path = format!("/api/v1/leaderboards/{leaderboard}/scores");
    admin.send(Method::POST, &path, &tenant, body).await.map(drop)
}

/// Creates a server's key. Of many tenants, the first one gets it.
async fn create_key(admin: &HttpClient, data: Data) -> Result<String> {
    let body = json!({"name": "bench", "scopes": ["scores:write"]}).to_string();
    let created = admin
        .send(Method::POST, "/api/v1/keys", &data::tenant(data, 0), body)
        .await?;
    let key = created.get("key").and_then(|key| key.as_str());
    Ok(key.context("the response shows the key")?.to_owned())
}

/// Fills the sorted sets of the native server with the same players and scores.
pub(crate) async fn fill_native(redis_url: &str, data: Data) -> Result<()> {
    let connection = native_redis::try_connect(redis_url).await?;
    for number in 0..data.leaderboards {
        let key = native::sorted_set(&data::leaderboard(number));
        for numbers in batches(data) {
            let members: Vec<String> = numbers
                .flat_map(|number| [first_score(data, number).to_string(), data.player(number)])
                .collect();
            let mut arguments = vec![key.as_bytes()];
            arguments.extend(members.iter().map(String::as_bytes));
            let added = connection.command("ZADD", &arguments).await;
            added.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        }
    }
    Ok(())
}
