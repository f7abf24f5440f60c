//! The OpenFeature Remote Evaluation Protocol 0.3, by which OpenFeature clients evaluate flags.
//!
//! Responses and errors have the forms of the protocol instead of the forms of this API. The flags come from the tenant
//! configuration of the request, so the evaluation does not call the store.

use http::StatusCode;
use http::header::CACHE_CONTROL;
use leaderboard_flags::{ErrorCode, Evaluation, EvaluationError};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

#[cfg(feature = "schema")]
use leaderboard_api::schema::{OfrepErrorCode, OfrepReason, Schemas, any_object, object, words};
use leaderboard_api::{MediaType, Preconditions, Problem, Response, json};
use leaderboard_pipeline::{Context, country};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::{FlagTarget, TenantFlags};

/// The value of a flag.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct OfrepFlag<'a> {
    /// Its key.
    key: &'a str,
    /// Why this value.
    #[cfg_attr(feature = "schema", schema(value_type = OfrepReason))]
    reason: &'static str,
    /// Left out: the client's own default holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
    /// The name of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    variant: Option<&'a str>,
    /// Of the set and of the flag.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    metadata: Map<String, Value>,
}

/// Why a flag has no value.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct OfrepFailure<'a> {
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    key: Option<&'a str>,
    /// For programs.
    #[cfg_attr(feature = "schema", schema(value_type = OfrepErrorCode))]
    error_code: &'static str,
    /// In words.
    error_details: &'a str,
}

/// A flag of many.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
enum OfrepOutcome<'a> {
    /// It has a value.
    Flag(OfrepFlag<'a>),
    /// It has none.
    Failure(OfrepFailure<'a>),
}

/// All flags.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct OfrepFlags<'a> {
    /// By the order of their keys.
    flags: Vec<OfrepOutcome<'a>>,
    /// Of the sets.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    metadata: Map<String, Value>,
}

/// Adds the schemas of flags and of their evaluation.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut Schemas) {
    let document =
        |about, field, about_field| object(about, [("required", field, about_field, any_object())]);
    let flags = "Flags by their keys: `state`, `variants`, `defaultVariant`, `targeting`.";
    all.insert("FlagSet", document("A flagd definition.", "flags", flags));
    let context = "`targetingKey`, and whatever the rules ask for.";
    all.insert(
        "OfrepContext",
        document("What flags are evaluated for.", "context", context),
    );
    let about = "Why a flag has its value. `DEFAULT` is flagd's, and not in OFREP's own list: no target fitted, and the default variant\nholds. OpenFeature's clients know it.";
    all.insert(
        "OfrepReason",
        words(
            about,
            &leaderboard_flags::Reason::ALL.map(|reason| (reason.as_str(), ())),
        ),
    );
    let about = "Why a flag has no value, for programs.";
    all.insert(
        "OfrepErrorCode",
        words(about, &ErrorCode::ALL.map(|code| (code.as_str(), ()))),
    );
    all.add::<OfrepFlag<'_>>();
    all.add::<OfrepFlags<'_>>();
}

/// `POST /ofrep/v1/evaluate/flags/{key}`: evaluates one flag.
///
/// # Errors
/// The problem to answer with, if the protocol has no form for the error.
pub(crate) async fn evaluate<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: &str,
) -> Result<Response, Problem> {
    let flags = flags(context);
    let given = match given(context) {
        Ok(given) => given,
        Err(error) => return failure(Some(key), &error),
    };
    let evaluation = match flags.evaluate(key, &given, context.now) {
        Ok(evaluation) => evaluation,
        Err(error) => return failure(Some(key), &error),
    };
    let mut metadata = flags.metadata();
    metadata.extend(evaluation.metadata.clone());
    answer(StatusCode::OK, &success(key, &evaluation, metadata))
}

/// `POST /ofrep/v1/evaluate/flags`: evaluates all flags; 304 if the client has the same result already.
///
/// # Errors
/// The problem to answer with, if the protocol has no form for the error.
pub(crate) async fn evaluate_all<E: ResponseEnvironment>(
    context: &Context<'_, E>,
) -> Result<Response, Problem> {
    let flags = flags(context);
    let preconditions = Preconditions::of(context.headers)?;
    let given = match given(context) {
        Ok(given) => given,
        Err(error) => return failure(None, &error),
    };
    let outcomes = flags.evaluate_all(&given, context.now);
    let bulk = OfrepFlags {
        flags: outcomes
            .iter()
            .map(|(key, outcome)| of_bulk(key, outcome))
            .collect(),
        metadata: flags.metadata(),
    };
    let response = answer(StatusCode::OK, &bulk)?;
    let tag = tag_of(&response.body);
    let response = if preconditions.none_match_holds(Some(tag)) {
        response
    } else {
        Response::empty(StatusCode::NOT_MODIFIED)
    };
    Ok(response.with_etag(tag).with(CACHE_CONTROL, "private, no-cache"))
}

/// Returns the flags that apply to the tenant.
fn flags<E: ResponseEnvironment>(context: &Context<'_, E>) -> TenantFlags {
    TenantFlags::load(context.env, context.tenant, &context.tenant_config)
}

/// Returns the context of the evaluation: the context that the client sent, with what the pipeline knows about the request.
fn given<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Value, EvaluationError> {
    let error = |code, detail: &str| EvaluationError {
        code,
        detail: detail.to_owned(),
    };
    let malformed = |detail: &str| error(ErrorCode::ParseError, detail);
    json::parse(context.body).map_err(|problem| malformed(&problem.one_line()))?;
    let mut request: Map<String, Value> =
        serde_json::from_slice(context.body).map_err(|_| malformed("the body is not a JSON object"))?;
    let Some(Value::Object(mut given)) = request.remove("context") else {
        return Err(error(ErrorCode::InvalidContext, "the context must be an object"));
    };
    let subject = FlagTarget {
        tenant: context.tenant,
        player: context.identity.player.as_ref(),
        client: context.client,
        country: country(context.headers, context.env.settings().country_header.as_ref()),
        version: Some(context.version),
    };
    subject.add_to(&mut given);
    Ok(Value::Object(given))
}

fn success<'a>(key: &'a str, evaluation: &Evaluation<'a>, metadata: Map<String, Value>) -> OfrepFlag<'a> {
    OfrepFlag {
        key,
        reason: evaluation.reason.as_str(),
        value: evaluation.value,
        variant: evaluation.variant,
        metadata,
    }
}

fn of_bulk<'a>(key: &'a str, outcome: &'a Result<Evaluation<'a>, EvaluationError>) -> OfrepOutcome<'a> {
    match outcome {
        Ok(evaluation) => OfrepOutcome::Flag(success(key, evaluation, evaluation.metadata.clone())),
        Err(error) => OfrepOutcome::Failure(OfrepFailure {
            key: Some(key),
            error_code: error.code.as_str(),
            error_details: &error.detail,
        }),
    }
}

fn failure(key: Option<&str>, error: &EvaluationError) -> Result<Response, Problem> {
    let status = match error.code {
        ErrorCode::FlagNotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    let failure = OfrepFailure {
        key,
        error_code: error.code.as_str(),
        error_details: &error.detail,
    };
    answer(status, &failure)
}

fn answer(status: StatusCode, document: &impl Serialize) -> Result<Response, Problem> {
    // The clients know this media type alone.
    Response::json(status, MediaType::Json, document)
}

/// Returns the entity tag of a response: the beginning of the body's hash.
fn tag_of(body: &[u8]) -> u64 {
    let hash: [u8; 32] = Sha256::digest(body).into();
    hash.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
