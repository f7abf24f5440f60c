//! Reads event logs.

use http::StatusCode;
use leaderboard_core::usecase::PlayerEventCursor;
use leaderboard_core::{LeaderboardId, PlayerId, usecase};

use leaderboard_api::query::{Query, invalid};
use leaderboard_api::wire::{cursor, events as wire};
use leaderboard_api::{Problem, Response};
use leaderboard_pipeline::Context;
use leaderboard_responses::{ResponseEnvironment, units_of_scanned_events, units_of_uncached_entries};

use crate::uncached::answer;

/// How many events a page has if the request does not say.
const DEFAULT_EVENTS: u32 = 100;
/// The most events on a page.
const MAX_EVENTS: u32 = 1000;

/// `GET /leaderboards/{id}/events?after=&limit=`: returns a part of the leaderboard's event log.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_events<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["after", "limit"])?;
    let limit = query.integer("limit", 1, MAX_EVENTS)?.unwrap_or(DEFAULT_EVENTS);
    let after = query.text("after")?.map(|text| parse_position(&text));
    let after = after.transpose()?.unwrap_or(0);
    context.charge_more(units_of_uncached_entries(limit));
    let page = usecase::list_events(&context.deps(), &leaderboard, after, limit).await;
    let page = page.map_err(|error| Problem::of_query(error, &context.caller))?;
    let body = wire::log_page(context.version, &leaderboard, &page)?;
    Response::json(StatusCode::OK, context.accepted, &body)
}

/// `GET /players/{player}/events?after=&limit=`: returns events of a player in all leaderboards of the tenant. A player gets their own
/// events, without bans.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_player_events<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    let query = Query::parse(context.query, &["after", "limit"])?;
    let limit = query.integer("limit", 1, MAX_EVENTS)?.unwrap_or(DEFAULT_EVENTS);
    let decode = |bytes: &[u8]| PlayerEventCursor::decode(bytes).ok();
    let from = query
        .text("after")?
        .map(|text| cursor::parse_parameter("after", &text, decode));
    let from = from.transpose()?;
    let sees_bans = context.caller.is_server();
    context.require_own(&player, "events")?;
    context.charge_more(units_of_scanned_events());
    let found = usecase::list_player_events(&context.deps(), &player, from, limit, sees_bans).await?;
    answer(
        context,
        &wire::player_events(context.version, &player, &found, sees_bans)?,
    )
}

fn parse_position(text: &str) -> Result<u64, Problem> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let position = text.parse().ok().filter(|_| digits);
    position.ok_or_else(|| invalid("after", "must be the position of an event, or 0"))
}
