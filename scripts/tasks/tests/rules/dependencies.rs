//! Who may depend on whom (ARCHITECTURE.md), on what cargo resolves for Wasm. Dependencies of development are left out: a test
//! may use a native client where the product may not.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// The packages of a folder, the exceptions among them, and the packages that they must not reach, by any way. A name that
/// ends or begins with `*` means all that begin or end so.
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
    // Only the composition root knows the stores and Spin; functions take the macro of their entry point from the SDK.
    (
        "shared/",
        &["leaderboard-spin"],
        &["spin-sdk", "leaderboard-redis", "leaderboard-sqlite"],
    ),
    // What serves requests knows no function; only the description of the API lists the routes of all.
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
fn no_package_reaches_what_it_must_not() {
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
        let reached = reach(&metadata, package);
        for (below, exceptions, never) in MUST_NOT_REACH {
            if folder.as_str().starts_with(below) && !exceptions.contains(&package.name.as_str()) {
                let found = reached
                    .iter()
                    .filter(|name| never.iter().any(|rule| is_named(name, rule)));
                broken.extend(found.map(|name| (package.name.as_str(), *name)));
            }
        }
    }
    let lines = broken.iter().map(|(package, name)| {
        format!("{package} must not depend on {name}: cargo tree -e normal,build --target wasm32-wasip2 -p {package} -i {name}")
    });
    assert_eq!(lines.collect::<Vec<_>>(), Vec::<String>::new());
}

fn is_named(name: &str, rule: &str) -> bool {
    match (rule.strip_suffix('*'), rule.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (None, Some(end)) => name.ends_with(end),
        (None, None) => name == rule,
    }
}

#[test]
fn no_function_reaches_another_function() {
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
        let reached = reach(&metadata, package);
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
    assert!(seen > 10, "functions are found");
}

/// The names of everything that a package is built from, without its own.
fn reach<'a>(metadata: &'a Metadata, package: &Package) -> BTreeSet<&'a str> {
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
