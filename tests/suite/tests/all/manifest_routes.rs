//! Tests that `spin.toml` sends every route of every function to its component, with and without a version in
//! the path.

use std::collections::BTreeSet;

use leaderboard_flags_function::FlagsFunction;
use leaderboard_identity_function::IdentityFunction;
use leaderboard_leaderboards_function::LeaderboardsFunction;
use leaderboard_limits_function::LimitsFunction;
use leaderboard_live_function::LiveFunction;
use leaderboard_ops_function::OpsFunction;
use leaderboard_pipeline::{Base, Routes};
use leaderboard_ranks_function::RanksFunction;
use leaderboard_scores_function::ScoresFunction;
use leaderboard_tenants_function::TenantsFunction;
use leaderboard_webhooks_function::WebhooksFunction;

/// Routes as `spin.toml` writes them, each with the component that serves it.
type RouteSet = BTreeSet<(String, String)>;

/// Returns the routes of `spin.toml`.
fn read_manifest_routes() -> RouteSet {
    let manifest: toml::Table = include_str!("../../../../spin.toml").parse().unwrap();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let text = |trigger: &toml::Value, key: &str| trigger[key].as_str().unwrap().to_owned();
    triggers
        .iter()
        .map(|trigger| (text(trigger, "route"), text(trigger, "component")))
        .collect()
}

/// Returns the routes of a function's table, as `spin.toml` should write them.
fn list_function_routes<P: Routes>(component: &str) -> RouteSet {
    let mut routes = RouteSet::new();
    for route in P::table() {
        let bases: &[&str] = match route.head.base {
            Base::Api => &["/api/:version", "/api"],
            Base::Root => &[""],
            Base::RootAndApi => &["", "/api/:version", "/api"],
        };
        routes.extend(
            bases
                .iter()
                .map(|base| (format!("{base}{}", route.head.pattern), component.to_owned())),
        );
    }
    routes
}

#[test]
fn the_manifest_has_exactly_the_routes_of_the_components() {
    let manifest = read_manifest_routes();
    let mut routes = list_function_routes::<LeaderboardsFunction>("leaderboards");
    routes.extend(list_function_routes::<RanksFunction>("ranks"));
    routes.extend(list_function_routes::<FlagsFunction>("flags"));
    routes.extend(list_function_routes::<IdentityFunction>("identity"));
    routes.extend(list_function_routes::<LimitsFunction>("limits"));
    routes.extend(list_function_routes::<LiveFunction>("live"));
    routes.extend(list_function_routes::<ScoresFunction>("scores"));
    routes.extend(list_function_routes::<TenantsFunction>("tenants"));
    routes.extend(list_function_routes::<WebhooksFunction>("webhooks"));
    let missing: Vec<_> = routes.difference(&manifest).collect();
    assert_eq!(missing, Vec::<&(String, String)>::new());
    // The component `docs` serves static files and has no table of routes.
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
    // `/...` sends all other paths to ops, so the manifest may omit the routes of ops.
    routes.insert(("/...".to_owned(), "ops".to_owned()));
    routes.extend(list_function_routes::<OpsFunction>("ops"));
    let unexpected: Vec<_> = manifest.difference(&routes).collect();
    assert_eq!(unexpected, Vec::<&(String, String)>::new());
}
