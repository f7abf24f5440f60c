//! The admin key, and the secret that signs players' tokens: the caller's, or generated here and kept, so that a restart does
//! not change them.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};

/// The environment variables through which Spin and the local host take the application's variables.
pub(super) const ADMIN_VARIABLE: &str = "SPIN_VARIABLE_ADMIN_KEY";
pub(super) const TOKEN_VARIABLE: &str = "SPIN_VARIABLE_PLAYER_TOKEN_SECRET";
const METRICS_VARIABLE: &str = "SPIN_VARIABLE_METRICS_KEY";
const KEY_BYTES: usize = 24;
/// The shortest key that the components take, in bytes.
const MIN_KEY_BYTES: usize = 32;
/// Only its owner reads the file.
const FILE_MODE: u32 = 0o600;

pub(super) struct Key {
    pub(super) secret: String,
    /// The file that keeps it; `None` when the caller gave it.
    pub(super) kept_in: Option<PathBuf>,
}

/// The admin key. The environment's keys are checked here, as the components would refuse a short one only after the build.
///
/// # Errors
/// When its file cannot be read or written, or a key is shorter than the components take.
pub(super) fn admin_key(state_dir: &Path) -> Result<Key> {
    let given = |variable| {
        std::env::var(variable)
            .ok()
            .filter(|key: &String| !key.is_empty())
    };
    if let Some(metrics_key) = given(METRICS_VARIABLE) {
        check_length(METRICS_VARIABLE, &metrics_key)?;
    }
    let key = given_or_kept(given(ADMIN_VARIABLE), state_dir.join("admin-key"))?;
    match &key.kept_in {
        None => check_length(ADMIN_VARIABLE, &key.secret)?,
        Some(file) => check_length(&file.display().to_string(), &key.secret)?,
    }
    Ok(key)
}

/// The secret that signs players' tokens.
///
/// # Errors
/// When its file cannot be read or written.
pub(super) fn token_secret(state_dir: &Path) -> Result<String> {
    let given = std::env::var(TOKEN_VARIABLE).ok();
    let file = state_dir.join("player-token-secret");
    Ok(given_or_kept(given.filter(|secret| !secret.is_empty()), file)?.secret)
}

/// The `given` secret, else the one in `file`, else a new one that is then kept there.
fn given_or_kept(given: Option<String>, file: PathBuf) -> Result<Key> {
    if let Some(secret) = given {
        return Ok(Key {
            secret,
            kept_in: None,
        });
    }
    let secret = match fs::read_to_string(&file) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => generate(&file)?,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    ensure!(
        !secret.is_empty(),
        "{} is empty; remove it and a new key is made",
        file.display()
    );
    fs::set_permissions(&file, Permissions::from_mode(FILE_MODE))
        .with_context(|| format!("cannot protect {}", file.display()))?;
    Ok(Key {
        secret,
        kept_in: Some(file),
    })
}

fn check_length(name: &str, key: &str) -> Result<()> {
    let found = key.len();
    ensure!(
        found >= MIN_KEY_BYTES,
        "{name}: the key has {found} bytes and must have at least {MIN_KEY_BYTES}"
    );
    Ok(())
}

fn generate(file: &Path) -> Result<String> {
    let mut bytes = [0u8; KEY_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("cannot read the system's random numbers: {error}"))?;
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(FILE_MODE).open(file);
    opened
        .and_then(|mut file| writeln!(file, "{secret}"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_kept_for_its_owner_alone_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = given_or_kept(None, folder.path().join("one")).unwrap();
        let file = first.kept_in.unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!((first.secret.len(), mode & 0o777), (2 * KEY_BYTES, FILE_MODE));
        assert_eq!(given_or_kept(None, file).unwrap().secret, first.secret);
        let other = given_or_kept(None, folder.path().join("other")).unwrap();
        assert_ne!(other.secret, first.secret);
    }

    #[test]
    fn a_given_key_is_used_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let key = given_or_kept(Some("mine".to_owned()), folder.path().join("key")).unwrap();
        assert_eq!((key.secret.as_str(), key.kept_in), ("mine", None));
        assert!(!folder.path().join("key").exists());
    }

    #[test]
    fn a_short_key_is_refused_by_the_name_of_its_variable() {
        let refused = check_length(ADMIN_VARIABLE, "mine").unwrap_err().to_string();
        assert_eq!(
            refused,
            "SPIN_VARIABLE_ADMIN_KEY: the key has 4 bytes and must have at least 32"
        );
    }
}
