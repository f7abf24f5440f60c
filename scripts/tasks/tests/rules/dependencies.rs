//! Tests which packages may depend on which (ARCHITECTURE.md), by the dependencies that cargo resolves for
//! Wasm. Development dependencies do not count, because a test may use a native client where the product must
//! not.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// Each rule has the prefix of a folder, the packages below it that are exceptions, and the packages that the
/// others must not depend on, directly or indirectly. A `*` at the beginning or the end of a name stands for
/// any text.
const MUST_NOT_REACH: &[(&str, &[&str], &[&str])] = &[
    (
        "shared/core",
        &[],
        &["http", "serde", "serde_json", "leaderboard-*"],
    ),
    ("shared/flags", &[], &["http", "leaderboard-*"]),
    ("shared/identity", &[], &["http"]),
    ("shared/redis", &[], &["http"]),
    ("shared/sqlite", &[], &["http"]),
    // Only the composition root `leaderboard-spin` depends on the stores and on Spin. A function also depends
    // on the SDK, for the macro of its entry point.
    (
        "shared/",
        &["leaderboard-spin"],
        &["spin-sdk", "leaderboard-redis", "leaderboard-sqlite"],
    ),
    // Shared code does not depend on functions. Only the description of the API does, because it lists all
    // routes.
    ("shared/", &["leaderboard-openapi"], &["*-function"]),
    (
        "shared/",
        &[],
        &[
            "edgeboard-*",
            "leaderboard-host",
            "leaderboard-suite",
            "leaderboard-model",
        ],
    ),
    ("shared/", &[], &["redis", "rusqlite", "tokio", "wasmtime"]),
    (
        "functions/",
        &[],
        &["redis", "rusqlite", "tokio", "wasmtime", "edgeboard-*"],
    ),
    (
        "functions/",
        &[],
        &["leaderboard-host", "leaderboard-suite", "leaderboard-model"],
    ),
];

#[test]
fn no_package_depends_on_a_forbidden_package() {
    let metadata = MetadataCommand::new()
        .manifest_path(format!("{}/Cargo.toml", super::ROOT))
        .other_options(["--filter-platform=wasm32-wasip2".to_owned()])
        .exec()
        .unwrap();
    let mut broken = Vec::new();
    for package in metadata.workspace_packages() {
        let folder = package
            .manifest_path
            .strip_prefix(&metadata.workspace_root)
            .unwrap();
        let reached = list_dependencies(&metadata, package);
        for (below, exceptions, never) in MUST_NOT_REACH {
            if folder.as_str().starts_with(below) && !exceptions.contains(&package.name.as_str()) {
                let found = reached
                    .iter()
                    .filter(|name| never.iter().any(|rule| matches_rule(name, rule)));
                broken.extend(found.map(|name| (package.name.as_str(), *name)));
            }
        }
    }
    let lines = broken.iter().map(|(package, name)| {
        format!("{package} must not depend on {name}: cargo tree -e normal,build --target wasm32-wasip2 -p {package} -i {name}")
    });
    assert_eq!(lines.collect::<Vec<_>>(), Vec::<String>::new());
}

/// Returns whether a name matches a name of a rule, which can have a `*`.
fn matches_rule(name: &str, rule: &str) -> bool {
    match (rule.strip_suffix('*'), rule.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (None, Some(end)) => name.ends_with(end),
        (None, None) => name == rule,
    }
}

#[test]
fn no_function_depends_on_another_function() {
    let metadata = MetadataCommand::new()
        .manifest_path(format!("{}/Cargo.toml", super::ROOT))
        .exec()
        .unwrap();
    let mut seen = 0;
    for package in metadata.workspace_packages() {
        let folder = package
            .manifest_path
            .strip_prefix(&metadata.workspace_root)
            .unwrap();
        let mut parts = folder.as_str().split('/');
        let (Some("functions"), Some(name)) = (parts.next(), parts.next()) else {
            continue;
        };
        let own = format!("leaderboard-{name}-function");
        let reached = list_dependencies(&metadata, package);
        let others: Vec<_> = reached
            .iter()
            .filter(|other| other.ends_with("-function") && **other != own)
            .collect();
        assert!(
            others.is_empty(),
            "{} must not depend on {others:?}",
            package.name
        );
        seen += 1;
    }
    assert!(seen > 10, "the test must find the functions");
}

/// Returns the names of all packages that a package depends on, directly or indirectly, without development
/// dependencies.
fn list_dependencies<'a>(metadata: &'a Metadata, package: &Package) -> BTreeSet<&'a str> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let mut reached = BTreeSet::new();
    let mut open: Vec<&PackageId> = vec![&package.id];
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| node.id == *id).unwrap();
        for dependency in &node.deps {
            let kinds = &dependency.dep_kinds;
            let shipped = kinds.iter().any(|info| info.kind != DependencyKind::Development);
            if shipped && reached.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    reached.into_iter().map(|id| metadata[id].name.as_str()).collect()
}
