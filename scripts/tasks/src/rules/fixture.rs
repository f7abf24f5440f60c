//! A small workspace on disk whose packages need nothing from a registry.

use std::fs;
use std::path::Path;

use crate::workspace::Workspace;

/// A workspace in a folder of its own, gone with it.
pub(super) struct Fixture {
    folder: tempfile::TempDir,
    members: Vec<String>,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            members: Vec::new(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a package; `dependencies` is what follows `[dependencies]` in its manifest.
    pub(super) fn package(mut self, folder: &str, name: &str, dependencies: &str) -> Self {
        let manifest = format!(
            "[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2024'\n[dependencies]\n{dependencies}\n"
        );
        self.members.push(folder.to_owned());
        let build_script = "fn main() {}\n";
        self.file(&format!("{folder}/Cargo.toml"), &manifest)
            .file(&format!("{folder}/src/lib.rs"), "")
            .file(&format!("{folder}/build.rs"), build_script)
    }

    /// Adds a file.
    pub(super) fn file(self, path: &str, text: &str) -> Self {
        let file = self.root().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    /// What cargo makes of it.
    pub(super) fn workspace(&self) -> Workspace {
        let manifest = format!("[workspace]\nresolver = '3'\nmembers = {:?}\n", self.members);
        fs::write(self.root().join("Cargo.toml"), manifest).unwrap();
        Workspace::load_from(self.root()).unwrap()
    }
}
