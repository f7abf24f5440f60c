//! Reads of the native server.

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};

use super::sorted_set;

/// The number of entries of a page.
const PAGE: u64 = 10;
/// The number of entries before a player, and after a player, in the window around the player.
const EACH_SIDE: u64 = 5;

/// Reads the first page, with one command.
pub(super) async fn read_top(
    mut connection: MultiplexedConnection,
    leaderboard: &str,
) -> RedisResult<Option<Value>> {
    read_range(&mut connection, leaderboard, 0, PAGE - 1)
        .await
        .map(Some)
}

/// Reads rank and score of a player, with two commands in one pipeline; `None` if the leaderboard does not
/// have the player.
pub(super) async fn read_rank(
    mut connection: MultiplexedConnection,
    leaderboard: &str,
    player: &str,
) -> RedisResult<Option<Value>> {
    let key = sorted_set(leaderboard);
    let mut pipeline = redis::pipe();
    pipeline.cmd("ZREVRANK").arg(&key).arg(player);
    pipeline.cmd("ZSCORE").arg(&key).arg(player);
    let (index, score): (Option<u64>, Option<f64>) = pipeline.query_async(&mut connection).await?;
    Ok(index
        .zip(score)
        .map(|(index, score)| json!({"player": player, "rank": index + 1, "score": score})))
}

/// Reads the window around a player, with two commands one after the other; `None` if the leaderboard does
/// not have the player.
pub(super) async fn read_around(
    mut connection: MultiplexedConnection,
    leaderboard: &str,
    player: &str,
) -> RedisResult<Option<Value>> {
    let mut command = redis::cmd("ZREVRANK");
    command.arg(sorted_set(leaderboard)).arg(player);
    let Some(index) = command.query_async::<Option<u64>>(&mut connection).await? else {
        return Ok(None);
    };
    let first = index.saturating_sub(EACH_SIDE);
    read_range(&mut connection, leaderboard, first, index + EACH_SIDE)
        .await
        .map(Some)
}

async fn read_range(
    connection: &mut MultiplexedConnection,
    leaderboard: &str,
    first: u64,
    last: u64,
) -> RedisResult<Value> {
    let mut command = redis::cmd("ZRANGE");
    command
        .arg(sorted_set(leaderboard))
        .arg(first)
        .arg(last)
        .arg("REV")
        .arg("WITHSCORES");
    let entries: Vec<(String, f64)> = command.query_async(connection).await?;
    let entries: Vec<Value> = (first + 1..)
        .zip(entries)
        .map(|(rank, (player, score))| json!({"rank": rank, "player": player, "score": score}))
        .collect();
    Ok(json!({"entries": entries}))
}
