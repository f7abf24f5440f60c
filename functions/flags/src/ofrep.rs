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
use leaderboard_pipeline::{Context, read_country};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::{FlagTarget, TenantFlags};

/// The value of a flag.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct OfrepFlag<'a> {
    /// The key of the flag.
    key: &'a str,
    /// Why the flag has this value.
    #[cfg_attr(feature = "schema", schema(value_type = OfrepReason))]
    reason: &'static str,
    /// The value of the flag. If it is left out, the client uses its own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
    /// The name of the value in the definition of the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    variant: Option<&'a str>,
    /// The metadata of the set of flags and of the flag.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    metadata: Map<String, Value>,
}

/// Why a flag has no value.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct OfrepFailure<'a> {
    /// The key of the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    key: Option<&'a str>,
    /// The kind of the error, for programs.
    #[cfg_attr(feature = "schema", schema(value_type = OfrepErrorCode))]
    error_code: &'static str,
    /// What is wrong, for people.
    error_details: &'a str,
}

/// The result of one flag in an evaluation of all flags.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
enum OfrepOutcome<'a> {
    /// The flag has a value.
    Flag(OfrepFlag<'a>),
    /// The flag has no value.
    Failure(OfrepFailure<'a>),
}

/// The results of all flags.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct OfrepFlags<'a> {
    /// The results, in the order of the keys of the flags.
    flags: Vec<OfrepOutcome<'a>>,
    /// The metadata of the sets of flags.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    metadata: Map<String, Value>,
}

/// Adds the schemas of flags and of their evaluation.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut Schemas) {
    let document =
        |about, field, about_field| object(about, [("required", field, about_field, any_object())]);
    let flags = "The flags by their keys. A flag has `state`, `variants`, `defaultVariant` and `targeting`.";
    all.insert("FlagSet", document("A flagd definition.", "flags", flags));
    let context =
        "The `targetingKey`, usually the player, and every other value that the targeting rules read.";
    all.insert(
        "OfrepContext",
        document("The context for which flags are evaluated.", "context", context),
    );
    let about = "Why a flag has its value. `DEFAULT` means that no targeting rule applied, so the flag has its default variant. This reason comes\nfrom flagd and is not in the list of OFREP; OpenFeature clients know it.";
    all.insert(
        "OfrepReason",
        words(
            about,
            &leaderboard_flags::Reason::ALL.map(|reason| (reason.as_str(), ())),
        ),
    );
    let about = "The kind of an error, for programs.";
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
        country: read_country(context.headers, context.env.settings().country_header.as_ref()),
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
