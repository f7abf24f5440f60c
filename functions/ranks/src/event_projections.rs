//! Reads named projections: the activity of a leaderboard, and the personal bests of a player.

use std::ops::RangeInclusive;

use leaderboard_core::event_projections::DailyActivity;
use leaderboard_core::usecase::{MAX_HANDLED_EVENTS, QueryError};
use leaderboard_core::{LeaderboardId, PlayerId, Timestamp, usecase};

use leaderboard_api::query::{Query, invalid};
use leaderboard_api::wire::event_projections::{ActivityBody, BestsBody};
use leaderboard_api::{Problem, ProblemType, Response};
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::{ResponseEnvironment, units_of_replay, units_of_uncached_entries};

use crate::uncached::answer;

/// How many days a response has if the request does not say, up to the day of the request.
const DEFAULT_DAYS: i64 = 30;
/// Why personal bests cannot be computed.
const LOST_BASE: &str = "The event log has lost events to which the player's later scores were added, so their values are unknown.";

/// `GET /leaderboards/{id}/activity?from=&to=`: reads on in the log, and returns the activity of these days.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_activity<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let days = parse_days(context)?;
    answer_activity(context, &leaderboard, &days, false).await
}

/// `POST /leaderboards/{id}/activity/rebuild`: builds the activity again from the oldest event of the log.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn rebuild_activity<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let days = parse_days(context)?;
    audit::record_audit_event(context).await?;
    answer_activity(context, &leaderboard, &days, true).await
}

async fn answer_activity<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    days: &RangeInclusive<i64>,
    rebuild: bool,
) -> Result<Response, Problem> {
    // The most that the request can do: the log's length is not known yet.
    context.charge_more(units_of_replay(MAX_HANDLED_EVENTS));
    let found = usecase::read_activity(&context.deps(), leaderboard, days, rebuild).await;
    let found = found.map_err(|error| Problem::of_query(error, &context.caller))?;
    answer(context, &ActivityBody::new(leaderboard, &found))
}

/// Returns the days of the query, as [`DailyActivity::day_of`] numbers them.
fn parse_days<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<RangeInclusive<i64>, Problem> {
    let query = Query::parse(context.query, &["from", "to"])?;
    let day = |name: &str| -> Result<Option<i64>, Problem> {
        let text = query.text(name)?;
        text.map(|text| parse_day(name, &text)).transpose()
    };
    let to = day("to")?.unwrap_or_else(|| DailyActivity::day_of(context.now));
    let from = day("from")?.unwrap_or_else(|| to.saturating_sub(DEFAULT_DAYS - 1));
    if from > to {
        return Err(invalid("from", "must not be after `to`"));
    }
    Ok(from..=to)
}

fn parse_day(name: &str, text: &str) -> Result<i64, Problem> {
    let begins_at = Timestamp::parse(&format!("{text}T00:00:00Z"));
    let is_date = text.len() == "2026-11-09".len();
    match begins_at {
        Ok(begins_at) if is_date => Ok(DailyActivity::day_of(begins_at)),
        _ => Err(invalid(name, "must be a date (UTC), e.g. 2026-11-09")),
    }
}

/// `GET /players/{player}/personal-bests?leaderboard=`: computes the personal bests of a player from the log of a leaderboard. A player
/// gets their own.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_personal_bests<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    let query = Query::parse(context.query, &["leaderboard"])?;
    let leaderboard = query.text("leaderboard")?;
    let leaderboard = leaderboard.ok_or_else(|| invalid("leaderboard", "must be the id of a leaderboard"))?;
    let leaderboard =
        LeaderboardId::new(leaderboard).map_err(|error| invalid("leaderboard", &error.detail))?;
    context.require_own(&player, "personal bests")?;
    context.charge_more(units_of_uncached_entries(1));
    let of_query = |error| match error {
        QueryError::NoHistory(_) => Problem::new(ProblemType::HistoryNotKept).with_detail(LOST_BASE),
        error => Problem::of_query(error, &context.caller),
    };
    let plan = usecase::plan_personal_bests(&context.deps(), &leaderboard).await;
    let plan = plan.map_err(of_query)?;
    context.charge_more(units_of_replay(plan.most_events()));
    let found = usecase::read_personal_bests(&context.deps(), &player, plan).await;
    let found = found.map_err(of_query)?;
    answer(context, &BestsBody::new(context.version, &player, &found))
}
