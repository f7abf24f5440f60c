//! The components: built for Wasm, then put where `spin.toml` looks for them.
//!
//! Host and Wasm never share a cargo call, so that neither's features leak into the other. A component is
//! replaced only when its bytes changed: whatever was compiled from the old file stays valid.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::cli::Profile;
use crate::workspace::{Package, Workspace};
use crate::{process, progress};

/// The target that Spin and the local host run.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";
/// Where `spin.toml` looks for the components, below the root whatever cargo's target folder is.
const PLACE: &str = "target/functions";

/// Which components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The product's.
    Function,
    /// Those that the tests of the local host run.
    Guest,
}

impl Kind {
    pub(crate) fn parent(self) -> &'static str {
        match self {
            Self::Function => "functions",
            Self::Guest => "tests/guests",
        }
    }

    /// The name that the package in `folder` must have.
    fn package_name(self, folder: &str) -> String {
        match self {
            Self::Function => format!("edgeboard-{folder}"),
            Self::Guest => folder.to_owned(),
        }
    }
}

/// Builds every component of a kind and puts the changed ones into `target/functions`.
///
/// # Errors
/// When a package is misnamed, does not compile, or its component cannot be put into place.
pub(crate) fn build(workspace: &Workspace, kind: Kind, profile: Profile) -> Result<()> {
    build_with(workspace, kind, profile, &mut process::run)
}

/// As [`build`]; `run` runs cargo.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_with(
    workspace: &Workspace,
    kind: Kind,
    profile: Profile,
    run: &mut dyn FnMut(Command) -> Result<()>,
) -> Result<()> {
    let started = Instant::now();
    let place = workspace.root.join(PLACE);
    fs::create_dir_all(&place).with_context(|| format!("cannot create {}", place.display()))?;
    let _lock = lock(&place.join(".lock"))?;
    let built = compile_with(workspace, kind, profile, run)?;
    let mut changed = Vec::new();
    for component in &built {
        if put_if_changed(&component.file, &place.join(format!("{}.wasm", component.name)))? {
            changed.push(component.name.as_str());
        }
    }
    if kind == Kind::Function {
        write_profile(&place, profile)?;
    }
    let news = if changed.is_empty() {
        "nothing changed".to_owned()
    } else {
        changed.join(", ")
    };
    let (count, name, time) = (built.len(), profile.name(), progress::display(started.elapsed()));
    eprintln!("    {count} components of profile {name} in {PLACE} after {time}: {news}");
    Ok(())
}

/// A component that cargo has built.
pub(crate) struct Built {
    /// The name of its folder, which is its name in `spin.toml`.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

/// Compiles every component of a kind and leaves them where cargo puts them.
///
/// # Errors
/// When a package is misnamed or does not compile.
pub(crate) fn compile(workspace: &Workspace, kind: Kind, profile: Profile) -> Result<Vec<Built>> {
    compile_with(workspace, kind, profile, &mut process::run)
}

fn compile_with(
    workspace: &Workspace,
    kind: Kind,
    profile: Profile,
    run: &mut dyn FnMut(Command) -> Result<()>,
) -> Result<Vec<Built>> {
    let folder = workspace.target.join(WASM_TARGET).join(profile.name());
    let mut arguments = vec!["build", "--target", WASM_TARGET, "--profile", profile.name()];
    let mut built = Vec::new();
    for package in workspace.below(kind.parent()) {
        let wanted = kind.package_name(package.folder_name());
        ensure!(
            package.name == wanted,
            "the package in {} must be called {wanted}",
            package.folder
        );
        arguments.extend(["--package", &package.name]);
        built.push(Built {
            name: package.folder_name().to_owned(),
            file: folder.join(artefact(package)?),
        });
    }
    if !built.is_empty() {
        run(process::cargo(&workspace.root, &arguments))?;
    }
    Ok(built)
}

/// The file that cargo makes of a package: a library's name has underscores, a program's its own.
fn artefact(package: &Package) -> Result<String> {
    let target = |kind: &str| package.targets.iter().find(|target| target.is(kind));
    let stem = match (target("cdylib"), target("bin")) {
        (Some(library), _) => library.name.replace('-', "_"),
        (None, Some(program)) => program.name.clone(),
        (None, None) => anyhow::bail!("{} builds neither a cdylib nor a program", package.folder),
    };
    Ok(format!("{stem}.wasm"))
}

/// Waits until no other build puts components into place; released when the file is dropped.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => eprintln!("    waiting for another build of the components"),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Copies `from` to `to` when the bytes differ and says whether they did. A reader never sees half a file.
fn put_if_changed(from: &Path, to: &Path) -> Result<bool> {
    let new = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(false);
    }
    let staged = to.with_extension("wasm.new");
    fs::write(&staged, &new).with_context(|| format!("cannot write {}", staged.display()))?;
    fs::rename(&staged, to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(true)
}

/// Records which profile the functions in place are of.
fn write_profile(place: &Path, profile: Profile) -> Result<()> {
    let file = place.join(".profile");
    fs::write(&file, profile.name()).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_component_keeps_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.wasm"), folder.path().join("b.wasm"));
        fs::write(&from, "one").unwrap();
        assert!(put_if_changed(&from, &to).unwrap());
        let time = fs::metadata(&to).unwrap().modified().unwrap();
        fs::write(&from, "one").unwrap();
        assert!(!put_if_changed(&from, &to).unwrap());
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), time);
        fs::write(&from, "two").unwrap();
        assert!(put_if_changed(&from, &to).unwrap());
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
        assert!(matches!(
            File::create(&path).unwrap().try_lock(),
            Err(TryLockError::WouldBlock)
        ));
        drop(first);
        second.join().unwrap().unwrap();
    }

    #[test]
    fn the_functions_of_this_repository_have_an_artefact_each() {
        let workspace = Workspace::load_from(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        for package in workspace.below(Kind::Function.parent()) {
            assert_eq!(package.name, Kind::Function.package_name(package.folder_name()));
            assert_eq!(
                artefact(package).unwrap(),
                format!("{}.wasm", package.name.replace('-', "_"))
            );
        }
    }
}
