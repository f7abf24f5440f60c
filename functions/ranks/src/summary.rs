//! Returns the top of a list, a player and the player's neighbours in one response.

use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use leaderboard_core::access::Caller;
use leaderboard_core::usecase::ListQuery;
use leaderboard_core::{LeaderboardId, PlayerId};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use leaderboard_api::query::{Query, invalid};
use leaderboard_api::{IF_MATCH, Preconditions, Problem, ProblemType, Response, precondition_failed};
use leaderboard_identity::hex::encode as hex;
use leaderboard_pipeline::Context;
use leaderboard_pipeline::me::ME;

use leaderboard_responses::{CachedRead, ResponseEnvironment, answer_read};

/// How many entries the top has if the request does not say.
const DEFAULT_TOP: u32 = 10;
/// How many entries the window around the player has if the request does not say.
const DEFAULT_AROUND: u32 = 5;
/// The most entries of the top, and of the window.
const MAX_PART: u32 = 100;
/// How many bytes of the body's digest the entity tag has.
const TAG_DIGEST_BYTES: usize = 12;

/// The top of a list, and the entries around a player.
// Each part is what its own read answers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Summary))]
struct SummaryBody<'a> {
    /// The first page of the list.
    #[cfg_attr(feature = "schema", schema(value_type = leaderboard_api::schema::Entries))]
    top: &'a RawValue,
    /// The entries around the player; `null` if the player has no entry.
    #[cfg_attr(feature = "schema", schema(value_type = Option<leaderboard_api::schema::Window>))]
    around: Option<&'a RawValue>,
}

/// Adds the schema of a summary.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    all.add::<SummaryBody<'_>>();
}

/// `GET /leaderboards/{id}/summary?player=&top=&around=&period=`: returns the top and the window around a player. Both come from
/// the cache if it has them; the top is the same for all callers.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_summary<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["player", "top", "around", "period"])?;
    let name = query.text("player")?.unwrap_or_else(|| ME.into());
    let player = PlayerId::new(name).map_err(|error| invalid("player", &error.detail))?;
    let player = context.named_as("player", &player)?;
    let part = |name, default| Ok::<_, Problem>(query.integer(name, 1, MAX_PART)?.unwrap_or(default));
    let (limit, around, period) = (
        part("top", DEFAULT_TOP)?,
        part("around", DEFAULT_AROUND)?,
        query.period()?,
    );
    // Each part is complete and uncompressed, also if the request has If-None-Match or Accept-Encoding.
    let mut headers = HeaderMap::new();
    if let Some(control) = context.headers.get(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, control.clone());
    }
    let plain = context.with_headers(&headers);
    let list = ListQuery {
        period: period.clone(),
        cursor: None,
        limit,
    };
    let top = answer_read(&plain, leaderboard.clone(), CachedRead::List(list)).await?;
    let window = answer_read(&plain, leaderboard, CachedRead::Around(player, period, around)).await;
    let window = match window {
        Ok(window) => Some(window),
        Err(problem) if problem.kind == ProblemType::EntryNotFound => None,
        Err(problem) => return Err(problem),
    };
    let body = SummaryBody {
        top: raw(&top)?,
        around: window.as_ref().map(raw).transpose()?,
    };
    tagged(context, Response::json(StatusCode::OK, context.accepted, &body)?)
}

fn raw(part: &Response) -> Result<&RawValue, Problem> {
    serde_json::from_slice(&part.body)
        .map_err(|error| Problem::internal(format!("a part of a summary is not JSON: {error}")))
}

/// Returns the response with its entity tag; 304 if the client has it already.
fn tagged<E: ResponseEnvironment>(context: &Context<'_, E>, response: Response) -> Result<Response, Problem> {
    let digest = Sha256::digest(&response.body);
    let tag = hex(digest.get(..TAG_DIGEST_BYTES).unwrap_or_default());
    let preconditions = Preconditions::of(context.headers)?;
    if !preconditions.match_holds_for(Some(&tag)) {
        return Err(precondition_failed(IF_MATCH, Some(&tag)));
    }
    let mut response = if preconditions.none_match_holds_for(Some(&tag)) {
        response
    } else {
        Response::empty(StatusCode::NOT_MODIFIED)
    };
    if let Ok(tag) = HeaderValue::try_from(format!("\"{tag}\"")) {
        response.headers.insert(ETAG, tag);
    }
    Ok(if context.caller == Caller::Anonymous {
        response.revalidated()
    } else {
        response.with(CACHE_CONTROL, "private, no-cache")
    })
}
