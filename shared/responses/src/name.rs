//! The one name of a question that a period's many names share.

use leaderboard_core::usecase;

use super::cost::NAME_UNITS;
use super::question::Question;
use crate::ResponseEnvironment;
use leaderboard_cache::circuit_breaker;
use leaderboard_pipeline::Context;

/// The question with the period's id in place of an instant or a day within it: all of them are one question, and share
/// one answer. The store is asked only where a leaderboard had rules that nobody recorded. Where neither it nor the
/// leaderboard's configuration can be had, the question stays as it is and fails later.
pub(crate) async fn with_one_name<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    question: Question,
) -> Question {
    let (deps, tenant) = (context.deps(), &question.tenant);
    let Ok(Some(board)) = usecase::load_leaderboard(&deps, tenant, &question.leaderboard).await else {
        return question;
    };
    if let Some(known) = usecase::find_known_name(&deps, tenant, &board, question.period()) {
        return question.about(known);
    }
    if circuit_breaker::is_open(context.env).await {
        return question;
    }
    context.charge_more(NAME_UNITS);
    match usecase::resolve_name(&deps, tenant, &board, question.period()).await {
        Ok(found) => question.about(found),
        Err(_) => question,
    }
}
