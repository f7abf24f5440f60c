//! `scripts/test`: everything that must hold before a change is good, cheapest first.
//!
//! All native code is compiled with `--release`, the lints too: build scripts (SQLite's C code) and macros are
//! then compiled once for lints, tests, `up` and benchmarks, and the tests of the local host compile
//! components with an optimised compiler. Components are linted and built with `edge-test`, for the same reason.

use anyhow::Result;

use crate::steps::{self, Step};
use crate::workspace::{Kind, WASM_TARGET, Workspace};
use crate::{Profile, functions, process};

/// The rules are tests of this program, so that they run before the minutes of lints and builds.
const RULES: [&str; 5] = ["test", "--release", "--package=tasks", "--test=rules", "--quiet"];
/// Leaves the suite's own code as it is: optimising it takes minutes and makes no test faster.
const PLAIN_SUITE: &str = "--config=profile.release.package.leaderboard-suite.opt-level=0";

/// Runs the steps; with `filters` only the components and the tests that have one of these words in their name.
///
/// # Errors
/// The first step that fails.
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
    steps.push(cargo_step(workspace, "test", &tests(workspace, filters)));
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

/// A cargo command for everything but what compiles to Wasm alone.
fn native(workspace: &Workspace, command: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = command.iter().map(ToString::to_string).collect();
    arguments.push("--workspace".to_owned());
    for component in &workspace.components {
        arguments.push(format!("--exclude={}", component.package));
    }
    arguments
}

fn native_lints(workspace: &Workspace) -> Vec<String> {
    let mut arguments = native(workspace, &["clippy", "--release", "--all-targets"]);
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

/// Every test is run even when one fails, so that one call shows all that is wrong.
fn tests(workspace: &Workspace, filters: &[String]) -> Vec<String> {
    let mut arguments = native(workspace, &["test", PLAIN_SUITE, "--release", "--no-fail-fast"]);
    arguments.push("--".to_owned());
    arguments.extend_from_slice(filters);
    arguments
}

#[cfg(test)]
mod tests_of_the_steps {
    use super::*;

    #[test]
    fn native_calls_leave_every_component_out_and_wasm_calls_name_every_one() {
        let workspace = Workspace::load().unwrap();
        let (native, wasm) = (native_lints(&workspace), component_lints(&workspace));
        for component in &workspace.components {
            assert!(native.contains(&format!("--exclude={}", component.package)));
            assert!(wasm.contains(&format!("--package={}", component.package)));
        }
        assert!(!wasm.contains(&"--workspace".to_owned()));
    }

    #[test]
    fn filters_reach_the_tests() {
        let filters = ["ties".to_owned(), "period".to_owned()];
        let line = tests(&Workspace::load().unwrap(), &filters).join(" ");
        assert!(line.ends_with(" -- ties period"), "{line}");
    }
}
