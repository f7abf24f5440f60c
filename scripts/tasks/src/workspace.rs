//! The packages of this repository, as cargo reports them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use cargo_metadata::{MetadataCommand, Package, TargetKind};

/// The target that Spin and the local host run.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The workspace around the current folder.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    pub(crate) components: Vec<Component>,
}

/// A package that is compiled to a Wasm component.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) kind: Kind,
    pub(crate) package: String,
    /// The name of the package's folder, which is also the id of the component in `spin.toml`.
    pub(crate) name: String,
    /// The name of the file that cargo builds from the package.
    pub(crate) artefact: String,
}

/// The kind of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A component of the product, in `functions/`.
    Function,
    /// A component for tests and benchmarks, in `tests/guests/`.
    Guest,
}

impl Workspace {
    /// Loads the workspace around the current folder.
    ///
    /// # Errors
    /// Cargo cannot read the workspace.
    pub(crate) fn load() -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec();
        let metadata = metadata.context("cannot read the workspace")?;
        Ok(Self {
            components: metadata.packages.iter().filter_map(Component::of).collect(),
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
        })
    }

    /// Returns the components of a kind.
    pub(crate) fn components_of(&self, kind: Kind) -> impl Iterator<Item = &Component> {
        self.components
            .iter()
            .filter(move |component| component.kind == kind)
    }

    /// Returns the path of a program that cargo has built in the profile `release`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }
}

impl Component {
    /// Returns the component of a package; `None` if the package is not in a folder of components, or builds
    /// no component.
    fn of(package: &Package) -> Option<Self> {
        let folder = match package.manifest_path.parent()? {
            // The component of a function is in the folder `component` below the folder of the function's
            // library.
            component if component.ends_with("component") => component.parent()?,
            folder => folder,
        };
        let kind = match folder.parent()? {
            parent if parent.ends_with("functions") => Kind::Function,
            parent if parent.ends_with("tests/guests") => Kind::Guest,
            _ => return None,
        };
        let is_component =
            |kinds: &[TargetKind]| kinds.contains(&TargetKind::CDyLib) || kinds.contains(&TargetKind::Bin);
        let target = package.targets.iter().find(|target| is_component(&target.kind))?;
        let stem = if target.is_bin() {
            target.name.clone()
        } else {
            target.name.replace('-', "_")
        };
        Some(Self {
            kind,
            package: package.name.to_string(),
            name: folder.file_name()?.to_owned(),
            artefact: format!("{stem}.wasm"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_components_of_this_repository_are_found() {
        let workspace = Workspace::load().unwrap();
        let scores = workspace
            .components_of(Kind::Function)
            .find(|component| component.name == "scores")
            .unwrap();
        assert_eq!(
            (scores.package.as_str(), scores.artefact.as_str()),
            ("edgeboard-scores", "edgeboard_scores.wasm")
        );
        assert!(
            workspace
                .components_of(Kind::Guest)
                .any(|guest| guest.name == "hello")
        );
    }
}
