//! The names of the columns in outcomes. The store gives numbers; the configuration that they were decided
//! with is in the instance's memory by then.

use std::rc::Rc;

use leaderboard_core::{Outcome, usecase};

use crate::endpoint::Context;
use crate::environment::Environment;
use crate::problem::Problem;
use crate::wire::Names;

/// The columns of the outcomes' leaderboards. Asks the store only for one that the instance has forgotten
/// since.
pub(super) async fn names_for<E: Environment>(
    context: &Context<'_, E>,
    outcomes: impl Iterator<Item = &Outcome>,
) -> Result<Names, Problem> {
    let mut names = Names::default();
    for outcome in outcomes {
        let id = &outcome.leaderboard;
        if names.has(id) {
            continue;
        }
        let board = match context.env.boards().find(&context.tenant, id) {
            Some(board) => Some(board),
            None => usecase::get(&context.deps(), &context.tenant, id)
                .await?
                .map(Rc::new),
        };
        if let Some(board) = board {
            names.learn(board);
        }
    }
    Ok(names)
}
