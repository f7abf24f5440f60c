//! The sample data: loaded into an empty store.
//!
//! A file in the state folder marks a load that has begun and not ended, so that one that was interrupted is
//! taken up again at the next start: an import is idempotent and resumes.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::client::Client;
use super::programs;
use super::settings::Settings;
use super::supervisor::{End, Supervisor};
use crate::workspace::Workspace;

/// The sample's all-time leaderboard.
pub(super) const LEADERBOARD: &str = "goals";
/// A player of it to look around.
pub(super) const PLAYER: &str = "Cristiano Ronaldo (Portugal)";

/// Loads the sample when the store is empty or a load was interrupted.
///
/// # Errors
/// When the store cannot be asked, or the import cannot be started.
pub(super) fn load(
    workspace: &Workspace,
    settings: &Settings,
    client: &Client,
    supervisor: &mut Supervisor,
) -> Result<Option<End>> {
    let marker = Marker::of(settings);
    if !marker.is_set() && !client.leaderboards()?.is_empty() {
        return Ok(None);
    }
    eprintln!("==> loading the sample (--no-sample leaves the store empty)");
    marker.set()?;
    let address = format!("http://{}", client.address());
    let end = supervisor.run(programs::import(workspace, settings, &address))?;
    if end.is_none() {
        marker.clear()?;
    }
    Ok(end)
}

/// Remembers which store a load is under way for.
struct Marker {
    file: PathBuf,
    store: String,
}

impl Marker {
    fn of(settings: &Settings) -> Self {
        Self {
            file: settings.state_dir.join("sample-loading"),
            store: settings.store(),
        }
    }

    fn is_set(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|store| store == self.store)
    }

    fn set(&self) -> Result<()> {
        fs::write(&self.file, &self.store).with_context(|| format!("cannot write {}", self.file.display()))
    }

    fn clear(&self) -> Result<()> {
        fs::remove_file(&self.file).with_context(|| format!("cannot remove {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_load_is_remembered_for_its_store() {
        let folder = tempfile::tempdir().unwrap();
        let marker = |store: &str| Marker {
            file: folder.path().join("m"),
            store: store.to_owned(),
        };
        assert!(!marker("embedded").is_set());
        marker("embedded").set().unwrap();
        assert!(marker("embedded").is_set());
        assert!(!marker("redis://h:1").is_set());
        marker("embedded").clear().unwrap();
        assert!(!marker("embedded").is_set());
    }
}
