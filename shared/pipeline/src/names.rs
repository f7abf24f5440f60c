//! The names of the columns in outcomes that come without. Those are replays of what was stored before outcomes had
//! them; the configuration of today is in the instance's memory by then.

use std::rc::Rc;

use leaderboard_core::{Outcome, usecase};

use crate::PipelineEnvironment;
use crate::endpoint::Context;
use leaderboard_api::Problem;
use leaderboard_api::wire::Names;

/// The columns of the leaderboards of outcomes without columns. Asks the store only for one that the instance has forgotten
/// since.
pub async fn names_for<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    outcomes: impl Iterator<Item = &Outcome>,
) -> Result<Names, Problem> {
    let mut names = Names::default();
    for outcome in outcomes.filter(|outcome| outcome.columns.is_none()) {
        let id = &outcome.leaderboard;
        if names.has(id) {
            continue;
        }
        let board = match context.env.boards().find(&context.tenant, id) {
            Some(board) => Some(board),
            None => usecase::read_leaderboard(&context.deps(), &context.tenant, id)
                .await?
                .map(Rc::new),
        };
        if let Some(board) = board {
            names.learn(board);
        }
    }
    Ok(names)
}
