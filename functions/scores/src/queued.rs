//! Appends submissions to the queue, shows what came of them, and applies the queue.

use http::header::CACHE_CONTROL;
use http::{HeaderName, StatusCode};
use leaderboard_api::wire::outcome::{BatchResult, OutcomeBody};
use leaderboard_api::wire::{Names, VersionedPlayer};
use leaderboard_api::{FieldError, Problem, ProblemType, Query, Response};
use leaderboard_core::ports::{EnqueueRefusal, NewQueueItem, Queue, QueuedRequest, RankDetail};
use leaderboard_core::{LeaderboardId, Outcome, PlayerId, StoreError};
use leaderboard_identity::hex::encode as hex;
use leaderboard_pipeline::idempotency::KeyedRequest;
use leaderboard_pipeline::names::names_for;
use leaderboard_pipeline::readiness::probe;
use leaderboard_pipeline::{ChargedSubmission, Context, idempotency};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_score_messages::{
    AcceptedRequest, DrainReport, MAX_DRAINED, RequestResult, drain, read_submissions,
};
use serde::Serialize;
use serde_json::value::RawValue;

/// The response header that names the preference that was applied (RFC 7240).
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The number of random bytes in the id of a queued request.
const ID_BYTES: usize = 16;
/// The most requests in a list of a player's pending scores.
const MAX_PENDING: u32 = 20;

/// The state of a queued request.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
enum SubmissionState {
    /// The request waits in the queue.
    Pending,
    /// At least one submission was applied.
    Applied,
    /// Each submission was refused.
    Refused,
    /// Submissions could not be applied, and are dead letters.
    Dead,
}

/// Submissions that were accepted with `Prefer: respond-async`, and what came of them.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = QueuedSubmission))]
struct QueuedBody<'a> {
    /// The id of the request in the queue.
    id: &'a str,
    /// The state of the request.
    state: SubmissionState,
    /// The result of each submission, in order, once the state is `applied` or `refused`. Ranks are `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    results: Option<Vec<BatchResult<'a>>>,
    /// Why submissions could not be applied, if the state is `dead`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    reason: Option<String>,
}

/// The scores of a player that are in the queue.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PendingScores))]
struct PendingBody<'a> {
    /// The player.
    player: VersionedPlayer<'a>,
    /// The requests that came with the player's token and are in the queue, oldest first; at most 20.
    pending: Vec<PendingRequestBody<'a>>,
}

/// A request in the queue.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct PendingRequestBody<'a> {
    /// The id of the request; `GET /submissions/{id}` shows what comes of it.
    id: &'a str,
    /// When the service accepted the request.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    accepted_at: String,
    /// The submissions, as a message has them: with their leaderboards, the player, and their ids.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Object>))]
    submissions: Vec<Box<RawValue>>,
}

/// What a drain of the queue did, as numbers of items.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Drained))]
struct DrainedBody {
    /// The items that were applied or refused for good.
    finished: usize,
    /// The items that are tried again later.
    retried: usize,
    /// The items that were given up; they are dead letters.
    dead: usize,
}

/// Adds the schemas of queued submissions.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    all.add::<QueuedBody<'_>>();
    all.add::<DrainedBody>();
    all.add::<PendingBody<'_>>();
}

/// Appends the valid request to the queue, and answers 202 with the address of its state. The queue is drained after the response. A
/// request with the idempotency key of an earlier request gets the state of that one.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn enqueue<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: Option<&LeaderboardId>,
    submissions: usize,
) -> Result<Response, Problem> {
    let mut charged = ChargedSubmission::new(context, RankDetail::Omitted);
    charged.options.charge_request.usage.scores = u64::try_from(submissions).unwrap_or(u64::MAX);
    let answer = match charged.charge_now(context).await {
        Ok(()) => enqueue_charged(context, leaderboard).await,
        Err(problem) => Err(problem),
    };
    charged.finish(answer)
}

async fn enqueue_charged<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: Option<&LeaderboardId>,
) -> Result<Response, Problem> {
    let player = context.identity.player.as_ref();
    let id_seed = idempotency::read_id_seed(context.headers, context.identity)?;
    let request = AcceptedRequest {
        leaderboard,
        player,
        id_seed: id_seed.as_deref(),
        body: context.body,
    };
    // The same key on another path, or of another player, is another request.
    let (path, sender) = (
        leaderboard.map_or("", LeaderboardId::as_str),
        player.map_or("", |player| player.as_str()),
    );
    let keyed = KeyedRequest::of(context, &format!("submissions {path} {sender}"))?;
    let (id, digest) = match &keyed {
        Some(keyed) => (hex(&keyed.name), keyed.body),
        None => (hex(&random_id(context.env)?), [0; ID_BYTES]),
    };
    let item = NewQueueItem {
        id: &id,
        player,
        digest,
        payload: &request.encode(),
    };
    let store = context.env.store();
    store.enqueue(context.tenant, &item).await?.map_err(of_refusal)?;
    let env = context.env.clone();
    context.env.later(async move {
        // The items stay in the queue, and the next drain applies them.
        let _ = drain(&env, MAX_DRAINED).await;
    });
    let found = match keyed {
        // An earlier request may have this key.
        Some(_) => store.find_request(context.tenant, &id).await?,
        None => Some(QueuedRequest {
            player: None,
            result: None,
        }),
    };
    let response = describe(context, StatusCode::ACCEPTED, &id, found).await?;
    let location = format!("{}/submissions/{id}", context.version.base_path());
    Ok(response
        .with_location(&location)
        .with(PREFERENCE_APPLIED, "respond-async"))
}

fn random_id<E: ResponseEnvironment>(env: &E) -> Result<[u8; ID_BYTES], StoreError> {
    Ok(env.random()?.first_chunk().copied().unwrap_or_default())
}

fn of_refusal(refusal: EnqueueRefusal) -> Problem {
    match refusal {
        EnqueueRefusal::QueueFull => Problem::new(ProblemType::QueueFull),
        EnqueueRefusal::IdConflict => Problem::new(ProblemType::IdConflict).with_error(FieldError::header(
            idempotency::NAME,
            "was used within 24 hours with other content",
        )),
    }
}

/// `GET /submissions/{id}`: shows the state of a queued request. A player's token finds only requests that came with a token of this
/// player.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let found = context.env.store().find_request(context.tenant, id).await?;
    let own = context.identity.player.as_ref();
    let found = found.filter(|found| own.is_none() || own == found.player.as_ref());
    describe(context, StatusCode::OK, id, found).await
}

/// `GET /players/{player}/pending-scores`: lists the requests of a player that are in the queue. A player gets only their own.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_pending<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    Query::parse(context.query, &[])?;
    context.require_own(&player, "pending scores")?;
    let found = context
        .env
        .store()
        .list_pending(context.tenant, &player, MAX_PENDING)
        .await?;
    let mut pending = Vec::with_capacity(found.len());
    for request in &found {
        let texts = read_submissions(&request.payload, &request.id)?;
        let submissions: Result<_, _> = texts.into_iter().map(RawValue::from_string).collect();
        pending.push(PendingRequestBody {
            id: &request.id,
            accepted_at: request.enqueued_at.to_string(),
            submissions: submissions.map_err(|error| Problem::internal(error.to_string()))?,
        });
    }
    let body = PendingBody {
        player: VersionedPlayer {
            version: context.version,
            id: player.as_str(),
        },
        pending,
    };
    let response = Response::json(StatusCode::OK, context.accepted, &body)?;
    Ok(response.with(CACHE_CONTROL, "private, no-store"))
}

/// Writes the state of a request.
async fn describe<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    status: StatusCode,
    id: &str,
    found: Option<QueuedRequest>,
) -> Result<Response, Problem> {
    let found = found.ok_or_else(|| Problem::new(ProblemType::SubmissionNotFound))?;
    let mut body = QueuedBody {
        id,
        state: SubmissionState::Pending,
        results: None,
        reason: None,
    };
    let malformed = |error: leaderboard_core::codec::Malformed| Problem::internal(error.to_string());
    let result = found
        .result
        .map(|bytes| RequestResult::decode(&bytes))
        .transpose();
    let (answers, has_path) = match result.map_err(malformed)? {
        None => return Response::json(status, context.accepted, &body),
        Some(RequestResult::Dead { reason }) => {
            (body.state, body.reason) = (SubmissionState::Dead, Some(reason));
            return Response::json(status, context.accepted, &body);
        }
        Some(RequestResult::Done { has_path, answers }) => (answers, has_path),
    };
    let names = names_for(context, answers.iter().flatten().flatten()).await?;
    body.state = if answers.iter().any(Result::is_ok) {
        SubmissionState::Applied
    } else {
        SubmissionState::Refused
    };
    let results = answers.iter().map(|answer| match answer {
        Ok(outcomes) => applied(context, has_path, outcomes, &names),
        Err(problem) => BatchResult::refused(problem.clone(), context.trace_id),
    });
    body.results = Some(results.collect());
    Response::json(status, context.accepted, &body)
}

/// Returns the result of an applied submission, as a batch has it.
fn applied<'a, E>(
    context: &Context<'_, E>,
    has_path: bool,
    outcomes: &'a [Outcome],
    names: &'a Names,
) -> BatchResult<'a> {
    match outcomes {
        [outcome] if has_path => BatchResult::one(OutcomeBody::new(context.version, outcome, Some(names))),
        _ => BatchResult::several(OutcomeBody::list(context.version, outcomes, Some(names))),
    }
}

/// `POST /internal/tick`: applies what is in the queue, and checks the readiness of the store, with which the region reports itself. A
/// scheduler calls it, so that an item does not wait for the next request or message if its wake-up was lost.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn tick<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    probe(context.env).await;
    let DrainReport {
        finished,
        retried,
        dead,
    } = drain(context.env, MAX_DRAINED).await?;
    let body = DrainedBody {
        finished,
        retried,
        dead,
    };
    Response::json(StatusCode::OK, context.accepted, &body)
}
