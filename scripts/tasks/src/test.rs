//! `scripts/test`: the checks that every change must pass, the cheapest first.
//!
//! All native code is compiled with `--release`, even for the lints. So build scripts (SQLite's C code) and
//! macros are compiled only once for lints, tests, `up` and benchmarks, and the tests of the local host
//! compile components with an optimised compiler. Components are linted and built with one profile,
//! `edge-test`, so that their dependencies are also compiled only once.

use anyhow::Result;

use crate::steps::{self, Step};
use crate::workspace::{Kind, WASM_TARGET, Workspace};
use crate::{Profile, functions, process};

/// The arguments of cargo for the rules. They are tests of this small package, so that they run before lints
/// and builds, which take minutes.
const RULES: [&str; 5] = ["test", "--release", "--package=tasks", "--test=rules", "--quiet"];
/// The argument that turns off optimisation for the code of the suite, because optimising it takes minutes
/// and makes no test faster.
const PLAIN_SUITE: &str = "--config=profile.release.package.leaderboard-suite.opt-level=0";

/// Runs the steps. With `filters`, it only builds the components, and runs the tests with one of these words
/// in their name.
///
/// # Errors
/// A step fails.
pub(crate) fn run(workspace: &Workspace, filters: &[String]) -> Result<()> {
    let mut steps = Vec::new();
    if filters.is_empty() {
        steps.push(cargo_step(workspace, "format", &["fmt", "--all", "--check"]));
        steps.push(cargo_step(workspace, "rules", &RULES));
        steps.push(cargo_step(
            workspace,
            "lint native code",
            &native_lints(workspace),
        ));
        steps.push(cargo_step(
            workspace,
            "lint components",
            &component_lints(workspace),
        ));
    }
    steps.push(components_step(workspace, "build functions", Kind::Function));
    steps.push(components_step(workspace, "build guests", Kind::Guest));
    steps.push(cargo_step(workspace, "test", &test_arguments(workspace, filters)));
    steps::run(steps)
}

fn cargo_step<'a>(workspace: &Workspace, name: &'static str, arguments: &[impl AsRef<str>]) -> Step<'a> {
    let command = process::cargo(&workspace.root, arguments.iter().map(AsRef::as_ref));
    Step {
        name,
        alone: process::describe(&command),
        run: Box::new(|| process::run(command)),
    }
}

fn components_step<'a>(workspace: &'a Workspace, name: &'static str, kind: Kind) -> Step<'a> {
    let task = match kind {
        Kind::Function => "functions",
        Kind::Guest => "guests",
    };
    Step {
        name,
        alone: format!("cargo tasks {task} --profile {}", Profile::EdgeTest.name()),
        run: Box::new(move || functions::build(workspace, kind, Profile::EdgeTest)),
    }
}

/// Returns the arguments of a cargo command for all packages except the components, which compile only to
/// Wasm.
fn native_arguments(workspace: &Workspace, command: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = command.iter().map(ToString::to_string).collect();
    arguments.push("--workspace".to_owned());
    for component in &workspace.components {
        arguments.push(format!("--exclude={}", component.package));
    }
    arguments
}

fn native_lints(workspace: &Workspace) -> Vec<String> {
    let mut arguments = native_arguments(workspace, &["clippy", "--release", "--all-targets"]);
    arguments.extend(["--", "-D", "warnings"].map(str::to_owned));
    arguments
}

fn component_lints(workspace: &Workspace) -> Vec<String> {
    let profile = Profile::EdgeTest.name();
    let mut arguments = ["clippy", "--target", WASM_TARGET, "--profile", profile]
        .map(str::to_owned)
        .to_vec();
    for component in &workspace.components {
        arguments.push(format!("--package={}", component.package));
    }
    arguments.extend(["--", "-D", "warnings"].map(str::to_owned));
    arguments
}

/// Returns the arguments of cargo for the tests. All tests are run even if one fails, so that one run shows
/// all failures.
fn test_arguments(workspace: &Workspace, filters: &[String]) -> Vec<String> {
    let mut arguments = native_arguments(workspace, &["test", PLAIN_SUITE, "--release", "--no-fail-fast"]);
    arguments.push("--".to_owned());
    arguments.extend_from_slice(filters);
    arguments
}

#[cfg(test)]
mod tests_of_the_steps {
    use super::*;

    #[test]
    fn native_calls_exclude_every_component_and_wasm_calls_name_each() {
        let workspace = Workspace::load().unwrap();
        let (native, wasm) = (native_lints(&workspace), component_lints(&workspace));
        for component in &workspace.components {
            assert!(native.contains(&format!("--exclude={}", component.package)));
            assert!(wasm.contains(&format!("--package={}", component.package)));
        }
        assert!(!wasm.contains(&"--workspace".to_owned()));
    }

    #[test]
    fn filters_are_passed_to_the_tests() {
        let filters = ["ties".to_owned(), "period".to_owned()];
        let line = test_arguments(&Workspace::load().unwrap(), &filters).join(" ");
        assert!(line.ends_with(" -- ties period"), "{line}");
    }
}
