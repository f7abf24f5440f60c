//! What Redis says of its memory.

use std::time::Duration;

use leaderboard_redis::Reply;

use super::Outcome;
use super::board::{Board, World};

/// Redis gives unused buffers of a connection back when it has been quiet for two seconds.
const QUIET: Duration = Duration::from_secs(4);

/// Bytes in use, once the connection's buffers are small again.
pub(super) async fn used(world: &World) -> Outcome<u64> {
    tokio::time::sleep(QUIET).await;
    let used = world.info("memory", "used_memory", ":").await?;
    used.ok_or_else(|| "INFO does not tell the memory in use".into())
}

/// Bytes for each entry in each key of a board that has many, by the last words of the key's name.
pub(super) async fn parts(world: &World, board: &Board) -> Outcome<Vec<(String, u64)>> {
    let name = format!(":{}:", board.configuration.value.id);
    let mut parts = Vec::new();
    for reply in world.command(&["KEYS", &format!("*{name}*")]).await? {
        let Reply::Bytes(key) = reply else {
            return Err("a key that is no text".into());
        };
        let key = String::from_utf8(key)?;
        let replies = world.command(&["MEMORY", "USAGE", &key, "SAMPLES", "0"]).await?;
        let [Reply::Integer(bytes)] = replies.as_slice() else {
            return Err("a key without a size".into());
        };
        let each = u64::try_from(*bytes)? / board.entries;
        let (_, part) = key.split_once(&name).ok_or("another key")?;
        if each > 0 {
            parts.push((part.to_owned(), each));
        }
    }
    parts.sort();
    Ok(parts)
}
