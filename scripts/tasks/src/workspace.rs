//! What cargo knows about this repository.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// The workspace: its folders and its packages.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Below the root, with `/`, for instance `functions/scores`.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as a package's manifest names it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    kind: Option<String>,
    /// Set when it is a package on this disk.
    pub(crate) path: Option<PathBuf>,
}

impl Dependency {
    /// Whether only tests, examples and benchmarks use it.
    pub(crate) fn is_for_development(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// Something that a package builds.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
}

impl Target {
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

impl Workspace {
    /// The workspace around the current folder.
    ///
    /// # Errors
    /// When cargo cannot read it.
    pub(crate) fn load() -> Result<Self> {
        Self::load_from(&std::env::current_dir().context("cannot tell the current folder")?)
    }

    /// The workspace around `folder`.
    ///
    /// # Errors
    /// When cargo cannot read it.
    pub(crate) fn load_from(folder: &Path) -> Result<Self> {
        let json = process::output(process::cargo(
            folder,
            &["metadata", "--format-version=1", "--no-deps"],
        ))?;
        let metadata: Metadata = serde_json::from_str(&json).context("cannot read cargo's metadata")?;
        let root = metadata.workspace_root;
        let packages = metadata
            .packages
            .into_iter()
            .map(|package| Package::new(package, &root))
            .collect();
        Ok(Self {
            root,
            target: metadata.target_directory,
            packages,
        })
    }

    /// The packages whose folder is directly below `parent`, for instance `functions`.
    pub(crate) fn below<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a Package> {
        self.packages
            .iter()
            .filter(move |package| package.parent() == parent)
    }

    /// The packages that are compiled to Wasm components: functions and the guests of tests.
    pub(crate) fn components(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_component())
    }
}

impl Package {
    fn new(package: MetadataPackage, root: &Path) -> Self {
        let folder = package.manifest_path.parent().unwrap_or(root);
        Self {
            name: package.name,
            folder: relative(folder, root),
            dependencies: package.dependencies,
            targets: package.targets,
        }
    }

    /// The folder that holds this package's folder, below the root.
    pub(crate) fn parent(&self) -> &str {
        self.folder.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    /// The last part of the folder: what a component is called.
    pub(crate) fn folder_name(&self) -> &str {
        self.folder
            .rsplit_once('/')
            .map_or(self.folder.as_str(), |(_, name)| name)
    }

    fn is_component(&self) -> bool {
        matches!(self.parent(), "functions" | "tests/guests")
    }

    /// What this package needs to be built and run, development aside.
    pub(crate) fn shipped_dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies
            .iter()
            .filter(|dependency| !dependency.is_for_development())
    }
}

/// `path` below `root`, with `/`; unchanged when it is elsewhere.
pub(crate) fn relative(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_understood() {
        let workspace = Workspace::load_from(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let tasks = workspace
            .packages
            .iter()
            .find(|package| package.name == "tasks")
            .unwrap();
        assert_eq!(
            (tasks.folder.as_str(), tasks.parent()),
            ("scripts/tasks", "scripts")
        );
        assert!(tasks.targets.iter().any(|target| target.is("bin")));
        let scores = workspace
            .below("functions")
            .find(|package| package.folder_name() == "scores")
            .unwrap();
        assert_eq!(scores.name, "edgeboard-scores");
        assert!(workspace.components().all(|package| package.name != "tasks"));
    }

    #[test]
    fn paths_are_relative_with_slashes() {
        assert_eq!(relative(Path::new("/a/b/c"), Path::new("/a")), "b/c");
    }
}
