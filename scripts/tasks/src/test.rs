//! `scripts/test`: everything that must hold before a change is good, cheapest first.
//!
//! All native code is compiled with `--release`, the lints too: build scripts (SQLite's C code) and macros are
//! then compiled once for lints, tests, `up` and benchmarks, and the tests of the local host compile
//! components with an optimised compiler. Components are linted and built with `edge-test`, for the same reason.

use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

use crate::cli::Profile;
use crate::functions::{self, Kind, WASM_TARGET};
use crate::process;
use crate::progress::{self, Step};
use crate::rules;
use crate::workspace::Workspace;

/// Runs the steps; with `filters` only the components and the tests that have one of these words in their name.
///
/// # Errors
/// The first step that fails.
pub(crate) fn run(workspace: &Workspace, filters: &[String]) -> Result<()> {
    let mut steps = Vec::new();
    if filters.is_empty() {
        steps.push(cargo_step(workspace, "format", &["fmt", "--all", "--check"]));
        steps.push(rules_step(workspace));
        steps.push(cargo_step(
            workspace,
            "lint native code",
            &borrow(&native_lints(workspace)),
        ));
        steps.push(cargo_step(
            workspace,
            "lint components",
            &borrow(&component_lints(workspace)),
        ));
    }
    steps.push(components_step(
        workspace,
        "build functions",
        "functions",
        Kind::Function,
    ));
    if workspace.below("tests/guests").next().is_some() {
        steps.push(components_step(workspace, "build guests", "guests", Kind::Guest));
    }
    steps.push(cargo_step(workspace, "test", &borrow(&tests(workspace, filters))));
    progress::run(steps)
}

fn cargo_step<'a>(workspace: &Workspace, name: &'static str, arguments: &[&str]) -> Step<'a> {
    let command: Command = process::cargo(&workspace.root, arguments);
    Step {
        name,
        alone: process::describe(&command),
        run: Box::new(|| process::run(command)),
    }
}

fn rules_step(workspace: &Workspace) -> Step<'_> {
    let run = || {
        let code = rules::run(workspace)?;
        ensure!(code == ExitCode::SUCCESS, "a rule is broken, see above");
        Ok(())
    };
    Step {
        name: "rules",
        alone: "cargo tasks rules".to_owned(),
        run: Box::new(run),
    }
}

fn components_step<'a>(
    workspace: &'a Workspace,
    name: &'static str,
    task: &'static str,
    kind: Kind,
) -> Step<'a> {
    let profile = Profile::EdgeTest;
    let run = move || functions::build(workspace, kind, profile);
    Step {
        name,
        alone: format!("cargo tasks {task} --profile {}", profile.name()),
        run: Box::new(run),
    }
}

/// The arguments that leave out what compiles to Wasm alone.
fn without_components(workspace: &Workspace) -> Vec<String> {
    let mut arguments = vec!["--release".to_owned(), "--workspace".to_owned()];
    for package in workspace.components() {
        arguments.extend(["--exclude".to_owned(), package.name.clone()]);
    }
    arguments
}

fn native_lints(workspace: &Workspace) -> Vec<String> {
    let mut arguments = vec!["clippy".to_owned()];
    arguments.extend(without_components(workspace));
    arguments.extend(["--all-targets", "--", "-D", "warnings"].map(str::to_owned));
    arguments
}

fn component_lints(workspace: &Workspace) -> Vec<String> {
    let start = [
        "clippy",
        "--target",
        WASM_TARGET,
        "--profile",
        Profile::EdgeTest.name(),
    ];
    let mut arguments = start.map(str::to_owned).to_vec();
    for package in workspace.components() {
        arguments.extend(["--package".to_owned(), package.name.clone()]);
    }
    arguments.extend(["--", "-D", "warnings"].map(str::to_owned));
    arguments
}

/// Leaves the suite's own code as it is: optimising it takes minutes and makes no test faster. Benchmarks, which share the
/// package, are built with optimisation by `scripts/bench`.
const PLAIN_SUITE: &str = "profile.release.package.leaderboard-suite.opt-level=0";

/// Every test is run even when one fails, so that one call shows all that is wrong.
fn tests(workspace: &Workspace, filters: &[String]) -> Vec<String> {
    let mut arguments = ["test", "--config", PLAIN_SUITE].map(str::to_owned).to_vec();
    arguments.extend(without_components(workspace));
    arguments.push("--no-fail-fast".to_owned());
    if !filters.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(filters.iter().cloned());
    }
    arguments
}

fn borrow(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests_of_the_steps {
    use super::*;
    use std::path::Path;

    fn workspace() -> Workspace {
        Workspace::load_from(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn native_calls_leave_every_component_out_and_wasm_calls_name_every_one() {
        let workspace = workspace();
        let (native, wasm) = (
            native_lints(&workspace).join(" "),
            component_lints(&workspace).join(" "),
        );
        for component in workspace.components() {
            assert!(native.contains(&format!("--exclude {}", component.name)));
            assert!(wasm.contains(&format!("--package {}", component.name)));
        }
        assert!(!wasm.contains("--workspace"));
    }

    #[test]
    fn filters_reach_the_tests() {
        let line = tests(&workspace(), &["ties".to_owned(), "period".to_owned()]).join(" ");
        assert!(line.ends_with("--no-fail-fast -- ties period"));
    }
}
