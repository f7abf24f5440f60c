//! Opens streams of live updates.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, StatusCode};
use leaderboard_api::query::Query;
use leaderboard_api::{LaterBody, Problem, ProblemType, Response};
use leaderboard_core::{LeaderboardId, Timestamp};
use leaderboard_live::{
    HELLO, LIFE_MS, LIFE_SPREAD_MS, LiveEnvironment, RESUMED, Stream, Topic, join, read_shown,
};
use leaderboard_pipeline::Context;
use leaderboard_responses::{ResponseEnvironment, refuse_read};

use crate::viewer::Viewer;

/// The media type of a stream.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";
/// How many entries of the top a stream shows if the request does not say.
const DEFAULT_TOP: u32 = 10;
/// The most entries of the top that a stream shows.
const MAX_TOP: u32 = 100;
/// The extra units of a stream. With the default limit of a client (100 units a second, 200 at once), an address can open 33 streams of
/// one topic at once, and can have 5,000 streams that live for five minutes.
const STREAM_UNITS: u64 = 5;
/// The further units of a stream whose topic no other stream of the instance has. Its hub reads the store 1,200 times in five minutes,
/// so an address that varies the topic can have 650 such streams, which read 2,600 times a second.
const HUB_UNITS: u64 = 40;
/// The request header in which a client names the last event that it has.
const LAST_EVENT_ID: &str = "last-event-id";
/// The response header that tells nginx to pass on each part of the body at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `GET /leaderboards/{id}/live?top=&player=&period=&ticket=&last_event_id=`: opens a stream.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn open_stream<E: ResponseEnvironment + LiveEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let known = ["top", "player", "period", "ticket", "last_event_id"];
    let query = Query::parse(context.query, &known)?;
    let top = query.integer("top", 1, MAX_TOP)?.unwrap_or(DEFAULT_TOP);
    let period = query.period()?;
    let last_event_id = match context.headers.get(LAST_EVENT_ID) {
        Some(id) => id.to_str().ok().map(str::to_owned),
        None => query.text("last_event_id")?,
    };
    let viewer = Viewer::of_query(context, &leaderboard, &query)?;
    context.charge_more(STREAM_UNITS);
    let place = context.env.live().take_place().ok_or_else(|| {
        Problem::new(ProblemType::Unavailable).with_detail("This instance has no room for another stream.")
    })?;
    let banned = &context.tenant_config.banned;
    let own_player = viewer.player.as_ref().filter(|_| viewer.is_players_own);
    let topic = Topic {
        tenant: context.tenant.clone(),
        leaderboard,
        period,
        top,
        version: context.version,
        integers: context.accepted.integers,
        viewer: own_player.filter(|player| banned.may_have(player)).cloned(),
    };
    if !context.env.live().has_hub(&topic) {
        context.charge_more(HUB_UNITS);
    }
    let shown = read_shown(context.env, &topic, viewer.player.as_ref()).await?;
    if viewer.is_anonymous && !shown.is_public() {
        return Err(refuse_read(context, &topic.leaderboard).await);
    }
    let mut first = HELLO.to_owned();
    if last_event_id.is_some_and(|id| id == shown.id()) {
        first.push_str(RESUMED);
    } else {
        first.push_str(&topic.snapshot(&shown)?);
    }
    let (env, ends_at) = (context.env.clone(), find_end(context));
    let mut response = Response::empty(StatusCode::OK)
        .with(CONTENT_TYPE, EVENT_STREAM)
        .with(CACHE_CONTROL, "no-store")
        .with(X_ACCEL_BUFFERING, "no");
    response.body = Bytes::from(first);
    response.later_body = Some(LaterBody::new(move |writer| {
        let stream = Stream {
            writer,
            shown,
            player: viewer.player,
            is_players_own: viewer.is_players_own,
            is_anonymous: viewer.is_anonymous,
            ends_at,
            sent_at: env.clock(),
            place,
        };
        join(&env, topic, stream);
    }));
    Ok(response)
}

/// Returns when a stream that begins now ends.
fn find_end<E: ResponseEnvironment>(context: &Context<'_, E>) -> Timestamp {
    let [.., a, b] = context.env.new_trace_id();
    let earlier_ms = i64::from(u16::from_be_bytes([a, b])) % LIFE_SPREAD_MS;
    context.env.clock().saturating_add_ms(LIFE_MS - earlier_ms)
}
