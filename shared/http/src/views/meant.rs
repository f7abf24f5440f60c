//! What a request means: which period its question is about, and whether a cached answer will do.

use http::HeaderMap;
use http::header::CACHE_CONTROL;
use leaderboard_core::{PeriodSelector, usecase};

use super::question::Question;
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::pipeline::list_header;
use crate::problem::{Problem, ProblemType};

/// The question with the period's id in place of an instant or a day within it: all of them are one question, and share
/// one answer. Where the leaderboard's configuration cannot be had, the question stays as it is and fails later.
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
    let board = usecase::nearest(&context.deps(), &question.tenant, &question.leaderboard).await;
    match board {
        Ok(Some(board)) => {
            let selector = question.period().canonical(&board.value, context.now);
            Ok(question.about(selector))
        }
        Ok(None) => {
            context.charge_more(question.units_of_a_miss(false));
            Err(Problem::new(ProblemType::LeaderboardNotFound))
        }
        Err(_) => Ok(question),
    }
}

/// Whether a client asks for the store's own answer (RFC 9111, section 5.2.1.4).
pub(super) fn wants_the_truth(headers: &HeaderMap) -> bool {
    headers.contains_key(CACHE_CONTROL)
        && list_header(headers, CACHE_CONTROL.as_str()).is_some_and(|list| {
            list.split(',')
                .any(|item| item.trim().eq_ignore_ascii_case("no-cache"))
        })
}
