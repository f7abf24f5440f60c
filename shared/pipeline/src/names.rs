//! The column names for outcomes without columns. Such outcomes are replays of outcomes that an older release stored; they get
//! the columns of the current configuration.

use std::rc::Rc;

use leaderboard_core::{Outcome, usecase};

use crate::PipelineEnvironment;
use crate::endpoint::Context;
use leaderboard_api::Problem;
use leaderboard_api::wire::Names;

/// Returns the columns of the leaderboards whose outcomes have none. Reads the store only for configurations that this instance
/// has not cached.
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
        let board = match context.env.leaderboard_memory().find(context.tenant, id) {
            Some(board) => Some(board),
            None => usecase::read_leaderboard(&context.deps(), id).await?.map(Rc::new),
        };
        if let Some(board) = board {
            names.learn(board);
        }
    }
    Ok(names)
}
