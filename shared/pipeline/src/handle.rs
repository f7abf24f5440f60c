//! The way of a request: every step, in order.

use leaderboard_api::{MediaType, media};
use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderName, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use leaderboard_core::{StoreError, TenantId};

use crate::PipelineEnvironment;
use crate::anonymous_charge::AnonymousCharge;
use crate::audit;
use crate::audit::{AuditContext, AuditedAction};
use crate::idempotency;
use crate::micro_cache::MicroCacheEntry;
use crate::route::{Route, RouteMatch, Verb, find};
use crate::{Context, Endpoint, cdn, missing, security, size, switches, tenant, trace, version};
use crate::{RequestBody, admit, client_address, country, is_secure};
use leaderboard_api::FunctionName;
use leaderboard_api::IntegerFormat;
use leaderboard_api::PathParams;
use leaderboard_api::Permission;
use leaderboard_api::tenant_record::TenantState;
use leaderboard_api::{ApiVersion, describe};
use leaderboard_api::{Credential, Identity};
use leaderboard_api::{JsonForm, Response};
use leaderboard_api::{Problem, ProblemType};
use leaderboard_auth::{self as auth, AuthThrottle};
use leaderboard_identity::hex::encode as hex;
use leaderboard_rate_limit::RateLimiter;
use leaderboard_telemetry::metrics;
use leaderboard_telemetry::{Level, LogRecord};
use leaderboard_tenant_config::{FlagTarget, TenantConfig};

/// Answers with the trace id, so that a client can report it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What an answer depends on beside its address.
const VARY_BY: &str =
    "Accept, Accept-Encoding, API-Integers, API-Version, Authorization, X-API-Key, X-Tenant-ID";

/// A finished answer and what to log of it.
#[derive(Debug)]
pub struct HandledRequest {
    /// The answer, whole.
    pub response: http::Response<Bytes>,
    /// One line for the log; the caller adds how long it took.
    pub log: LogRecord,
    /// The answer once more, where anybody who asks the same may be given it.
    pub repeatable: Option<MicroCacheEntry>,
}

/// Answers a request. Nothing gets out of here as an error: what goes wrong is a problem document.
pub async fn handle<P: Endpoint<E>, E: PipelineEnvironment, B: RequestBody>(
    env: &E,
    request: http::Request<B>,
) -> HandledRequest {
    let (head, body) = request.into_parts();
    let mut body = Some(body);
    let own_id = || hex(&env.new_trace_id());
    // A client can send the same trace id with every request, so the log has an id that it did not choose.
    let (trace_id, request_id) = match trace::continued(&head.headers) {
        Some(id) => (id.to_owned(), Some(own_id())),
        None => (own_id(), None),
    };
    let mut log = LogRecord {
        level: Level::Info,
        trace_id: trace_id.clone(),
        request_id,
        method: method_name(&head.method),
        route: None,
        status: 0,
        tenant: None,
        problem: None,
        cause: None,
        repeated: None,
        duration_us: 0,
        api_version: None,
    };
    let mut trail = AuditContext::default();
    let mut terms = None;
    let mut response = match answer::<P, E, B>(env, &head, &mut body, &mut log, &mut trail, &mut terms).await
    {
        Ok(response) => response,
        Err(problem) => {
            log.problem = Some(problem.kind.uri());
            audit::refused(env, &head.headers, &trail, &problem, &trace_id);
            if problem.kind == ProblemType::Unavailable && Verb::of(&head.method) != Some(Verb::Get) {
                leaderboard_rate_limit::count_refused_change(env, P::FUNCTION);
            }
            problem.into_response(&trace_id)
        }
    };
    if let Some(unread) = body {
        unread.discard();
    }
    if response.status.is_server_error() {
        log.level = Level::Error;
        log.cause = response.cause.take().or(log.cause.take());
    }
    if let Some(version) = log.api_version {
        let deprecation = env.settings().deprecation.as_ref();
        describe(&mut response.headers, version, head.uri.path(), deprecation);
    }
    let reuse_until = response.reuse_until;
    let secure = is_secure(&head.headers, &env.settings().trusted_proxies);
    let mut response = finish(response, &head.method, &trace_id, secure);
    if admit(
        &env.settings().cors_origins,
        &head.method,
        &head.headers,
        &mut response,
    ) {
        log.problem = None;
    }
    log.status = response.status().as_u16();
    env.counts().count_request(response.status());
    metrics::schedule_flush(env, P::FUNCTION);
    let repeatable = reuse_until
        .zip(terms)
        .and_then(|repeat| MicroCacheEntry::new(repeat, &response, &log));
    HandledRequest {
        response,
        log,
        repeatable,
    }
}

async fn answer<P: Endpoint<E>, E: PipelineEnvironment, B: RequestBody>(
    env: &E,
    head: &request::Parts,
    unread: &mut Option<B>,
    log: &mut LogRecord,
    trail: &mut AuditContext,
    terms: &mut Option<AnonymousCharge>,
) -> Result<Response, Problem> {
    size::check_head(head)?;
    let asked = version::read_requested(head.uri.path(), &head.headers)?;
    log.api_version = asked.version;
    let (route, params) = match find(P::table(), asked.base, &head.method, asked.below) {
        RouteMatch::Route(route, params) => (route, params),
        RouteMatch::OtherMethods(allow) => return Err(Problem::method_not_allowed(&allow)),
        RouteMatch::Nothing => return Err(Problem::new(ProblemType::NotFound)),
    };
    log.route = Some(route.pattern);
    let settings = env.settings();
    let client = client_address(&head.headers, &settings.trusted_proxies);
    trail.client = client;
    let guard = if route.looks_at_credentials() {
        AuthThrottle::check_refused(env, &head.headers, client).await?
    } else {
        AuthThrottle::default()
    };
    // Before anything is verified: whom the operator does not let in tries no credentials. The operator's key alone goes
    // everywhere, because it must be able to set right what was set wrong.
    let of_operator = auth::is_operator(env, &head.headers);
    if !of_operator && !route.from_anywhere && !auth::read_operator_rules(env).await?.admit(client) {
        guard.charge_guess(env);
        return Err(Problem::new(ProblemType::AddressDenied));
    }
    let (in_address, query) = tenant::in_address(route.permission, head.uri.query().unwrap_or(""))?;
    let (identity, tenant) = if !route.permission.requires_auth() {
        (Identity::anonymous(), settings.default_tenant.clone())
    } else {
        let identity = if of_operator {
            Identity::operator()
        } else {
            guard.check_unanswered(env, route.permission)?;
            match auth::identify_caller(env, &head.headers, client, route.permission).await {
                Ok(identity) => identity,
                Err(refusal) => {
                    guard.charge_refusal(env, &refusal);
                    return Err(guard.charge_failure(env, route.permission, refusal).await);
                }
            }
        };
        trail.identified(&identity);
        let tenant = tenant::tenant(
            &head.headers,
            in_address.as_ref(),
            &identity,
            &settings.default_tenant,
        )?;
        log.tenant = Some(tenant.to_string());
        (identity, tenant)
    };
    auth::authorise(&identity, route.permission)?;
    if route.permission == Permission::Read {
        auth::check_address(env, &identity, client, &tenant).await?;
    }
    let tenant_config = match tenant_config(env, route.permission, &tenant).await {
        Ok(tenant_config) => tenant_config,
        Err(problem) if of_operator => return Err(problem),
        Err(problem) => return Err(guard.charge_failure(env, route.permission, problem).await),
    };
    if tenant_config.tenant.state == TenantState::Suspended && identity.credential != Credential::Operator {
        return Err(Problem::new(ProblemType::TenantSuspended));
    }
    if !tenant_config.limits.admit(client) && identity.credential != Credential::Operator {
        return Err(Problem::new(ProblemType::AddressDenied));
    }
    let subject = FlagTarget {
        tenant: &tenant,
        player: identity.player.as_ref(),
        client,
        country: country(&head.headers, settings.country_header.as_ref()),
        version: asked.version,
    };
    let mut rate_limiter = RateLimiter::admit(
        env,
        route.charge(P::FUNCTION),
        (&identity, client),
        &tenant,
        tenant_config.limits(),
    )
    .await?;
    // Only now: who is not let in by address, credential, permission or limit holds nobody up with a body.
    let began_at = env.now();
    let body = match unread.take() {
        Some(unread) => size::within_limit(rate_limiter.wait_for_body(env, &tenant, unread.read()).await?),
        None => Ok(Bytes::new()),
    };
    let ready = body.and_then(|body| {
        let ready = ready::<P, E>(env, route, (head, &body), &params, &tenant_config, &subject, log)?;
        Ok((ready, body))
    });
    let (ready, body) = match ready {
        Ok(ready) => ready,
        Err(problem) => return rate_limiter.finish_response(env, &tenant, None, Err(problem)),
    };
    let rate_limit_decision = rate_limiter.charge_before_handler(env, &tenant).await?;
    let context = Context {
        env,
        // A client may take its time over a body.
        now: if body.is_empty() { began_at } else { env.clock() },
        tenant,
        caller: identity.caller(),
        identity,
        client,
        tenant_config,
        rate_limiter: &rate_limiter,
        rate_limit_decision: RefCell::new(rate_limit_decision),
        query: &query,
        headers: &head.headers,
        body: &body,
        version_in_path: asked.in_path,
        tenant_in_address: in_address.is_some(),
        version: ready.version,
        accepted: ready.accepted,
        trace_id: &log.trace_id,
        act: AuditedAction::of(route, &params),
    };
    *terms = AnonymousCharge::of(&context, route);
    let answer = P::call(&context, ready.call).await;
    let answer = answer.map_err(|problem| missing::name_missing(problem, &params, &query));
    if let Some(cause) = audit::end(&context, &answer).await {
        log.level = Level::Error;
        log.cause = Some(cause);
    }
    let Context {
        tenant,
        rate_limit_decision,
        ..
    } = context;
    rate_limiter.finish_response(env, &tenant, rate_limit_decision.into_inner(), answer)
}

/// A request that can be served.
struct ReadyRequest<R> {
    version: ApiVersion,
    accepted: JsonForm,
    call: R,
}

/// Whether a request that is let through can be served: what its tenant's flags say of it comes after the limits.
fn ready<P: Endpoint<E>, E: PipelineEnvironment>(
    env: &E,
    route: &Route<P::Route>,
    (head, body): (&request::Parts, &[u8]),
    params: &PathParams<'_>,
    tenant_config: &TenantConfig,
    subject: &FlagTarget<'_>,
    log: &mut LogRecord,
) -> Result<ReadyRequest<P::Route>, Problem> {
    if const { switches::has_switch(P::FUNCTION) } {
        switches::check_writes(env, route, tenant_config, subject)?;
    }
    let version = match subject.version {
        Some(version) => version,
        // What is no tenant's has one version, and its component goes without the evaluation of flags.
        None if const { matches!(P::FUNCTION, FunctionName::Ops) } => ApiVersion::V1,
        None => version::default_version(env, tenant_config, subject),
    };
    if version::is_of_the_api(head.uri.path()) {
        log.api_version = Some(version);
    }
    idempotency::check_header(route, &head.headers)?;
    media::check_content(route.body, &head.headers, body)?;
    Ok(ReadyRequest {
        version,
        accepted: JsonForm {
            media_type: accepted(route.offers, &head.headers, version)?,
            integers: IntegerFormat::requested(&head.headers)?,
        },
        call: (route.build)(params)?,
    })
}

/// The name that an answer in JSON goes by; where another media type is offered and wanted, that does not matter.
fn accepted(
    offers: Option<&'static str>,
    headers: &HeaderMap,
    version: ApiVersion,
) -> Result<MediaType, Problem> {
    match offers {
        Some(other) if media::prefers(headers, other) => Ok(MediaType::Json),
        _ => media::accepted(headers, version),
    }
}

/// What is known of the tenant; nothing where a route needs nobody's leave, or is about no tenant's data. Reads go on when
/// nothing is known and the store is out of reach: what can still be answered then is answered by the cache.
async fn tenant_config<E: PipelineEnvironment>(
    env: &E,
    permission: Permission,
    tenant: &TenantId,
) -> Result<Rc<TenantConfig>, Problem> {
    if !permission.requires_auth() || permission == Permission::Operator {
        return Ok(Rc::default());
    }
    match TenantConfig::load(env, tenant).await {
        Err(StoreError::Unavailable(_)) if permission.is_read() => {
            Ok(TenantConfig::load_operator_defaults(env).await)
        }
        known => Ok(known?),
    }
}

/// Adds what every answer has, and takes away what this one may not have.
fn finish(mut response: Response, method: &Method, trace_id: &str, secure: bool) -> http::Response<Bytes> {
    if !cdn::limit_sharing(&mut response.headers)
        && let Ok(value) = HeaderValue::from_str(trace_id)
    {
        response.headers.insert(REQUEST_ID, value);
    }
    response.headers.insert(VARY, HeaderValue::from_static(VARY_BY));
    security::protect(&mut response.headers, secure);
    let bodiless = matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless || method == Method::HEAD {
        // RFC 9110 lets an answer to HEAD leave the length out, and no host can then take it for a promise.
        response.body = Bytes::new();
    } else {
        response
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(response.body.len()));
    }
    let mut finished = http::Response::new(response.body);
    *finished.status_mut() = response.status;
    *finished.headers_mut() = response.headers;
    finished
}

/// A method's name for the log; a client may send any token as a method.
fn method_name(method: &Method) -> &'static str {
    if method == Method::HEAD {
        return "HEAD";
    }
    Verb::of(method).map_or("OTHER", Verb::name)
}
