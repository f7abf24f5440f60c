//! Where the command-line tool is.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::root;

/// The tool, beside the test's own program; made when nothing has made it yet.
pub(crate) fn tool() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let directory = own.parent().and_then(Path::parent).unwrap();
    let program = directory.join("edgeboard");
    if !program.exists() {
        let profile = if directory.ends_with("release") {
            "release"
        } else {
            "dev"
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--package", "edgeboard", "--profile", profile])
            .current_dir(root());
        assert!(cargo.status().unwrap().success());
    }
    program
}
