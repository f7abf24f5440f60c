//! Details for a 404: which leaderboard, player, tenant and so on is missing. The names come from the path and the query.

use leaderboard_api::{PathParams, Problem, ProblemType, query};

/// Adds a detail that names what the request asked for, unless the problem has a detail. The client sent that name itself, so the
/// detail does not reveal what exists. `query` is the query of the address.
pub(crate) fn name_missing(problem: Problem, params: &PathParams<'_>, query: &str) -> Problem {
    if problem.detail.is_some() {
        return problem;
    }
    let named = |name: &str| {
        let found = params.decoded().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    };
    let detail = match problem.kind {
        ProblemType::LeaderboardNotFound => {
            named("leaderboard").map(|id| format!("The tenant has no leaderboard {id}."))
        }
        ProblemType::PeriodNotFound => named("leaderboard").map(|id| {
            let period = query::find(query, "period");
            let period = period.map_or_else(|| "such period".to_owned(), |asked| format!("period {asked}"));
            format!("The leaderboard {id} has no {period}, or keeps it no longer.")
        }),
        ProblemType::EntryNotFound => named("player").zip(named("leaderboard")).map(|(player, id)| {
            format!("The player {player} has no entry in this period of the leaderboard {id}.")
        }),
        ProblemType::TenantNotFound => {
            named("tenant").map(|id| format!("The tenant {id} has no record; it works with the defaults."))
        }
        ProblemType::KeyNotFound => named("key").map(|id| format!("The tenant has no key {id}.")),
        ProblemType::IssuerNotFound => named("issuer").map(|id| format!("There is no issuer {id}.")),
        ProblemType::WebhookNotFound => named("webhook").map(|id| format!("The tenant has no webhook {id}.")),
        ProblemType::MessageNotFound => {
            named("message").map(|id| format!("The webhook has no message {id} that was not delivered."))
        }
        ProblemType::SubmissionNotFound => {
            named("submission").map(|id| format!("There is no queued submission {id}."))
        }
        ProblemType::BanNotFound => {
            named("player").map(|player| format!("The player {player} is not banned."))
        }
        _ => None,
    };
    match detail {
        Some(detail) => problem.with_detail(detail),
        None => problem,
    }
}
