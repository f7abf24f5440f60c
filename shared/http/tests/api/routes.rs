//! `spin.toml` sends every route of every family to its component, with a version in the path and without one.

use std::collections::BTreeSet;

use leaderboard_http::families::{Flags, Identity, Leaderboards, Limits, Ops, Ranks, Scores, Tenants};
use leaderboard_http::{Base, Endpoint};

/// Paths as `spin.toml` has them, and the component they go to.
type Routed = BTreeSet<(String, String)>;

fn in_the_manifest() -> Routed {
    let manifest: toml::Table = include_str!("../../../../spin.toml").parse().unwrap();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let text = |trigger: &toml::Value, key: &str| trigger[key].as_str().unwrap().to_owned();
    triggers
        .iter()
        .map(|trigger| (text(trigger, "route"), text(trigger, "component")))
        .collect()
}

fn of<P: Endpoint>(component: &str) -> Routed {
    let mut routes = Routed::new();
    for route in P::table() {
        let bases: &[&str] = match route.base {
            Base::Api => &["/api/:version", "/api"],
            Base::Root => &[""],
            Base::RootAndApi => &["", "/api/:version", "/api"],
        };
        routes.extend(
            bases
                .iter()
                .map(|base| (format!("{base}{}", route.pattern), component.to_owned())),
        );
    }
    routes
}

#[test]
fn every_route_is_in_the_manifest_and_none_is_there_for_nothing() {
    let manifest = in_the_manifest();
    let mut routes = of::<Leaderboards>("leaderboards");
    routes.extend(of::<Ranks>("ranks"));
    routes.extend(of::<Flags>("flags"));
    routes.extend(of::<Identity>("identity"));
    routes.extend(of::<Limits>("limits"));
    routes.extend(of::<Scores>("scores"));
    routes.extend(of::<Tenants>("tenants"));
    let missing: Vec<_> = routes.difference(&manifest).collect();
    assert_eq!(missing, Vec::<&(String, String)>::new());
    // Files, which have no families.
    let files = [
        "/openapi.json",
        "/openapi/v1.json",
        "/openapi/v1-strings.json",
        "/openapi/v2.json",
        "/openapi/v2-strings.json",
        "/docs",
        "/docs/start.js",
        "/docs/scalar.js",
        "/problems",
        "/problems/:type",
    ];
    routes.extend(files.map(|path| (path.to_owned(), "docs".to_owned())));
    // What is nobody else's goes to ops, its own routes too.
    routes.insert(("/...".to_owned(), "ops".to_owned()));
    routes.extend(of::<Ops>("ops"));
    let idle: Vec<_> = manifest.difference(&routes).collect();
    assert_eq!(idle, Vec::<&(String, String)>::new());
}
