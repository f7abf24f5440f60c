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
use crate::progress::Progress;

/// The most submissions of one request, and the most members of one `ZADD`.
const MAX_BATCH: u64 = 1_000;
/// The number of entries after which progress is told. A multiple of [`MAX_BATCH`].
const TOLD_EACH: u64 = 1_000_000;
/// The number of requests in flight at a time.
const IN_FLIGHT: usize = 8;
/// The quota of the rate limits, in requests per second. The service counts requests, but no measurement
/// reaches this quota.
const UNREACHED_QUOTA: u64 = 1_000_000;
/// The factor from a player's number to the player's first score, so that scores have another order than
/// players.
const SCORE_STEP: u64 = 104_729;
/// The script that the guest `evalsha` runs by its digest.
const EVALSHA_SCRIPT: &[u8] = b"return redis.call(\"INCR\", KEYS[1])";

/// How long it took to fill a store, and the size of the filled store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Filled {
    pub(crate) system: String,
    pub(crate) data: Data,
    pub(crate) seconds: f64,
    /// The size of the filled store, minus the size of the empty store.
    pub(crate) size: StoreSize,
}

/// Creates leaderboards, entries, and an API key for writes. Returns the key, and the time and size of the
/// filled store.
pub(crate) async fn fill(
    edgeboard: &Edgeboard,
    system: &str,
    data: Data,
    progress: Progress,
) -> Result<(String, Filled)> {
    set_limits(&edgeboard.admin).await?;
    configure(&edgeboard.admin, data, 0).await?;
    let empty = edgeboard.store_size().await?;
    let started_at = Instant::now();
    let batches =
        list_leaderboards(data).flat_map(|pair| batches(data).map(move |numbers| (pair.clone(), numbers)));
    let mut sent = futures::stream::iter(batches)
        .map(|(pair, numbers)| send_batch(&edgeboard.admin, data, pair, numbers))
        .buffer_unordered(IN_FLIGHT);
    let mut entries = 0;
    while let Some(batch) = sent.next().await {
        entries += batch?;
        if entries % TOLD_EACH == 0 {
            progress.say(&format!("{system} has {entries} entries"));
        }
    }
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

/// Returns all pairs of a tenant and one of its leaderboards.
fn list_leaderboards(data: Data) -> impl Iterator<Item = (String, String)> {
    (0..data.tenants).flat_map(move |tenant| {
        let tenant = data::tenant(data, tenant);
        (0..data.leaderboards).map(move |number| (tenant.clone(), data::leaderboard(number)))
    })
}

/// Raises the rate limits of all tenants to [`UNREACHED_QUOTA`].
pub(crate) async fn set_limits(admin: &HttpClient) -> Result<()> {
    let generous = json!({"quota": UNREACHED_QUOTA, "window_s": 1});
    let limits = json!({"policies": {"client": generous, "tenant": generous, "key": generous}});
    let body = limits.to_string();
    admin
        .send(Method::PUT, "/api/v1/operator/limits", "default", body)
        .await?;
    Ok(())
}

/// Creates or replaces all leaderboards. Their cached responses are fresh for `lifetime_ms` milliseconds.
pub(crate) async fn configure(admin: &HttpClient, data: Data, lifetime_ms: u32) -> Result<()> {
    let body = json!({"operator": "increment", "cache": {"lifetime_ms": lifetime_ms}}).to_string();
    futures::stream::iter(list_leaderboards(data))
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

/// Returns the first score of the player with this number.
fn first_score(data: Data, number: u64) -> u64 {
    number.wrapping_mul(SCORE_STEP) % data.entries_each()
}

/// Returns the numbers of a leaderboard's players in ranges of at most [`MAX_BATCH`].
pub(crate) fn batches(data: Data) -> impl Iterator<Item = Range<u64>> {
    let count = data.entries_each().div_ceil(MAX_BATCH);
    (0..count).map(move |batch| {
        let first = batch * MAX_BATCH;
        first..(first + MAX_BATCH).min(data.entries_each())
    })
}

/// Submits the first scores of the players with these numbers to a leaderboard. Returns how many they are.
pub(crate) async fn send_batch(
    admin: &HttpClient,
    data: Data,
    tenant_and_leaderboard: (String, String),
    numbers: Range<u64>,
) -> Result<u64> {
    let count = numbers.end - numbers.start;
    let (tenant, leaderboard) = tenant_and_leaderboard;
    let scores: Vec<String> = numbers
        .map(|number| {
            let (player, score) = (data.player(number), first_score(data, number));
            format!(r#"{{"player":"{player}","score":{score}}}"#)
        })
        .collect();
    let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
    let path = format!("/api/v1/leaderboards/{leaderboard}/scores");
    admin.send(Method::POST, &path, &tenant, body).await?;
    Ok(count)
}

/// Creates an API key for writes to the first tenant, and returns the key.
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
