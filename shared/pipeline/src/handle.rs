//! The pipeline: every step of a request, in order.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, VARY};
use http::{HeaderValue, Method, StatusCode};
use leaderboard_api::{LaterBody, Problem, ProblemType, Response, describe};
use leaderboard_rate_limit::RateLimiter;
use leaderboard_telemetry::{Level, LogRecord, metrics};

use crate::anonymous_charge::AnonymousCharge;
use crate::audited_action::AuditedAction;
use crate::micro_cache::MicroCacheEntry;
use crate::request_state::{MatchedRoute, PreparedCall, RequestState};
use crate::route::Verb;
use crate::trace::REQUEST_ID;
use crate::{
    Context, Endpoint, PipelineEnvironment, RequestBody, admit, audit, cdn, is_secure, missing, security,
    size,
};

/// The request headers that a response depends on, as `Vary` lists them.
const VARY_BY: &str =
    "Accept, Accept-Encoding, API-Integers, API-Version, Authorization, X-API-Key, X-Tenant-ID";

/// A finished response, and its record for the access log.
#[derive(Debug)]
pub struct HandledRequest {
    /// The response; with the first part of its body, if there is a later body.
    pub response: http::Response<Bytes>,
    /// What sends the further parts of the body; `None` if the response is complete.
    pub later_body: Option<LaterBody>,
    /// The record for the access log. The caller adds the duration.
    pub log: LogRecord,
    /// The response for the micro-cache, if other callers may get it too.
    pub reusable: Option<MicroCacheEntry>,
}

/// Answers a request. A refusal or an error becomes a problem document, so this function always returns a response.
pub async fn handle<P: Endpoint<E>, E: PipelineEnvironment, B: RequestBody>(
    env: &E,
    request: http::Request<B>,
) -> HandledRequest {
    let (head, body) = request.into_parts();
    let mut request = RequestState::start(env, &head, body);
    let answer = run_steps::<P, E, B>(&mut request).await;
    finish_request::<P, E, B>(request, answer)
}

/// Runs the steps. If a step refuses the request, the later steps do not run.
async fn run_steps<P: Endpoint<E>, E: PipelineEnvironment, B: RequestBody>(
    request: &mut RequestState<'_, E, B>,
) -> Result<Response, Problem> {
    size::check_head(request.head)?;
    request.read_version()?;
    let matched = request.match_route(P::table())?;
    let route = &matched.route.head;
    let permission = route.permission;
    request.check_failed_authentications(route).await?;
    request.check_operator_addresses(route).await?;
    request.read_tenant_in_address(permission)?;
    request.authenticate(permission).await?;
    request.find_tenant(permission)?;
    request.authorise(permission).await?;
    request.load_tenant_config(permission).await?;
    request.check_tenant()?;
    let mut rate_limiter = request.enter_rate_limiter(route.charge(P::FUNCTION)).await?;
    let body = request.wait_for_body(&mut rate_limiter).await?;
    let mut charged_before = None;
    let mut answer = match request.prepare_call::<P>(&matched, body) {
        Ok(call) => {
            charged_before = rate_limiter
                .charge_before_handler(request.env, &request.tenant)
                .await?;
            call_handler::<P, E, B>(request, &matched, &rate_limiter, call).await
        }
        Err(problem) => Err(problem),
    };
    let decision = take_rate_limit_decision(&mut answer).or(charged_before);
    rate_limiter.finish_response(request.env, &request.tenant, decision, answer)
}

/// Step "handler", part 2: answers a request that has passed all other steps, and records how an administrative action ended.
async fn call_handler<P: Endpoint<E>, E: PipelineEnvironment, B: RequestBody>(
    request: &mut RequestState<'_, E, B>,
    matched: &MatchedRoute<'_, P::Route>,
    rate_limiter: &RateLimiter,
    call: PreparedCall<P::Route>,
) -> Result<Response, Problem> {
    let context = Context {
        env: request.env,
        // Time passes while a body arrives, so the clock is read again.
        now: if call.body.is_empty() {
            request.began_at
        } else {
            request.env.clock()
        },
        tenant: &request.tenant,
        caller: request.identity.caller(),
        identity: &request.identity,
        client: request.audit.client,
        tenant_config: request.tenant_config.clone(),
        rate_limiter,
        query: &request.query,
        headers: &request.head.headers,
        body: &call.body,
        version_in_path: request.requested.in_path,
        tenant_in_address: request.tenant_in_address.is_some(),
        version: call.version,
        accepted: call.accepted,
        trace_id: &request.log.trace_id,
        action: AuditedAction::of(&matched.route.head, &matched.params),
    };
    request.anonymous_charge = AnonymousCharge::of(&context, &matched.route.head);
    let answer = P::handle_route(&context, call.route)
        .await
        .map_err(|problem| missing::name_missing(problem, &matched.params, &request.query));
    if let Some(cause) = audit::record_action_result(&context, &answer).await {
        request.log.level = Level::Error;
        request.log.cause = Some(cause);
    }
    answer
}

/// Returns the store's rate-limit decision, if the store charged the request in the same call that wrote.
fn take_rate_limit_decision(
    answer: &mut Result<Response, Problem>,
) -> Option<leaderboard_core::ports::RateLimitDecision> {
    match answer {
        Ok(response) => response.rate_limit_decision.take(),
        Err(problem) => problem.take_rate_limit_decision(),
    }
}

/// Makes the response, and records the request for the access log and the metrics.
fn finish_request<P: Endpoint<E>, E: PipelineEnvironment, B: RequestBody>(
    mut request: RequestState<'_, E, B>,
    answer: Result<Response, Problem>,
) -> HandledRequest {
    let (env, head) = (request.env, request.head);
    let mut response = answer.unwrap_or_else(|problem| refuse_request::<P, E, B>(&mut request, problem));
    if let Some(unread) = request.unread {
        unread.discard();
    }
    let mut log = request.log;
    if response.status.is_server_error() {
        log.level = Level::Error;
        log.cause = response.cause.take().or(log.cause.take());
    }
    if let Some(version) = log.api_version {
        let deprecation = env.settings().deprecation.as_ref();
        describe(&mut response.headers, version, head.uri.path(), deprecation);
    }
    let reuse_until = response.reuse_until;
    let later_body = response.later_body.take_if(|_| head.method != Method::HEAD);
    let secure = is_secure(&head.headers, &env.settings().trusted_proxies);
    let is_complete = later_body.is_none();
    let mut response = finish_response(response, is_complete, &head.method, &log.trace_id, secure);
    let origins = &env.settings().cors_origins;
    if admit(origins, &head.method, &head.headers, &mut response) {
        log.problem = None;
    }
    log.status = response.status().as_u16();
    env.counts().count_request(response.status());
    metrics::schedule_flush(env, P::FUNCTION);
    let reusable = reuse_until
        .zip(request.anonymous_charge)
        .and_then(|reuse| MicroCacheEntry::new(reuse, &response, &log));
    HandledRequest {
        response,
        later_body,
        log,
        reusable,
    }
}

/// Turns a problem into its response, and records it.
fn refuse_request<P: Endpoint<E>, E: PipelineEnvironment, B: RequestBody>(
    request: &mut RequestState<'_, E, B>,
    problem: Problem,
) -> Response {
    let (env, head, log) = (request.env, request.head, &mut request.log);
    log.problem = Some(problem.kind.uri());
    audit::collect_refusal(env, &head.headers, &request.audit, &problem, &log.trace_id);
    if problem.kind == ProblemType::Unavailable && Verb::of(&head.method) != Some(Verb::Get) {
        leaderboard_rate_limit::count_refused_change(env, P::FUNCTION);
    }
    problem.into_response(&log.trace_id)
}

/// Adds the headers that every response has, and removes the body where HTTP allows none. A response that is not complete gets no
/// `Content-Length`.
fn finish_response(
    mut response: Response,
    is_complete: bool,
    method: &Method,
    trace_id: &str,
    secure: bool,
) -> http::Response<Bytes> {
    if !cdn::limit_sharing(&mut response.headers)
        && let Ok(value) = HeaderValue::from_str(trace_id)
    {
        response.headers.insert(REQUEST_ID, value);
    }
    response.headers.insert(VARY, HeaderValue::from_static(VARY_BY));
    security::add_security_headers(&mut response.headers, secure);
    let bodiless = matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless || method == Method::HEAD {
        // A response to HEAD may omit its length (RFC 9110, section 8.6). Some hosts would wait for as many bytes.
        response.body = Bytes::new();
    } else if is_complete {
        let length = HeaderValue::from(response.body.len());
        response.headers.insert(CONTENT_LENGTH, length);
    }
    let mut finished = http::Response::new(response.body);
    *finished.status_mut() = response.status;
    *finished.headers_mut() = response.headers;
    finished
}
