//! Builds the components for Wasm, and copies them to the folder where `spin.toml` looks for them.
//!
//! A cargo call builds either for the host or for Wasm, so that cargo does not unify the features of the two.
//! A component is replaced only if its bytes have changed, so that what was compiled from the old file stays
//! valid.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::workspace::{Kind, WASM_TARGET, Workspace};
use crate::{Profile, process, steps};

/// The folder where `spin.toml` looks for the components, relative to the root. Cargo's target folder can be
/// another one.
pub(crate) const FOLDER: &str = "target/functions";

/// Builds every component of a kind, and copies the changed components to `target/functions`.
///
/// # Errors
/// A component does not compile or cannot be copied.
pub(crate) fn build(workspace: &Workspace, kind: Kind, profile: Profile) -> Result<()> {
    let started = Instant::now();
    let folder = workspace.root.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let _lock = lock_folder(&folder.join(".lock"))?;
    let built = compile(workspace, kind, profile)?;
    let mut changed = Vec::new();
    for (name, file) in &built {
        if copy_if_changed(file, &folder.join(format!("{name}.wasm")))? {
            changed.push(name.as_str());
        }
    }
    let changes = if changed.is_empty() {
        "nothing changed".to_owned()
    } else {
        changed.join(", ")
    };
    let (count, name, time) = (
        built.len(),
        profile.name(),
        steps::format_duration(started.elapsed()),
    );
    eprintln!("    {count} components of profile {name} in {FOLDER} after {time}: {changes}");
    Ok(())
}

/// Compiles every component of a kind. Returns the name and the file of each component in cargo's target
/// folder.
///
/// # Errors
/// A component does not compile.
pub(crate) fn compile(workspace: &Workspace, kind: Kind, profile: Profile) -> Result<Vec<(String, PathBuf)>> {
    let mut arguments = vec!["build", "--target", WASM_TARGET, "--profile", profile.name()];
    for component in workspace.components_of(kind) {
        arguments.extend(["--package", &component.package]);
    }
    process::run(process::cargo(&workspace.root, arguments))?;
    let folder = workspace.target.join(WASM_TARGET).join(profile.name());
    Ok(workspace
        .components_of(kind)
        .map(|component| (component.name.clone(), folder.join(&component.artefact)))
        .collect())
}

/// Locks the folder of the components. Waits while another build has the lock. Dropping the file releases the
/// lock.
fn lock_folder(path: &Path) -> Result<File> {
    let cannot = || format!("cannot lock {}", path.display());
    let file = File::create(path).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => eprintln!("    waiting for another build of the components"),
        Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
    }
    file.lock().with_context(cannot)?;
    Ok(file)
}

/// Copies `from` to `to` if their bytes differ, and returns whether they did. A reader never sees a partial
/// file.
fn copy_if_changed(from: &Path, to: &Path) -> Result<bool> {
    let new = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(false);
    }
    let staged = to.with_extension("wasm.new");
    fs::write(&staged, &new)
        .and_then(|()| fs::rename(&staged, to))
        .with_context(|| format!("cannot write {}", to.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_component_keeps_its_modification_time() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.wasm"), folder.path().join("b.wasm"));
        fs::write(&from, "one").unwrap();
        assert!(copy_if_changed(&from, &to).unwrap());
        let time = fs::metadata(&to).unwrap().modified().unwrap();
        assert!(!copy_if_changed(&from, &to).unwrap());
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), time);
        fs::write(&from, "two").unwrap();
        assert!(copy_if_changed(&from, &to).unwrap());
        assert_eq!(fs::read(&to).unwrap(), b"two");
    }

    #[test]
    fn a_second_build_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let first = lock_folder(&path).unwrap();
        let second = std::thread::spawn({
            let path = path.clone();
            move || lock_folder(&path).map(|_| ())
        });
        assert!(File::create(&path).unwrap().try_lock().is_err());
        drop(first);
        second.join().unwrap().unwrap();
    }
}
