//! Who may depend on whom (ARCHITECTURE.md), checked on what cargo resolves for Wasm.
//!
//! Dependencies of development are left out: a test may use a native client where the product may not.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Violation;
use crate::functions::WASM_TARGET;
use crate::process;
use crate::workspace::{Package, Workspace, relative};

/// A package and what must not be anywhere below it.
struct Never {
    package: &'static str,
    crates: &'static [&'static str],
}

const NEVER: &[Never] = &[
    Never {
        package: "leaderboard-flags",
        crates: &[
            "leaderboard-core",
            "http",
            "spin-sdk",
            "redis",
            "rusqlite",
            "tokio",
            "wasmtime",
        ],
    },
    Never {
        package: "leaderboard-core",
        crates: &[
            "http",
            "serde",
            "serde_json",
            "spin-sdk",
            "redis",
            "rusqlite",
            "tokio",
            "wasmtime",
        ],
    },
    Never {
        package: "leaderboard-http",
        crates: &[
            "leaderboard-redis",
            "leaderboard-sqlite",
            "spin-sdk",
            "redis",
            "rusqlite",
            "tokio",
            "utoipa",
            "wasmtime",
        ],
    },
    Never {
        package: "leaderboard-identity",
        crates: &["http", "spin-sdk", "redis", "rusqlite", "tokio", "wasmtime"],
    },
    Never {
        package: "leaderboard-redis",
        crates: &[
            "leaderboard-http",
            "leaderboard-sqlite",
            "spin-sdk",
            "redis",
            "tokio",
            "wasmtime",
        ],
    },
    Never {
        package: "leaderboard-sqlite",
        crates: &[
            "leaderboard-http",
            "leaderboard-redis",
            "spin-sdk",
            "rusqlite",
            "tokio",
            "wasmtime",
        ],
    },
    Never {
        package: "leaderboard-spin",
        crates: &["redis", "rusqlite", "tokio", "utoipa", "wasmtime"],
    },
];

const SPIN_SDK: &str = "spin-sdk";
const COMPOSITION_ROOT: &str = "leaderboard-spin";

/// Every broken rule of dependency.
///
/// # Errors
/// When `cargo tree` fails.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for rule in NEVER
        .iter()
        .filter(|rule| workspace.packages.iter().any(|own| own.name == rule.package))
    {
        violations.extend(forbidden_in_tree(rule, &tree(workspace, rule.package)?));
    }
    for package in &workspace.packages {
        violations.extend(on_spin_sdk(package));
        violations.extend(on_functions(package, workspace));
        violations.extend(of_shared_on_tests(package, workspace));
    }
    Ok(violations)
}

/// The names of everything that a package is built from, itself included.
fn tree(workspace: &Workspace, package: &str) -> Result<BTreeSet<String>> {
    let arguments = [
        "tree",
        "--package",
        package,
        "--edges",
        "normal,build",
        "--target",
        WASM_TARGET,
        "--prefix",
        "none",
    ];
    let lines = process::output(process::cargo(&workspace.root, &arguments))?;
    Ok(lines
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect())
}

fn forbidden_in_tree(rule: &Never, tree: &BTreeSet<String>) -> Vec<Violation> {
    let found = rule.crates.iter().filter(|name| tree.contains(**name));
    found
        .map(|name| Violation {
            rule: "dependency",
            place: rule.package.to_owned(),
            detail: format!(
                "must not depend on {name}; `cargo tree -p {} -e normal,build --target {WASM_TARGET} -i {name}` \
                 shows by which way it does",
                rule.package
            ),
        })
        .collect()
}

/// Only the composition root calls the SDK; a component names it for the macro of its entry point.
fn on_spin_sdk(package: &Package) -> Option<Violation> {
    let may = package.name == COMPOSITION_ROOT || matches!(package.parent(), "functions" | "tests/guests");
    let does = package
        .shipped_dependencies()
        .any(|dependency| dependency.name == SPIN_SDK);
    (does && !may).then(|| Violation {
        rule: "spin-sdk",
        place: package.folder.clone(),
        detail: format!(
            "depends on {SPIN_SDK}; only {COMPOSITION_ROOT} and the entry points of components may"
        ),
    })
}

/// Nothing depends on a function, other functions least of all.
fn on_functions(package: &Package, workspace: &Workspace) -> Vec<Violation> {
    on_folder(
        package,
        workspace,
        "functions",
        "function",
        "depends on the function",
    )
}

/// What is shipped does not need the tests.
fn of_shared_on_tests(package: &Package, workspace: &Workspace) -> Vec<Violation> {
    if matches!(package.parent(), "shared" | "functions") {
        on_folder(
            package,
            workspace,
            "tests",
            "shared",
            "is shipped, yet depends on the tests in",
        )
    } else {
        Vec::new()
    }
}

fn on_folder(
    package: &Package,
    workspace: &Workspace,
    folder: &str,
    rule: &'static str,
    does: &str,
) -> Vec<Violation> {
    let paths = package
        .shipped_dependencies()
        .filter_map(|dependency| dependency.path.as_deref());
    paths
        .map(|path| relative(path, &workspace.root))
        .filter(|path| path.split('/').next() == Some(folder))
        .map(|path| Violation {
            rule,
            place: package.folder.clone(),
            detail: format!("{does} {path}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn lines(fixture: &Fixture) -> Vec<String> {
        check(&fixture.workspace())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_clean_workspace_has_no_violations() {
        let fixture = Fixture::new()
            .package("shared/core", "leaderboard-core", "")
            .package(
                "shared/spin",
                "leaderboard-spin",
                "leaderboard-core.path = '../core'",
            )
            .package(
                "functions/ops",
                "edgeboard-ops",
                "leaderboard-spin.path = '../../shared/spin'",
            );
        assert_eq!(lines(&fixture), Vec::<String>::new());
    }

    #[test]
    fn a_forbidden_crate_is_found_through_another_and_in_build_scripts() {
        let fixture = Fixture::new()
            .package("vendor/tokio", "tokio", "")
            .package("vendor/middle", "middle", "tokio.path = '../tokio'")
            .package(
                "shared/core",
                "leaderboard-core",
                "middle.path = '../../vendor/middle'",
            )
            .package(
                "shared/redis",
                "leaderboard-redis",
                "[build-dependencies]\ntokio.path = '../../vendor/tokio'",
            );
        let lines = lines(&fixture);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("dependency: leaderboard-core: must not depend on tokio;"));
        assert!(lines[1].starts_with("dependency: leaderboard-redis: must not depend on tokio;"));
    }

    #[test]
    fn dependencies_of_development_are_free() {
        let fixture = Fixture::new()
            .package("vendor/tokio", "tokio", "")
            .package("tests/host", "leaderboard-host", "")
            .package(
                "shared/core",
                "leaderboard-core",
                "[dev-dependencies]\ntokio.path = '../../vendor/tokio'\nleaderboard-host.path = '../../tests/host'",
            );
        assert_eq!(lines(&fixture), Vec::<String>::new());
    }

    #[test]
    fn spin_sdk_belongs_to_the_composition_root_and_to_entry_points() {
        let sdk = "spin-sdk.path = '../../vendor/spin-sdk'";
        let fixture = Fixture::new()
            .package("vendor/spin-sdk", "spin-sdk", "")
            .package("shared/spin", "leaderboard-spin", sdk)
            .package("functions/ops", "edgeboard-ops", sdk)
            .package("shared/extra", "leaderboard-extra", sdk);
        assert_eq!(
            lines(&fixture),
            [
                "spin-sdk: shared/extra: depends on spin-sdk; only leaderboard-spin and the entry points of \
              components may"
            ]
        );
    }

    #[test]
    fn functions_are_nobodys_dependency_and_tests_not_that_of_what_is_shipped() {
        let fixture = Fixture::new()
            .package("functions/ops", "edgeboard-ops", "")
            .package(
                "functions/ranks",
                "edgeboard-ranks",
                "edgeboard-ops.path = '../ops'",
            )
            .package("tests/host", "leaderboard-host", "")
            .package(
                "shared/http",
                "leaderboard-http",
                "leaderboard-host.path = '../../tests/host'",
            );
        assert_eq!(
            lines(&fixture),
            [
                "function: functions/ranks: depends on the function functions/ops",
                "shared: shared/http: is shipped, yet depends on the tests in tests/host",
            ]
        );
    }
}
