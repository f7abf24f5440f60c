//! What cargo knows about this repository.

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
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    pub(crate) components: Vec<Component>,
}

/// A package that is compiled to a Wasm component.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) kind: Kind,
    pub(crate) package: String,
    /// The name of its folder, which is its name in `spin.toml`.
    pub(crate) name: String,
    /// The file that cargo makes of it.
    pub(crate) artefact: String,
}

/// Which components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The product's, in `functions/`.
    Function,
    /// Those of tests and benchmarks, in `tests/guests/`.
    Guest,
}

impl Workspace {
    /// # Errors
    /// When cargo cannot read the workspace.
    pub(crate) fn load() -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec();
        let metadata = metadata.context("cannot read the workspace")?;
        Ok(Self {
            components: metadata.packages.iter().filter_map(Component::of).collect(),
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
        })
    }

    pub(crate) fn components_of(&self, kind: Kind) -> impl Iterator<Item = &Component> {
        self.components
            .iter()
            .filter(move |component| component.kind == kind)
    }

    /// A program that cargo has built in the profile `release`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }
}

impl Component {
    /// Returns `None` for a package that is not in a folder of components, or builds no component.
    fn of(package: &Package) -> Option<Self> {
        let folder = match package.manifest_path.parent()? {
            // The component of a function stands in a folder of its own beside the function's library.
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
