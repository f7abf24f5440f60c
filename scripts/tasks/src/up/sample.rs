//! The sample data: loaded into an empty store.
//!
//! A file in the state folder marks a load that has begun and not ended, so that one that was interrupted is
//! taken up again at the next start, from the checkpoint that the import keeps beside it.

use std::fs;
use std::io::ErrorKind;
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
    let progress = Progress::of(settings);
    let empty = client.leaderboards()?.is_empty();
    if !empty && !progress.is_under_way() {
        return Ok(None);
    }
    eprintln!("==> loading the sample, while requests are answered (--no-sample leaves the store empty)");
    if empty {
        progress.forget()?;
    }
    progress.begin()?;
    let address = format!("http://{}", client.address());
    let end = supervisor.run(programs::import(
        workspace,
        settings,
        &address,
        &progress.checkpoint,
    ))?;
    if end.is_none() {
        progress.forget()?;
    }
    Ok(end)
}

/// What is kept about a load while it is under way.
struct Progress {
    /// Names the store that is being loaded.
    marker: PathBuf,
    store: String,
    /// The import's own note of what was acknowledged.
    checkpoint: PathBuf,
}

impl Progress {
    fn of(settings: &Settings) -> Self {
        Self {
            marker: settings.state_dir.join("sample-loading"),
            store: settings.store(),
            checkpoint: settings.state_dir.join("sample-checkpoint"),
        }
    }

    fn is_under_way(&self) -> bool {
        fs::read_to_string(&self.marker).is_ok_and(|store| store == self.store)
    }

    fn begin(&self) -> Result<()> {
        fs::write(&self.marker, &self.store)
            .with_context(|| format!("cannot write {}", self.marker.display()))
    }

    /// A checkpoint without its store would have the import send nothing to the next one.
    fn forget(&self) -> Result<()> {
        for file in [&self.checkpoint, &self.marker] {
            match fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", file.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_load_is_remembered_for_its_store() {
        let folder = tempfile::tempdir().unwrap();
        let progress = |store: &str| Progress {
            marker: folder.path().join("m"),
            store: store.to_owned(),
            checkpoint: folder.path().join("c"),
        };
        assert!(!progress("embedded").is_under_way());
        progress("embedded").begin().unwrap();
        fs::write(folder.path().join("c"), "half").unwrap();
        assert!(progress("embedded").is_under_way());
        assert!(!progress("redis://h:1").is_under_way());
        progress("embedded").forget().unwrap();
        assert!(!progress("embedded").is_under_way());
        assert!(!folder.path().join("c").exists());
        progress("embedded").forget().unwrap();
    }
}
