//! The settings of the server on which data and response times depend.

use leaderboard_core::StoreError;
use leaderboard_core::ports::SettingCheck;

use crate::connection::{Connection, ConnectionError, Reply};

/// With any other policy, the server deletes scores when its memory is full.
const MEMORY_POLICY: (&str, &str) = ("maxmemory-policy", "noeviction");
/// Without this setting, a large period that expires holds up every other command.
const LAZY_EXPIRE: (&str, &str) = ("lazyfree-lazy-expire", "yes");

/// Reads the settings that this Redis user may read.
///
/// # Errors
/// [`StoreError`] when the server does not answer.
pub(crate) async fn check_settings(connection: &impl Connection) -> Result<Vec<SettingCheck>, StoreError> {
    // A Redis user without permission for CONFIG often has permission for INFO.
    let memory = allow_refusal(connection.command("INFO", &[b"memory"]).await)?;
    let policy = memory.as_deref().and_then(find_memory_policy);
    let (name, _) = LAZY_EXPIRE;
    let lazy = allow_refusal(connection.command("CONFIG", &[b"GET", name.as_bytes()]).await)?;
    let lazy = lazy.as_deref().and_then(|replies| read_text(replies.get(1)?));
    Ok([(MEMORY_POLICY, policy), (LAZY_EXPIRE, lazy)]
        .map(|((setting, wanted), found)| SettingCheck {
            setting,
            wanted,
            found,
        })
        .to_vec())
}

/// Returns the values of a command; `None` when the Redis user has no permission for it.
fn allow_refusal(result: Result<Vec<Reply>, ConnectionError>) -> Result<Option<Vec<Reply>>, StoreError> {
    match result {
        Err(ConnectionError::Refused { .. }) => Ok(None),
        result => Ok(Some(result?)),
    }
}

fn find_memory_policy(replies: &[Reply]) -> Option<String> {
    let info = read_text(replies.first()?)?;
    let mut lines = info.lines();
    lines.find_map(|line| Some(line.strip_prefix("maxmemory_policy:")?.trim().to_owned()))
}

fn read_text(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        Reply::Status(text) => Some(text.clone()),
        Reply::Nil | Reply::Integer(_) => None,
    }
}
