//! The default path of a checkpoint.

use std::env;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::error::CliError;

/// How many digits of the digest the file name has.
const NAME_LENGTH: usize = 32;

/// Returns the path for this address, mapping and content: in `$XDG_STATE_HOME/edgeboard/imports`, which is
/// `~/.local/state/edgeboard/imports` by default (`%LOCALAPPDATA%` on Windows).
pub(crate) fn default_checkpoint(address: &str, mapping: &str, content: &str) -> Result<PathBuf, CliError> {
    let mut name = format!("{:x}", Sha256::digest(format!("{address}\n{mapping}\n{content}")));
    name.truncate(NAME_LENGTH);
    let state = state_directory().ok_or_else(|| {
        CliError::Usage("there is no home directory for the checkpoint; give --checkpoint FILE".into())
    })?;
    Ok(state
        .join("edgeboard")
        .join("imports")
        .join(format!("{name}.jsonl")))
}

fn state_directory() -> Option<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| {
            if cfg!(windows) {
                absolute("LOCALAPPDATA")
            } else {
                None
            }
        })
        .or_else(|| {
            env::home_dir()
                .filter(|home| home.is_absolute())
                .map(|home| home.join(".local").join("state"))
        })
}
