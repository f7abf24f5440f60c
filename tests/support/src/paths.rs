//! Directories of the project.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the root of the project.
///
/// # Panics
/// When the project was moved after it was compiled.
#[must_use]
#[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
pub fn project_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the root of the project")
}

/// Returns the directory that cargo builds into: `target`, unless `CARGO_TARGET_DIR` names another one.
///
/// # Panics
/// When the running program is not a test that cargo built.
#[must_use]
#[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
pub fn target_dir() -> PathBuf {
    let program = std::env::current_exe().expect("the path of the test");
    // The program is a file such as `target/release/deps/all-0123456789abcdef`.
    let target = program.ancestors().nth(3).expect("a test in cargo's directory");
    target.to_owned()
}

/// Returns the path of the command-line tool ([`built_program`]).
///
/// # Panics
/// When the tool cannot be built.
#[must_use]
pub fn tool_program() -> PathBuf {
    built_program("edgeboard")
}

/// Returns the path of the program of a package with the same name, in the profile of the running test. Builds
/// the program if it does not exist yet.
///
/// # Panics
/// When the program cannot be built.
#[must_use]
#[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
pub fn built_program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let directory = test
        .ancestors()
        .nth(2)
        .expect("a test in the directory of a profile");
    let program = directory.join(name);
    if !program.exists() {
        let is_release = directory.ends_with("release");
        let profile = if is_release { "release" } else { "dev" };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", name, "--profile", profile]);
        let status = cargo.current_dir(project_root()).status();
        assert!(status.is_ok_and(|status| status.success()), "{name} is built");
    }
    program
}
