//! The routes of all functions in one list.

use leaderboard_api::{BodyKind, FunctionName, Permission};
use leaderboard_flags_function::FlagsFunction;
use leaderboard_identity_function::IdentityFunction;
use leaderboard_leaderboards_function::LeaderboardsFunction;
use leaderboard_limits_function::LimitsFunction;
use leaderboard_ops_function::OpsFunction;
use leaderboard_pipeline::{Base, Routes, Verb};
use leaderboard_ranks_function::RanksFunction;
use leaderboard_scores_function::ScoresFunction;
use leaderboard_tenants_function::TenantsFunction;

/// A route, without its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedRoute {
    /// The function that serves the route.
    pub family: FunctionName,
    /// The method.
    pub verb: Verb,
    /// The base path.
    pub base: Base,
    /// The path below the base.
    pub pattern: &'static str,
    /// The permission that the route needs.
    pub permission: Permission,
    /// The kind of body that a request has.
    pub body: BodyKind,
    /// The media type of responses that the route offers besides JSON.
    pub offers: Option<&'static str>,
}

/// Returns the routes of all functions.
#[must_use]
pub fn all_routes() -> Vec<ListedRoute> {
    let mut all = Vec::new();
    list::<LeaderboardsFunction>(&mut all);
    list::<ScoresFunction>(&mut all);
    list::<RanksFunction>(&mut all);
    list::<LimitsFunction>(&mut all);
    list::<TenantsFunction>(&mut all);
    list::<IdentityFunction>(&mut all);
    list::<FlagsFunction>(&mut all);
    list::<OpsFunction>(&mut all);
    all
}

fn list<P: Routes>(all: &mut Vec<ListedRoute>) {
    all.extend(P::table().iter().map(|route| ListedRoute {
        family: P::FUNCTION,
        verb: route.verb,
        base: route.base,
        pattern: route.pattern,
        permission: route.permission,
        body: route.body,
        offers: route.offers,
    }));
}
