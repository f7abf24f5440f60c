//! The admin key, and the secret that signs players' tokens. Each comes from the environment, or is generated
//! and kept in a file, so that a restart does not change it.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};

/// The environment variable from which Spin and the local host take the admin key.
pub(super) const ADMIN_VARIABLE: &str = "SPIN_VARIABLE_ADMIN_KEY";
/// The environment variable with the secret that signs players' tokens.
pub(super) const TOKEN_VARIABLE: &str = "SPIN_VARIABLE_PLAYER_TOKEN_SECRET";
/// The environment variable with the key for metrics.
const METRICS_VARIABLE: &str = "SPIN_VARIABLE_METRICS_KEY";
/// The number of random bytes of a generated key, which is written in hexadecimal digits.
const KEY_BYTES: usize = 24;
/// The shortest key that the components accept, in bytes.
const MIN_KEY_BYTES: usize = 32;
/// The mode of the file of a key: only its owner can read and write it.
const FILE_MODE: u32 = 0o600;

/// A key or another secret.
pub(super) struct Key {
    pub(super) secret: String,
    /// The file in which the secret is kept; `None` if it comes from the environment.
    pub(super) kept_in: Option<PathBuf>,
}

/// Returns the admin key. Also checks the length of the keys in the environment, because the components would
/// refuse a short key only after the build.
///
/// # Errors
/// The file of the key cannot be read or written, or a key is too short for the components.
pub(super) fn admin_key(state_dir: &Path) -> Result<Key> {
    let given = |variable| {
        std::env::var(variable)
            .ok()
            .filter(|key: &String| !key.is_empty())
    };
    if let Some(metrics_key) = given(METRICS_VARIABLE) {
        check_length(METRICS_VARIABLE, &metrics_key)?;
    }
    let key = resolve_secret(given(ADMIN_VARIABLE), state_dir.join("admin-key"))?;
    match &key.kept_in {
        None => check_length(ADMIN_VARIABLE, &key.secret)?,
        Some(file) => check_length(&file.display().to_string(), &key.secret)?,
    }
    Ok(key)
}

/// Returns the secret that signs players' tokens.
///
/// # Errors
/// The file of the secret cannot be read or written.
pub(super) fn token_secret(state_dir: &Path) -> Result<String> {
    let given = std::env::var(TOKEN_VARIABLE).ok();
    let file = state_dir.join("player-token-secret");
    Ok(resolve_secret(given.filter(|secret| !secret.is_empty()), file)?.secret)
}

/// Returns the `given` secret. Without it, returns the secret in `file`. Without a file, generates a secret
/// and keeps it in `file`.
fn resolve_secret(given: Option<String>, file: PathBuf) -> Result<Key> {
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

/// Generates a secret, and writes it to a new file.
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
    fn a_generated_key_is_kept_in_a_private_file_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = resolve_secret(None, folder.path().join("one")).unwrap();
        let file = first.kept_in.unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!((first.secret.len(), mode & 0o777), (2 * KEY_BYTES, FILE_MODE));
        assert_eq!(resolve_secret(None, file).unwrap().secret, first.secret);
        let other = resolve_secret(None, folder.path().join("other")).unwrap();
        assert_ne!(other.secret, first.secret);
    }

    #[test]
    fn a_given_key_is_used_and_not_kept_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let key = resolve_secret(Some("mine".to_owned()), folder.path().join("key")).unwrap();
        assert_eq!((key.secret.as_str(), key.kept_in), ("mine", None));
        assert!(!folder.path().join("key").exists());
    }

    #[test]
    fn the_error_of_a_short_key_names_its_variable() {
        let refused = check_length(ADMIN_VARIABLE, "mine").unwrap_err().to_string();
        assert_eq!(
            refused,
            "SPIN_VARIABLE_ADMIN_KEY: the key has 4 bytes and must have at least 32"
        );
    }
}
