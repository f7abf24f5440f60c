//! The admin key, and the secret of players' tokens: the caller's, or made up here and kept, so that a restart does not
//! change them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The environment variable through which Spin and the local host take the application's `admin_key`.
pub(super) const VARIABLE: &str = "SPIN_VARIABLE_ADMIN_KEY";
/// The same for the application's `player_token_secret`.
pub(super) const TOKEN_VARIABLE: &str = "SPIN_VARIABLE_PLAYER_TOKEN_SECRET";
const FILE: &str = "admin-key";
const TOKEN_FILE: &str = "player-token-secret";
const KEY_BYTES: usize = 24;
/// The shortest key that the components take, in bytes.
const MIN_KEY_BYTES: usize = 32;
/// The environment variable of the application's `metrics_key`.
pub(super) const METRICS_VARIABLE: &str = "SPIN_VARIABLE_METRICS_KEY";
/// Only its owner reads the file.
const FILE_MODE: u32 = 0o600;

pub(super) struct AdminKey {
    pub(super) secret: String,
    /// Where it is kept; nowhere when the caller gave it.
    pub(super) kept_in: Option<PathBuf>,
}

impl AdminKey {
    /// The `given` key, else the one kept in `state_dir`, else a new one that is then kept there.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the key is shorter than the components take.
    pub(super) fn obtain(state_dir: &Path, given: Option<String>) -> Result<Self> {
        let key = Self::obtain_from(state_dir.join(FILE), given)?;
        match &key.kept_in {
            None => check(VARIABLE, &key.secret)?,
            Some(file) => check(&file.display().to_string(), &key.secret)?,
        }
        Ok(key)
    }

    fn obtain_from(file: PathBuf, given: Option<String>) -> Result<Self> {
        if let Some(secret) = given.filter(|secret| !secret.is_empty()) {
            return Ok(Self {
                secret,
                kept_in: None,
            });
        }
        let secret = match fs::read_to_string(&file) {
            Ok(text) => read(&file, &text)?,
            Err(error) if error.kind() == ErrorKind::NotFound => make(&file)?,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        };
        Ok(Self {
            secret,
            kept_in: Some(file),
        })
    }
}

/// The secret of players' tokens; as [`AdminKey::obtain`].
///
/// # Errors
/// When the file cannot be read or written.
pub(super) fn token_secret(state_dir: &Path, given: Option<String>) -> Result<String> {
    Ok(AdminKey::obtain_from(state_dir.join(TOKEN_FILE), given)?.secret)
}

/// Refuses a metrics key that the components would refuse.
///
/// # Errors
/// When it is too short.
pub(super) fn check_metrics_key(given: Option<String>) -> Result<()> {
    match given.filter(|key| !key.is_empty()) {
        None => Ok(()),
        Some(key) => check(METRICS_VARIABLE, &key),
    }
}

fn check(name: &str, key: &str) -> Result<()> {
    let found = key.len();
    ensure!(
        found >= MIN_KEY_BYTES,
        "{name}: the key has {found} bytes and must have at least {MIN_KEY_BYTES}"
    );
    Ok(())
}

fn read(file: &Path, text: &str) -> Result<String> {
    let secret = text.trim();
    ensure!(
        !secret.is_empty(),
        "{} is empty; remove it and a new key is made",
        file.display()
    );
    fs::set_permissions(file, Permissions::from_mode(FILE_MODE))
        .with_context(|| format!("cannot protect {}", file.display()))?;
    Ok(secret.to_owned())
}

fn make(file: &Path) -> Result<String> {
    let mut bytes = [0u8; KEY_BYTES];
    let mut random = File::open("/dev/urandom").context("cannot open the system's random numbers")?;
    random
        .read_exact(&mut bytes)
        .context("cannot read the system's random numbers")?;
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(file)
        .and_then(|mut file| writeln!(file, "{secret}"));
    written.with_context(|| format!("cannot write {}", file.display()))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_key_is_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = AdminKey::obtain(folder.path(), None).unwrap();
        assert_eq!(first.secret.len(), 2 * KEY_BYTES);
        let file = first.kept_in.unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            FILE_MODE
        );
        let second = AdminKey::obtain(folder.path(), Some(String::new())).unwrap();
        assert_eq!(second.secret, first.secret);
    }

    #[test]
    fn the_secret_of_tokens_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let key = AdminKey::obtain(folder.path(), None).unwrap().secret;
        let secret = token_secret(folder.path(), None).unwrap();
        assert_ne!(secret, key);
        assert_eq!(token_secret(folder.path(), None).unwrap(), secret);
    }

    #[test]
    fn two_made_up_keys_differ() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = |folder: &tempfile::TempDir| AdminKey::obtain(folder.path(), None).unwrap().secret;
        assert_ne!(key(&one), key(&other));
    }

    #[test]
    fn a_given_key_is_used_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mine = "mine, and as long as it must be!";
        let key = AdminKey::obtain(folder.path(), Some(mine.to_owned())).unwrap();
        assert_eq!((key.secret.as_str(), key.kept_in), (mine, None));
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn a_short_key_is_refused_by_the_name_of_its_variable() {
        let folder = tempfile::tempdir().unwrap();
        let refused = AdminKey::obtain(folder.path(), Some("mine".to_owned()))
            .err()
            .unwrap();
        assert_eq!(
            refused.to_string(),
            "SPIN_VARIABLE_ADMIN_KEY: the key has 4 bytes and must have at least 32"
        );
        let refused = check_metrics_key(Some("x".repeat(31))).unwrap_err();
        assert!(
            refused.to_string().starts_with("SPIN_VARIABLE_METRICS_KEY: "),
            "{refused}"
        );
        assert!(check_metrics_key(None).is_ok() && check_metrics_key(Some("x".repeat(32))).is_ok());
        let file = folder.path().join(FILE);
        fs::write(&file, "kept").unwrap();
        let refused = AdminKey::obtain(folder.path(), None).err().unwrap();
        assert!(
            refused.to_string().starts_with(&file.display().to_string()),
            "{refused}"
        );
    }
}
