//! The components: built for Wasm, then put where `spin.toml` looks for them.
//!
//! Host and Wasm never share a cargo call, so that neither's features leak into the other. A component is
//! replaced only when its bytes changed: whatever was compiled from the old file stays valid.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::workspace::{Kind, WASM_TARGET, Workspace};
use crate::{Profile, process, steps};

/// Where `spin.toml` looks for the components, below the root whatever cargo's target folder is.
pub(crate) const FOLDER: &str = "target/functions";

/// Builds every component of a kind and puts the changed ones into `target/functions`.
///
/// # Errors
/// When a component does not compile or cannot be put into its folder.
pub(crate) fn build(workspace: &Workspace, kind: Kind, profile: Profile) -> Result<()> {
    let started = Instant::now();
    let folder = workspace.root.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let _lock = lock(&folder.join(".lock"))?;
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
    let (count, name, time) = (built.len(), profile.name(), steps::display(started.elapsed()));
    eprintln!("    {count} components of profile {name} in {FOLDER} after {time}: {changes}");
    Ok(())
}

/// Compiles every component of a kind; returns the name of each and the file that cargo made.
///
/// # Errors
/// When one does not compile.
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

/// Waits until no other build puts components into the folder; released when the file is dropped.
fn lock(path: &Path) -> Result<File> {
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

/// Copies `from` to `to` when the bytes differ and returns whether they did. A reader never sees half a file.
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
    fn an_unchanged_component_keeps_its_time() {
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
        let first = lock(&path).unwrap();
        let second = std::thread::spawn({
            let path = path.clone();
            move || lock(&path).map(|_| ())
        });
        assert!(File::create(&path).unwrap().try_lock().is_err());
        drop(first);
        second.join().unwrap().unwrap();
    }
}
