//! `spin.toml` sends every route of every family to its component, with a version in the path and without one.

use std::collections::BTreeSet;

use leaderboard_flags_function::FlagsFunction;
use leaderboard_identity_function::IdentityFunction;
use leaderboard_leaderboards_function::LeaderboardsFunction;
use leaderboard_limits_function::LimitsFunction;
use leaderboard_ops_function::OpsFunction;
use leaderboard_pipeline::{Base, Routes};
use leaderboard_ranks_function::RanksFunction;
use leaderboard_scores_function::ScoresFunction;
use leaderboard_tenants_function::TenantsFunction;

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

fn of<P: Routes>(component: &str) -> Routed {
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
    let mut routes = of::<LeaderboardsFunction>("leaderboards");
    routes.extend(of::<RanksFunction>("ranks"));
    routes.extend(of::<FlagsFunction>("flags"));
    routes.extend(of::<IdentityFunction>("identity"));
    routes.extend(of::<LimitsFunction>("limits"));
    routes.extend(of::<ScoresFunction>("scores"));
    routes.extend(of::<TenantsFunction>("tenants"));
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
    routes.extend(of::<OpsFunction>("ops"));
    let idle: Vec<_> = manifest.difference(&routes).collect();
    assert_eq!(idle, Vec::<&(String, String)>::new());
}
