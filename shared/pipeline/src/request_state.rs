//! What the steps of the pipeline have found out about a request, and the steps themselves.
//!
//! [`crate::handle()`] lists the steps in their order. A step refuses a request by returning a problem.

use std::borrow::Cow;
use std::rc::Rc;

use http::request;
use leaderboard_api::tenant_record::TenantState;
use leaderboard_api::{
    ApiVersion, Credential, FunctionName, Identity, IntegerFormat, JsonForm, MediaType, PathParams,
    Permission, Problem, ProblemType, media,
};
use leaderboard_auth::{self as auth, AuthThrottle};
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_rate_limit::{RateLimiter, RouteCharge};
use leaderboard_telemetry::{Level, LogRecord};
use leaderboard_tenant_config::{FlagTarget, TenantConfig};

use crate::anonymous_charge::AnonymousCharge;
use crate::audit::AuditContext;
use crate::endpoint::Routes;
use crate::route::{Route, RouteHead, RouteMatch, RouteTable, Verb, find_route};
use crate::version::RequestedVersion;
use crate::{
    Body, PipelineEnvironment, RequestBody, client_address, idempotency, read_country, size, switches,
    tenant, trace, version,
};

/// A request on its way through the pipeline. Every field has a safe value until its step has run.
pub(crate) struct RequestState<'a, E, B> {
    pub env: &'a E,
    pub head: &'a request::Parts,
    /// The body, or `None` once it has been read.
    pub unread: Option<B>,
    /// The record for the access log, which is written for refused requests too.
    pub log: LogRecord,
    /// What the audit log records if the credential is refused. It has the client's address.
    pub audit: AuditContext,
    /// The charge for each other caller without a credential who gets the same response.
    pub anonymous_charge: Option<AnonymousCharge>,
    pub requested: RequestedVersion<'a>,
    /// Whether the request has the operator's key.
    pub is_operator: bool,
    pub throttle: AuthThrottle,
    pub tenant_in_address: Option<TenantId>,
    /// The query without the parameter that names the tenant.
    pub query: Cow<'a, str>,
    pub identity: Identity,
    pub tenant: TenantId,
    pub tenant_config: Rc<TenantConfig>,
    /// The instant before the body is read.
    pub began_at: Timestamp,
}

/// The route of a request, and the parameters of its path.
pub(crate) struct MatchedRoute<'a, R: 'static> {
    pub route: &'static Route<R>,
    pub params: PathParams<'a>,
}

/// A request that its handler can answer.
pub(crate) struct PreparedCall<R> {
    pub route: R,
    pub version: ApiVersion,
    pub accepted: JsonForm,
    pub body: bytes::Bytes,
}

impl<'a, E: PipelineEnvironment, B: RequestBody> RequestState<'a, E, B> {
    /// Step "trace": creates the state. Uses the client's trace id, or a new one.
    pub(crate) fn start(env: &'a E, head: &'a request::Parts, body: B) -> Self {
        let (trace_id, request_id) = trace::choose_ids(&head.headers, || env.new_trace_id());
        Self {
            env,
            head,
            unread: Some(body),
            log: LogRecord {
                level: Level::Info,
                trace_id,
                request_id,
                method: Verb::log_name(&head.method),
                route: None,
                status: 0,
                tenant: None,
                problem: None,
                cause: None,
                reused: None,
                duration_us: 0,
                api_version: None,
            },
            audit: AuditContext::default(),
            anonymous_charge: None,
            requested: RequestedVersion::unversioned(head.uri.path()),
            is_operator: false,
            throttle: AuthThrottle::default(),
            tenant_in_address: None,
            query: Cow::Borrowed(head.uri.query().unwrap_or("")),
            identity: Identity::anonymous(),
            tenant: env.settings().default_tenant.clone(),
            tenant_config: env.tenant_config_state().configs.defaults(),
            began_at: env.now(),
        }
    }

    /// Step "version": reads the version that the path or a header names.
    pub(crate) fn read_version(&mut self) -> Result<(), Problem> {
        self.requested = version::read_requested(self.head.uri.path(), &self.head.headers)?;
        self.log.api_version = self.requested.version;
        Ok(())
    }

    /// Step "route": finds the route of the method and the path.
    pub(crate) fn match_route<R>(&mut self, table: RouteTable<R>) -> Result<MatchedRoute<'a, R>, Problem> {
        match find_route(
            table,
            self.requested.base,
            &self.head.method,
            self.requested.below,
        ) {
            RouteMatch::Route(route, params) => {
                self.log.route = Some(route.head.pattern);
                Ok(MatchedRoute { route, params })
            }
            RouteMatch::OtherMethods(allow) => Err(Problem::method_not_allowed(&allow)),
            RouteMatch::Nothing => Err(Problem::new(ProblemType::NotFound)),
        }
    }

    /// Step "authenticate", part 1: refuses an address that has sent too many invalid credentials.
    pub(crate) async fn check_failed_authentications(&mut self, route: &RouteHead) -> Result<(), Problem> {
        let headers = &self.head.headers;
        self.audit.client = client_address(headers, &self.env.settings().trusted_proxies);
        if route.looks_at_credentials() {
            self.throttle = AuthThrottle::check_refused(self.env, headers, self.audit.client).await?;
        }
        Ok(())
    }

    /// Step "authenticate", part 2: refuses an address that the operator does not admit.
    ///
    /// This comes before any other credential is verified, so that such an address cannot try credentials. The operator's key
    /// works from every address, because the operator must be able to repair a wrong list of addresses.
    pub(crate) async fn check_operator_addresses(&mut self, route: &RouteHead) -> Result<(), Problem> {
        self.is_operator = auth::is_operator(self.env, &self.head.headers);
        if !self.is_operator
            && !route.from_anywhere
            && !auth::read_operator_rules(self.env)
                .await?
                .admit(self.audit.client)
        {
            self.throttle.charge_failed_authentication(self.env);
            return Err(Problem::new(ProblemType::AddressDenied));
        }
        Ok(())
    }

    /// Step "authenticate", part 3: reads the tenant that the address of a read names, and removes it from the query.
    pub(crate) fn read_tenant_in_address(&mut self, permission: Permission) -> Result<(), Problem> {
        let query = self.head.uri.query().unwrap_or("");
        (self.tenant_in_address, self.query) = tenant::read_from_query(permission, query)?;
        Ok(())
    }

    /// Step "authenticate", part 4: verifies the credential. A route that needs no permission leaves the caller anonymous.
    pub(crate) async fn authenticate(&mut self, permission: Permission) -> Result<(), Problem> {
        if !permission.requires_auth() {
            return Ok(());
        }
        self.identity = if self.is_operator {
            Identity::operator()
        } else {
            self.verify_credential(permission).await?
        };
        self.audit.set_identity(&self.identity);
        Ok(())
    }

    async fn verify_credential(&self, permission: Permission) -> Result<Identity, Problem> {
        self.throttle.check_unanswered(self.env, permission)?;
        match auth::identify_caller(self.env, &self.head.headers, self.audit.client, permission).await {
            Ok(identity) => Ok(identity),
            Err(refusal) => {
                self.throttle.charge_refusal(self.env, &refusal);
                Err(self.throttle.charge_failure(self.env, permission, refusal).await)
            }
        }
    }

    /// Step "tenant": finds the tenant that the request is about.
    pub(crate) fn find_tenant(&mut self, permission: Permission) -> Result<(), Problem> {
        if permission.requires_auth() {
            self.tenant = tenant::choose_tenant(
                &self.head.headers,
                self.tenant_in_address.as_ref(),
                &self.identity,
                &self.env.settings().default_tenant,
            )?;
            self.log.tenant = Some(self.tenant.to_string());
        }
        Ok(())
    }

    /// Step "authorise", part 1: checks the permission that the route needs.
    pub(crate) async fn authorise(&self, permission: Permission) -> Result<(), Problem> {
        auth::authorise(&self.identity, permission)?;
        if permission == Permission::Read {
            // A tenant that this instance does not know costs a call to the store, and an anonymous caller can name any.
            auth::check_address(self.env, &self.identity, self.audit.client, &self.tenant).await?;
        }
        Ok(())
    }

    /// Step "authorise", part 2: loads the tenant's configuration.
    ///
    /// A route that needs no permission, or that belongs to the operator, also works without the configuration. A read continues
    /// while the store is unavailable, because the cache can still answer it.
    pub(crate) async fn load_tenant_config(&mut self, permission: Permission) -> Result<(), Problem> {
        if !permission.requires_auth() || permission == Permission::Operator {
            return Ok(());
        }
        self.tenant_config = match TenantConfig::load(self.env, &self.tenant).await {
            Ok(tenant_config) => tenant_config,
            Err(StoreError::Unavailable(_)) if permission.is_read() => {
                TenantConfig::load_operator_defaults(self.env).await
            }
            Err(error) if self.is_operator => return Err(error.into()),
            Err(error) => {
                return Err(self
                    .throttle
                    .charge_failure(self.env, permission, error.into())
                    .await);
            }
        };
        Ok(())
    }

    /// Step "authorise", part 3: refuses a request of a suspended tenant, and a request from an address that the tenant does not
    /// admit. The operator is not refused.
    pub(crate) fn check_tenant(&self) -> Result<(), Problem> {
        if self.identity.credential == Credential::Operator {
            return Ok(());
        }
        if self.tenant_config.tenant.state == TenantState::Suspended {
            return Err(Problem::new(ProblemType::TenantSuspended));
        }
        if !self.tenant_config.limits.admit(self.audit.client) {
            return Err(Problem::new(ProblemType::AddressDenied));
        }
        Ok(())
    }

    /// Step "limits": refuses a caller that has used up a rate limit.
    pub(crate) async fn enter_rate_limiter(&self, charge: RouteCharge) -> Result<RateLimiter, Problem> {
        let caller = (&self.identity, self.audit.client);
        RateLimiter::admit(
            self.env,
            charge,
            caller,
            &self.tenant,
            self.tenant_config.limits(),
        )
        .await
    }

    /// Step "body": waits for the body. No earlier step waits for it, so a caller whom an earlier step refuses cannot hold a
    /// request open by sending its body slowly.
    pub(crate) async fn wait_for_body(&mut self, rate_limiter: &mut RateLimiter) -> Result<Body, Problem> {
        self.began_at = self.env.now();
        match self.unread.take() {
            Some(unread) => {
                rate_limiter
                    .wait_for_body(self.env, &self.tenant, unread.read())
                    .await
            }
            None => Ok(Body::Bytes(bytes::Bytes::new())),
        }
    }

    /// Step "handler", part 1: checks the headers and the body against the route, and parses the path. It evaluates the
    /// tenant's flags, so it comes after the limits.
    pub(crate) fn prepare_call<P: Routes>(
        &mut self,
        matched: &MatchedRoute<'_, P::Route>,
        body: Body,
    ) -> Result<PreparedCall<P::Route>, Problem> {
        let body = size::within_limit(body)?;
        let (route, headers) = (&matched.route.head, &self.head.headers);
        let subject = self.subject();
        if const { switches::has_switch(P::FUNCTION) } {
            switches::check_writes(self.env, route, &self.tenant_config, &subject)?;
        }
        let version = match subject.version {
            Some(version) => version,
            // Routes of `ops` belong to no tenant and have one version. So its component is built without the evaluation of flags.
            None if const { matches!(P::FUNCTION, FunctionName::Ops) } => ApiVersion::V1,
            None => version::default_version(self.env, &self.tenant_config, &subject),
        };
        if version::is_of_the_api(self.head.uri.path()) {
            self.log.api_version = Some(version);
        }
        idempotency::check_header(route, headers)?;
        media::check_content(route.body, headers, &body)?;
        let media_type = match route.offers {
            // The client prefers the other media type, so the type of a JSON response does not matter.
            Some(other) if media::prefers(headers, other) => MediaType::Json,
            _ => media::accepted(headers, version)?,
        };
        Ok(PreparedCall {
            version,
            accepted: JsonForm {
                media_type,
                integers: IntegerFormat::requested(headers)?,
            },
            route: (matched.route.build)(&matched.params)?,
            body,
        })
    }

    /// Returns the player or caller for whom the tenant's flags are evaluated.
    fn subject(&self) -> FlagTarget<'_> {
        FlagTarget {
            tenant: &self.tenant,
            player: self.identity.player.as_ref(),
            client: self.audit.client,
            country: read_country(&self.head.headers, self.env.settings().country_header.as_ref()),
            version: self.requested.version,
        }
    }
}
