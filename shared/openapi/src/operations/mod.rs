//! The operations, in one table for each function. A test fails for a route without a row.

mod administration;
mod flags;
mod identity;
mod leaderboards;
mod live;
mod ops;
mod ranks;
mod scores;
mod webhooks;

use leaderboard_api::{FunctionName, Permission};
use leaderboard_pipeline::{Route, RouteHead};

use crate::operation::Operation;
use crate::routes::all_routes;

/// Returns every operation.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    leaderboards::OPERATIONS
        .iter()
        .chain(scores::OPERATIONS)
        .chain(ranks::OPERATIONS)
        .chain(live::OPERATIONS)
        .chain(administration::OPERATIONS)
        .chain(administration::LIMITS.as_flattened())
        .chain(identity::OPERATIONS)
        .chain(identity::ISSUERS.as_flattened())
        .chain(flags::OPERATIONS)
        .chain(flags::FLAGS.as_flattened())
        .chain(webhooks::OPERATIONS)
        .chain(ops::OPERATIONS)
}

/// Returns every route with its function: those of the functions, and the files of components.
pub(crate) fn routes() -> Vec<(FunctionName, RouteHead)> {
    let files = all()
        .filter(|operation| operation.file)
        .map(|operation| (FunctionName::Ops, file_route(operation.pattern)));
    all_routes().into_iter().chain(files).collect()
}

/// Returns the route of a file.
fn file_route(pattern: &'static str) -> RouteHead {
    Route::<()>::get(pattern, Permission::Open, |_| Ok(()))
        .at_root()
        .head
}
