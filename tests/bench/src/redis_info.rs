//! Reads figures from the `INFO` command of a Redis server.

use anyhow::{Context, Result, bail};
use leaderboard_redis::{Connection, Reply};
use leaderboard_test_support::RedisServer;
use leaderboard_test_support::native_redis::try_connect;

/// Reads a number from a section of `INFO`.
pub(crate) async fn read_info(server: &RedisServer, section: &str, field: &str) -> Result<u64> {
    let connection = try_connect(&server.url()).await?;
    let replies = connection.command("INFO", &[section.as_bytes()]).await;
    let replies = replies.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let Some(Reply::Bytes(text)) = replies.into_iter().next() else {
        bail!("INFO returns no text");
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value
        .and_then(|value| value.trim().parse().ok())
        .with_context(|| format!("INFO {section} has no {field}"))
}
