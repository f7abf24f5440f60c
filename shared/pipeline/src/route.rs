//! Routes: a method, a pattern, the permission that the caller needs, and the typed route that a request becomes.

use http::Method;
use leaderboard_api::{BodyKind, FunctionName, Permission};
use leaderboard_rate_limit::{Charging, RouteCharge};

use leaderboard_api::{PathParams, Problem};

/// The methods of routes. The route of `GET` also answers `HEAD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `GET`: read.
    Get,
    /// `PUT`: create or replace.
    Put,
    /// `PATCH`: change in part.
    Patch,
    /// `POST`: submit.
    Post,
    /// `DELETE`: remove.
    Delete,
}

impl Verb {
    /// Returns the verb of a request's method, or `None` for a method that no route has.
    #[must_use]
    pub fn of(method: &Method) -> Option<Self> {
        match method.as_str() {
            "GET" | "HEAD" => Some(Self::Get),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "POST" => Some(Self::Post),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }

    /// Returns the name of a request's method for the access log. A client can send any token as a method, so an unknown one is
    /// logged as `OTHER`.
    pub(crate) fn log_name(method: &Method) -> &'static str {
        if method == Method::HEAD {
            return "HEAD";
        }
        Self::of(method).map_or("OTHER", Self::name)
    }

    /// Returns the method's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// Returns the methods that this verb adds to an `Allow` header.
    #[must_use]
    pub const fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            other => other.name(),
        }
    }
}

/// Where the pattern of a route begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Below `/api/v1`, `/api/v2` and `/api`: the route exists in every version.
    Api,
    /// At the root: the route has no API version, for example the OpenAPI document.
    Root,
    /// At the root and below `/api`, for addresses that health probes and metrics collectors expect at the root.
    RootAndApi,
}

impl Base {
    /// Returns whether a route with this base matches an address below `of_address`, which is `Api` or `Root`.
    const fn includes(self, of_address: Self) -> bool {
        matches!(
            (self, of_address),
            (Self::RootAndApi, _) | (Self::Api, Self::Api) | (Self::Root, Self::Root)
        )
    }
}

/// Makes a typed route from the parameters of the path.
pub type BuildRoute<R> = fn(&PathParams<'_>) -> Result<R, Problem>;

/// What a route is, without what it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteHead {
    /// The method.
    pub verb: Verb,
    /// Where the pattern begins.
    pub base: Base,
    /// The path below the base: literal segments and `:name` parameters, e.g.
    /// `/leaderboards/:leaderboard/scores`.
    pub pattern: &'static str,
    /// The permission that the caller needs.
    pub permission: Permission,
    /// The body that a request has.
    pub body: BodyKind,
    /// The media type of responses that the route offers besides JSON.
    pub offers: Option<&'static str>,
    /// When a request is charged.
    pub charging: Charging,
    /// Whether repeated requests with the same `Idempotency-Key` take effect once.
    pub takes_idempotency_key: bool,
    /// Whether the route works while writes are switched off, because an operator can need it during an incident.
    pub in_incidents: bool,
    /// Whether the route works while the store is out of memory, because it deletes data or is needed then. It does not fail when
    /// the store refuses its rate-limit charge or its audit record.
    pub frees_memory: bool,
    /// Whether the route answers clients at addresses that the operator does not admit.
    pub from_anywhere: bool,
    /// Whether a program sends the request all the time, so that the audit log does not record it.
    pub is_routine: bool,
}

/// One route. `R` is the function's own enum of routes.
#[derive(Debug, Clone, Copy)]
pub struct Route<R> {
    /// What the route is.
    pub head: RouteHead,
    /// Makes the typed route from the parameters of the path.
    pub build: BuildRoute<R>,
}

impl RouteHead {
    /// Returns how requests of this route are charged, when `function` serves it.
    pub(crate) const fn charge(&self, function: FunctionName) -> RouteCharge {
        RouteCharge {
            function,
            charging: self.charging,
            is_read: self.permission.is_read(),
            frees_memory: self.frees_memory,
        }
    }

    /// Returns whether the response depends on a credential.
    pub const fn looks_at_credentials(&self) -> bool {
        !matches!(self.permission, Permission::Open) || !self.from_anywhere
    }

    /// Returns whether the audit log records requests of this route: they change a configuration or delete something. Submissions are
    /// not recorded.
    #[must_use]
    pub fn is_administrative(&self) -> bool {
        match self.verb {
            _ if self.is_routine => false,
            Verb::Get => false,
            Verb::Delete => true,
            Verb::Put | Verb::Patch | Verb::Post => {
                matches!(self.permission, Permission::Admin | Permission::Operator)
            }
        }
    }
}

impl<R> Route<R> {
    /// Creates a route that reads.
    #[must_use]
    pub const fn get(pattern: &'static str, permission: Permission, build: BuildRoute<R>) -> Self {
        Self::new(Verb::Get, pattern, permission, build)
    }

    /// Creates a route that creates or replaces what its JSON body describes.
    #[must_use]
    pub const fn put(pattern: &'static str, permission: Permission, build: BuildRoute<R>) -> Self {
        Self::new(Verb::Put, pattern, permission, build).with_body(BodyKind::Json)
    }

    /// Creates a route that changes a document by a merge patch.
    #[must_use]
    pub const fn patch(pattern: &'static str, permission: Permission, build: BuildRoute<R>) -> Self {
        Self::new(Verb::Patch, pattern, permission, build).with_body(BodyKind::MergePatch)
    }

    /// Creates a route whose requests have no body unless [`Route::with_body`] says otherwise.
    #[must_use]
    pub const fn post(pattern: &'static str, permission: Permission, build: BuildRoute<R>) -> Self {
        Self::new(Verb::Post, pattern, permission, build)
    }

    /// Creates a route that deletes, and so works while the store is out of memory.
    #[must_use]
    pub const fn delete(pattern: &'static str, permission: Permission, build: BuildRoute<R>) -> Self {
        Self::new(Verb::Delete, pattern, permission, build).frees_memory()
    }

    const fn new(verb: Verb, pattern: &'static str, permission: Permission, build: BuildRoute<R>) -> Self {
        let head = RouteHead {
            verb,
            base: Base::Api,
            pattern,
            permission,
            body: BodyKind::None,
            offers: None,
            charging: match (permission, verb) {
                (Permission::Open | Permission::MetricsKey, _) => Charging::Nothing,
                (Permission::Read | Permission::Identified, _) | (_, Verb::Get) => Charging::Locally,
                (
                    Permission::Write | Permission::ServerWrite | Permission::Admin | Permission::Operator,
                    _,
                ) => Charging::BeforeHandler,
            },
            takes_idempotency_key: false,
            in_incidents: false,
            frees_memory: false,
            from_anywhere: false,
            is_routine: false,
        };
        Self { head, build }
    }

    /// Returns the route; repeated requests with the same `Idempotency-Key` take effect once.
    #[must_use]
    pub const fn with_idempotency_key(mut self) -> Self {
        self.head.takes_idempotency_key = true;
        self
    }

    /// Returns the route; it works while writes are switched off.
    #[must_use]
    pub const fn in_incidents(mut self) -> Self {
        self.head.in_incidents = true;
        self
    }

    /// Returns the route; it works while the store is out of memory.
    #[must_use]
    pub const fn frees_memory(mut self) -> Self {
        self.head.frees_memory = true;
        self
    }

    /// Returns the route of a deletion; it does not work while the store is out of memory.
    #[must_use]
    pub const fn needs_memory(mut self) -> Self {
        self.head.frees_memory = false;
        self
    }

    /// Returns the route; this instance charges its requests, so it works while the store is unavailable.
    #[must_use]
    pub const fn charged_locally(mut self) -> Self {
        self.head.charging = Charging::Locally;
        self
    }

    /// Returns the route; its handler charges the request in the same call that writes.
    #[must_use]
    pub const fn charged_in_call(mut self) -> Self {
        self.head.charging = Charging::InCall;
        self
    }

    /// Returns the route; it answers addresses that the operator does not admit, as health probes need.
    #[must_use]
    pub const fn from_anywhere(mut self) -> Self {
        self.head.from_anywhere = true;
        self
    }

    /// Returns the route; the audit log does not record its requests, which a program sends all the time.
    #[must_use]
    pub const fn as_routine(mut self) -> Self {
        self.head.is_routine = true;
        self
    }

    /// Returns the route with a pattern that begins at the root.
    #[must_use]
    pub const fn at_root(mut self) -> Self {
        self.head.base = Base::Root;
        self
    }

    /// Returns the route with a pattern that begins at the root and below `/api`.
    #[must_use]
    pub const fn also_at_root(mut self) -> Self {
        self.head.base = Base::RootAndApi;
        self
    }

    /// Returns the route; it can also answer in this media type.
    #[must_use]
    pub const fn offering(mut self, media_type: &'static str) -> Self {
        self.head.offers = Some(media_type);
        self
    }

    /// Returns the route with a body of this kind.
    #[must_use]
    pub const fn with_body(mut self, body: BodyKind) -> Self {
        self.head.body = body;
        self
    }
}

/// The routes of a function. The first route that matches a request answers it.
pub type RouteTable<R> = &'static [Route<R>];

/// The result of looking up a method and a path.
#[derive(Debug)]
pub(crate) enum RouteMatch<'t, 'p, R> {
    /// A route matches; with the parameters of the path, not decoded yet.
    Route(&'t Route<R>, PathParams<'p>),
    /// The path exists for other methods; the value of `Allow`.
    OtherMethods(String),
    /// No route has this path.
    Nothing,
}

/// Finds the route of a method and of the path below a base.
pub(crate) fn find_route<'t, 'p, R>(
    table: &'t [Route<R>],
    base: Base,
    method: &Method,
    path: &'p str,
) -> RouteMatch<'t, 'p, R> {
    let verb = Verb::of(method);
    let mut allowed: Vec<&'static str> = Vec::new();
    for route in table {
        let head = &route.head;
        if !head.base.includes(base) {
            continue;
        }
        let Some(params) = PathParams::capture(head.pattern, path) else {
            continue;
        };
        if verb == Some(head.verb) {
            return RouteMatch::Route(route, params);
        }
        if !allowed.contains(&head.verb.allow()) {
            allowed.push(head.verb.allow());
        }
    }
    if allowed.is_empty() {
        RouteMatch::Nothing
    } else {
        RouteMatch::OtherMethods(allowed.join(", "))
    }
}

#[cfg(test)]
mod tests;
