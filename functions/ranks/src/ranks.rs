//! Reads entries and ranks.

use leaderboard_core::ports::MAX_PERIODS_LISTED;
use leaderboard_core::usecase::{
    Cursor, DEFAULT_BUCKETS, Deps, DistributionQuery, ListQuery, MAX_BUCKETS, MAX_PLAYERS_ASKED,
};
use leaderboard_core::{LeaderboardId, PlayerId, usecase};

use leaderboard_api::json::decimal;
use leaderboard_api::query::{Query, decode, invalid};
use leaderboard_api::{Problem, Response};
use leaderboard_pipeline::Context;
use leaderboard_responses::ResponseEnvironment;

use leaderboard_api::wire::{cursor, ranks as wire};
use leaderboard_responses::CachedRead;

use crate::past;
use crate::uncached::{answer, refuse};

/// How many entries a page has if the request does not say.
pub(crate) const DEFAULT_LIMIT: u32 = 10;
/// How many entries a window has if the request does not say.
const DEFAULT_WINDOW: u32 = 11;
/// How many periods are listed if the request does not say.
const DEFAULT_PERIODS: u32 = 100;
/// The most entries in one response.
pub(crate) const MAX_LIMIT: u32 = 1000;

/// `GET /leaderboards/{id}/entries?limit=&cursor=&period=&at=`, or `?players=a,b,c`: returns a page of the list, or the entries of
/// some players.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_entries<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["limit", "cursor", "period", "players", "at"])?;
    if let Some(raw) = query.raw("players") {
        return players(context, &leaderboard, &query, raw).await;
    }
    let list = ListQuery {
        period: query.period()?,
        cursor: read_cursor(&query)?,
        limit: query.integer("limit", 1, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT),
    };
    let at = query.instant("at")?;
    if let Some(at) = at.or(list.cursor.as_ref().and_then(|cursor| cursor.at)) {
        return past::list_entries(context, &leaderboard, at, &list).await;
    }
    leaderboard_responses::answer_read(context, leaderboard, CachedRead::List(list)).await
}

/// Reads the cursor of a list of entries.
pub(crate) fn read_cursor(query: &Query<'_>) -> Result<Option<Cursor>, Problem> {
    let decode = |bytes: &[u8]| Cursor::decode(bytes).ok();
    let text = query.text("cursor")?;
    text.map(|text| cursor::parse(&text, decode)).transpose()
}

async fn players<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    query: &Query<'_>,
    raw: &str,
) -> Result<Response, Problem> {
    for other in ["limit", "cursor", "at"] {
        if query.raw(other).is_some() {
            return Err(invalid(other, "cannot be combined with players"));
        }
    }
    let mut asked: Vec<PlayerId> = Vec::new();
    for player in player_list(raw)? {
        let player = context.named_as("players", &player)?;
        if !asked.contains(&player) {
            asked.push(player);
        }
    }
    let selector = query.period()?;
    context.charge_more(leaderboard_responses::units_of_uncached_entries(
        u32::try_from(asked.len()).unwrap_or(u32::MAX),
    ));
    let read = async |source| {
        let deps = Deps {
            source,
            ..context.deps()
        };
        usecase::read_entries_by_player(&deps, &context.caller, leaderboard, &asked, &selector).await
    };
    let found = leaderboard_responses::read_uncached(context, leaderboard, read).await;
    let found = match found {
        Ok(found) => found,
        Err(error) => return Err(refuse(context, leaderboard, error).await),
    };
    answer(
        context,
        &wire::players(context.version, leaderboard, &found, &asked)?,
    )
}

/// Returns the players in a list. Splits the list at its commas before it decodes the names, so that a comma within a name can be
/// sent as `%2C`. A player who is named twice is returned once.
fn player_list(raw: &str) -> Result<Vec<PlayerId>, Problem> {
    let mut players: Vec<PlayerId> = Vec::new();
    for part in raw.split(',') {
        let name = decode(part).ok_or_else(|| invalid("players", "is not percent-encoded UTF-8"))?;
        let player =
            PlayerId::new(name).map_err(|error| invalid("players", &format!("a name {}", error.detail)))?;
        if !players.contains(&player) {
            players.push(player);
        }
        if players.len() > MAX_PLAYERS_ASKED {
            return Err(invalid(
                "players",
                &format!("must name at most {MAX_PLAYERS_ASKED} players"),
            ));
        }
    }
    Ok(players)
}

/// `GET /leaderboards/{id}/entries/{player}?period=&at=`: returns one player's entry.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_entry<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    let query = Query::parse(context.query, &["period", "at"])?;
    let selector = query.period()?;
    if let Some(at) = query.instant("at")? {
        return past::read_entry(context, &leaderboard, at, (&player, &selector)).await;
    }
    leaderboard_responses::answer_read(context, leaderboard, CachedRead::Entry(player, selector)).await
}

/// `GET /leaderboards/{id}/entries/{player}/around?limit=&period=&at=`: returns the window around a player.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_around<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    let query = Query::parse(context.query, &["limit", "period", "at"])?;
    let limit = query.integer("limit", 1, MAX_LIMIT)?.unwrap_or(DEFAULT_WINDOW);
    let selector = query.period()?;
    if let Some(at) = query.instant("at")? {
        return past::list_around(context, &leaderboard, at, (&player, &selector, limit)).await;
    }
    leaderboard_responses::answer_read(context, leaderboard, CachedRead::Around(player, selector, limit))
        .await
}

/// `GET /leaderboards/{id}/periods?limit=&cursor=`: lists the periods that have entries.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_periods<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["limit", "cursor"])?;
    let limit = query
        .integer("limit", 1, MAX_PERIODS_LISTED)?
        .unwrap_or(DEFAULT_PERIODS);
    let before = query
        .text("cursor")?
        .map(|text| cursor::parse(&text, wire::start_of_cursor))
        .transpose()?;
    leaderboard_responses::answer_read(context, leaderboard, CachedRead::Periods(before, limit)).await
}

/// `GET /leaderboards/{id}/distribution?buckets=&score=&period=&at=`: returns the distribution of scores.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_distribution<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["buckets", "score", "period", "at"])?;
    let asked = DistributionQuery {
        period: query.period()?,
        buckets: query
            .integer("buckets", 1, MAX_BUCKETS)?
            .unwrap_or(DEFAULT_BUCKETS),
        score: query.text("score")?.map(|text| score(&text)).transpose()?,
    };
    if let Some(at) = query.instant("at")? {
        return past::read_distribution(context, &leaderboard, at, &asked).await;
    }
    leaderboard_responses::answer_read(context, leaderboard, CachedRead::Distribution(asked)).await
}

fn score(text: &str) -> Result<i64, Problem> {
    let number =
        decimal(text, i64::MIN.into(), i64::MAX.into()).map_err(|detail| invalid("score", &detail))?;
    i64::try_from(number).map_err(|_| invalid("score", "must be a 64-bit integer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_within_a_name_is_sent_encoded() {
        let names = |raw: &str| {
            let players = player_list(raw).unwrap();
            players.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("a,b%2Cc,d+e,a"), ["a", "b,c", "d e"]);
        for bad in ["", "a,,b", "a,", "%FF", "a%00"] {
            assert!(player_list(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_number_of_players_is_bounded() {
        let list = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(
            player_list(&list(MAX_PLAYERS_ASKED)).unwrap().len(),
            MAX_PLAYERS_ASKED
        );
        assert!(player_list(&list(MAX_PLAYERS_ASKED + 1)).is_err());
    }
}
