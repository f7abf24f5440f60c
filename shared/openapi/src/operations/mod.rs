//! The operations, a table for each family. A route without a row here fails the test.

mod administration;
mod flags;
mod identity;
mod leaderboards;
mod ops;
mod ranks;
mod scores;

use crate::routes::{ListedRoute, all_routes};
use leaderboard_api::{BodyKind, FunctionName, Permission};
use leaderboard_pipeline::{Base, Verb};

use crate::operation::Operation;

/// Every operation.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    leaderboards::OPERATIONS
        .iter()
        .chain(scores::OPERATIONS)
        .chain(ranks::OPERATIONS)
        .chain(administration::OPERATIONS)
        .chain(identity::OPERATIONS)
        .chain(flags::OPERATIONS)
        .chain(ops::OPERATIONS)
}

/// Every route: those of the families, and the files that a component carries.
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
