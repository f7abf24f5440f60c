//! The settings of the server that data and answers depend on.

use leaderboard_core::StoreError;
use leaderboard_core::ports::SettingCheck;

use crate::connection::{Connection, ConnectionError, Reply};

/// With any other policy the server deletes scores when its memory is full.
const MEMORY_POLICY: (&str, &str) = ("maxmemory-policy", "noeviction");
/// Otherwise a large period that expires holds up every other command.
const LAZY_EXPIRE: (&str, &str) = ("lazyfree-lazy-expire", "yes");

/// Reads them, as far as this client may.
///
/// # Errors
/// [`StoreError`] when the server does not answer.
pub(crate) async fn check(connection: &impl Connection) -> Result<Vec<SettingCheck>, StoreError> {
    // Many users may not read the configuration; more of them may ask for this.
    let memory = allowed(connection.command("INFO", &[b"memory"]).await)?;
    let policy = memory.as_deref().and_then(policy_in);
    let (name, _) = LAZY_EXPIRE;
    let lazy = allowed(connection.command("CONFIG", &[b"GET", name.as_bytes()]).await)?;
    let lazy = lazy.as_deref().and_then(|replies| text(replies.get(1)?));
    Ok([(MEMORY_POLICY, policy), (LAZY_EXPIRE, lazy)]
        .map(|((setting, wanted), found)| SettingCheck {
            setting,
            wanted,
            found,
        })
        .to_vec())
}

/// What a command answered; `None` when the server does not let this client have it.
fn allowed(answer: Result<Vec<Reply>, ConnectionError>) -> Result<Option<Vec<Reply>>, StoreError> {
    match answer {
        Err(ConnectionError::Refused { .. }) => Ok(None),
        answer => Ok(Some(answer?)),
    }
}

fn policy_in(replies: &[Reply]) -> Option<String> {
    let info = text(replies.first()?)?;
    let mut lines = info.lines();
    lines.find_map(|line| Some(line.strip_prefix("maxmemory_policy:")?.trim().to_owned()))
}

fn text(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        Reply::Status(text) => Some(text.clone()),
        Reply::Nil | Reply::Integer(_) => None,
    }
}
