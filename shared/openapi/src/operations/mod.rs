//! The operations, in one table for each function. A test fails for a route without a row.

mod administration;
mod flags;
mod identity;
mod leaderboards;
mod ops;
mod ranks;
mod scores;

use leaderboard_api::{BodyKind, FunctionName, Permission};
use leaderboard_pipeline::{Base, Verb};

use crate::operation::Operation;
use crate::routes::{ListedRoute, all_routes};

/// Returns every operation.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    leaderboards::OPERATIONS
        .iter()
        .chain(scores::OPERATIONS)
        .chain(ranks::OPERATIONS)
        .chain(administration::OPERATIONS)
        .chain(administration::LIMITS.as_flattened())
        .chain(identity::OPERATIONS)
        .chain(identity::ISSUERS.as_flattened())
        .chain(flags::OPERATIONS)
        .chain(flags::FLAGS.as_flattened())
        .chain(ops::OPERATIONS)
}

/// Returns every route: those of the functions, and the files of components.
pub(crate) fn routes() -> Vec<ListedRoute> {
    let files = all()
        .filter(|operation| operation.file)
        .map(|operation| ListedRoute {
            family: FunctionName::Ops,
            verb: Verb::Get,
            base: Base::Root,
            pattern: operation.pattern,
            permission: Permission::Open,
            body: BodyKind::None,
            offers: None,
        });
    all_routes().into_iter().chain(files).collect()
}
