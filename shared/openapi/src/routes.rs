//! The routes of all functions in one list.

use leaderboard_api::FunctionName;
use leaderboard_flags_function::FlagsFunction;
use leaderboard_identity_function::IdentityFunction;
use leaderboard_leaderboards_function::LeaderboardsFunction;
use leaderboard_limits_function::LimitsFunction;
use leaderboard_live_function::LiveFunction;
use leaderboard_ops_function::OpsFunction;
use leaderboard_pipeline::{RouteHead, Routes};
use leaderboard_ranks_function::RanksFunction;
use leaderboard_scores_function::ScoresFunction;
use leaderboard_tenants_function::TenantsFunction;
use leaderboard_webhooks_function::WebhooksFunction;

/// Returns the routes of all functions, each with its function.
#[must_use]
pub fn all_routes() -> Vec<(FunctionName, RouteHead)> {
    let mut all = Vec::new();
    list::<LeaderboardsFunction>(&mut all);
    list::<ScoresFunction>(&mut all);
    list::<RanksFunction>(&mut all);
    list::<LiveFunction>(&mut all);
    list::<LimitsFunction>(&mut all);
    list::<TenantsFunction>(&mut all);
    list::<IdentityFunction>(&mut all);
    list::<FlagsFunction>(&mut all);
    list::<WebhooksFunction>(&mut all);
    list::<OpsFunction>(&mut all);
    all
}

fn list<P: Routes>(all: &mut Vec<(FunctionName, RouteHead)>) {
    all.extend(P::table().iter().map(|route| (P::FUNCTION, route.head)));
}
