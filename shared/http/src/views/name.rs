//! The one name of a question that a period's many names share.

use leaderboard_core::{PeriodSelector, usecase};

use super::cost::NAME_UNITS;
use super::question::Question;
use crate::circuit_breaker;
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::problem::{Problem, ProblemType};

/// The question with the period's id in place of an instant or a day within it: all of them are one question, and share
/// one answer. The store is asked only where a leaderboard had rules that nobody recorded. Where neither it nor the
/// leaderboard's configuration can be had, the question stays as it is and fails later.
///
/// # Errors
/// 404 where there is no such leaderboard: the store has just said so, and is not asked again.
pub(super) async fn with_one_name<E: Environment>(
    context: &Context<'_, E>,
    question: Question,
) -> Result<Question, Problem> {
    if matches!(
        question.period(),
        PeriodSelector::Current | PeriodSelector::Previous
    ) {
        return Ok(question);
    }
    let (deps, tenant) = (context.deps(), &question.tenant);
    let board = match usecase::nearest(&deps, tenant, &question.leaderboard).await {
        Ok(Some(board)) => board,
        Ok(None) => {
            context.charge_more(question.units_of_a_miss(false));
            return Err(Problem::new(ProblemType::LeaderboardNotFound));
        }
        Err(_) => return Ok(question),
    };
    if let Some(known) = usecase::known_name(&deps, tenant, &board, question.period()) {
        return Ok(question.about(known));
    }
    if circuit_breaker::is_open(context.env).await {
        return Ok(question);
    }
    context.charge_more(NAME_UNITS);
    Ok(
        match usecase::find_name(&deps, tenant, &board, question.period()).await {
            Ok(found) => question.about(found),
            Err(_) => question,
        },
    )
}
