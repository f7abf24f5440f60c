//! The operations, a table for each family. A route without a row here fails the test.

mod administration;
mod flags;
mod identity;
mod leaderboards;
mod ops;
mod ranks;
mod scores;

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
