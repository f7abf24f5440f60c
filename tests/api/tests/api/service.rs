//! All families of the API over the model, and a client for them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use http::{HeaderMap, HeaderName, Method, Request, Response};
use leaderboard_api::Deprecation;
use leaderboard_api::IntegerFormat;
use leaderboard_auth::{AuthSettings, Secret};
use leaderboard_core::usecase::LeaderboardMemory;
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_environment::{Environment, Fetch, FetchError};
use leaderboard_flags_function::FlagsFunction;
use leaderboard_leaderboards_function::LeaderboardsFunction;
use leaderboard_limits_function::LimitsFunction;
use leaderboard_openapi::conformance::{self, Exchange};
use leaderboard_ops_function::OpsFunction;
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_pipeline::{
    Base, Body, CdnKeyHeaders, CorsOrigins, Endpoint, HandledRequest, MicroCacheHit, MicroCacheKey,
    RawHeaders, Routes, Settings, TrustedProxies, handle, keep, repeated,
};
use leaderboard_ranks_function::RanksFunction;
use leaderboard_responses::InstanceState;
use leaderboard_score_messages::MessageReport;
use leaderboard_scores_function::ScoresFunction;
use leaderboard_telemetry::LogRecord;
use leaderboard_tenants_function::TenantsFunction;
use serde_json::Value;

use crate::store::{Region, Store, turn};

/// How long after a change every reader of a region sees it: two windows, and the trust of an instance in its memory.
pub(crate) const SHOWS_AFTER_MS: i64 = 70;

/// How long after a change a leaderboard counts as changing.
pub(crate) const CHANGES_FOR_MS: i64 = 1_000;

pub(crate) const KEY: &str = "the-operators-key";
pub(crate) const METRICS_KEY: &str = "the-key-for-metrics";

/// Whether a family has a path, as the manifest routes it: with a version or without one.
fn serves<P: Routes>(path: &str) -> bool {
    let fits = |pattern: &str| {
        let (expected, segments): (Vec<_>, Vec<_>) =
            (pattern.split('/').collect(), path.split('/').collect());
        expected.len() == segments.len()
            && expected
                .iter()
                .zip(&segments)
                .all(|(expected, segment)| expected.starts_with(':') || expected == segment)
    };
    P::table().iter().any(|route| match route.base {
        Base::Root => fits(route.pattern),
        Base::RootAndApi => ["", "/api", "/api/:version"]
            .iter()
            .any(|base| fits(&format!("{base}{}", route.pattern))),
        Base::Api => ["/api", "/api/:version"]
            .iter()
            .any(|base| fits(&format!("{base}{}", route.pattern))),
    })
}

/// A service with an empty store.
#[derive(Clone)]
pub(crate) struct Service(Rc<World>);

pub(crate) struct World {
    pub(crate) store: Rc<Store>,
    pub(crate) region: Rc<Region>,
    passed_ms: Rc<Cell<i64>>,
    /// Whether the clock goes on while somebody pauses.
    pub(crate) pauses_take_time: Rc<Cell<bool>>,
    /// Whether the store is elsewhere, so that the region caches what it says.
    pub(crate) store_is_remote: Rc<Cell<bool>>,
    /// Something was written, and no time has passed since.
    written: Cell<bool>,
    boards: LeaderboardMemory,
    state: InstanceState,
    later: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
}

impl std::ops::Deref for Service {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

/// There is no other service.
pub(crate) struct NoFetch;

impl Fetch for NoFetch {
    async fn get(&self, _url: &str, _max_bytes: usize) -> Result<Bytes, FetchError> {
        Err(FetchError::Unreachable("there is no network".to_owned()))
    }
}

impl Environment for Service {
    type State = InstanceState;
    type Store = Store;
    type Cache = Region;
    type Fetch = NoFetch;

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn region(&self) -> &Region {
        &self.0.region
    }

    fn fetch(&self) -> &NoFetch {
        &NoFetch
    }

    fn state(&self) -> &InstanceState {
        &self.0.state
    }

    fn clock(&self) -> Timestamp {
        self.now()
    }

    fn random(&self) -> Result<[u8; 32], StoreError> {
        Ok([9; 32])
    }

    fn later(&self, work: impl Future<Output = ()> + 'static) {
        self.0.later.borrow_mut().push(work.boxed_local());
    }

    async fn pause(&self, milliseconds: u64) {
        if self.0.pauses_take_time.get() {
            self.pass_ms(i64::try_from(milliseconds).unwrap());
        }
        turn().await;
    }

    fn cache(&self) -> Option<&Region> {
        self.0.store_is_remote.get().then_some(&*self.0.region)
    }

    fn boards(&self) -> &LeaderboardMemory {
        &self.0.boards
    }

    fn now(&self) -> Timestamp {
        let start = Timestamp::parse("2026-07-19T21:04:00Z").unwrap();
        start.saturating_add_ms(self.0.passed_ms.get())
    }

    fn default_tenant(&self) -> &TenantId {
        &self.settings().default_tenant
    }

    fn changes_channel(&self) -> Option<&Rc<str>> {
        self.settings().changes_channel.as_ref()
    }

    fn new_trace_id(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// Every answer is what the description of the API says.
pub(crate) fn assert_described(method: &Method, path: &str, response: &http::Response<Bytes>) {
    let exchange = Exchange {
        method,
        path,
        status: response.status().as_u16(),
        headers: response.headers(),
        body: response.body(),
    };
    if let Err(fault) = conformance::check(&exchange, IntegerFormat::NumberOrString) {
        panic!("{method} {path} is not answered as described: {fault}: {response:?}");
    }
    assert_private_or_shared(path, response.headers());
}

/// A cache on the way stores what is for shared caches, and nothing else that is one reader's.
fn assert_private_or_shared(path: &str, headers: &HeaderMap) {
    let control = headers
        .get("cache-control")
        .map_or("", |value| value.to_str().unwrap());
    let private = control == "no-store" || control.starts_with("private, ");
    assert_eq!(
        private,
        !headers.contains_key("cdn-cache-control"),
        "{path}: {control}"
    );
}

/// A finished answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Bytes,
    pub(crate) log: LogRecord,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and problem type, and where the first error is.
    pub(crate) fn problem(&self) -> (u16, String, String) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let body = self.json();
        assert_eq!(body["status"], self.status);
        assert_eq!(body["instance"], self.header("x-request-id"));
        let kind = body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap();
        let first = &body["errors"][0];
        let place = ["pointer", "parameter", "header"]
            .iter()
            .find_map(|name| first[*name].as_str());
        (self.status, kind.to_owned(), place.unwrap_or("").to_owned())
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::configured(|_| {})
    }

    /// A service whose version 1 may be deprecated.
    pub(crate) fn deprecated(deprecation: Option<Deprecation>) -> Self {
        Self::configured(|settings| settings.deprecation = deprecation)
    }

    pub(crate) fn with_origins(origins: CorsOrigins) -> Self {
        Self::configured(|settings| settings.cors_origins = origins)
    }

    /// A service that announces changes to other regions.
    pub(crate) fn announcing() -> Self {
        Self::configured(|settings| settings.changes_channel = Some("changes".into()))
    }

    /// A service behind a CDN with this in its cache key.
    pub(crate) fn behind(origins: CorsOrigins, cdn_key_headers: CdnKeyHeaders) -> Self {
        Self::configured(|settings| {
            settings.cors_origins = origins;
            settings.cdn_key_headers = cdn_key_headers;
        })
    }

    fn configured(adjust: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            auth: AuthSettings {
                admin_key: Secret::new(KEY),
                metrics_key: Secret::new(METRICS_KEY),
                player_tokens: None,
            },
            default_tenant: TenantId::new("default").unwrap(),
            changes_channel: None,
            trusted_proxies: TrustedProxies::default(),
            country_header: Some(HeaderName::from_static("x-country")),
            deprecation: None,
            cors_origins: CorsOrigins::None,
            cdn_key_headers: CdnKeyHeaders::default(),
        };
        adjust(&mut settings);
        Self(Rc::new(World {
            store: Rc::default(),
            region: Rc::default(),
            passed_ms: Rc::default(),
            pauses_take_time: Rc::default(),
            store_is_remote: Rc::default(),
            written: Cell::new(false),
            boards: LeaderboardMemory::default(),
            state: InstanceState::new(settings),
            later: RefCell::default(),
        }))
    }

    /// Another instance in the same region.
    pub(crate) fn beside(&self) -> Self {
        let World {
            store,
            region,
            passed_ms,
            pauses_take_time,
            store_is_remote,
            ..
        } = &**self;
        Self(Rc::new(World {
            store: Rc::clone(store),
            passed_ms: Rc::clone(passed_ms),
            pauses_take_time: Rc::clone(pauses_take_time),
            store_is_remote: Rc::clone(store_is_remote),
            region: Rc::clone(region),
            written: Cell::new(false),
            boards: LeaderboardMemory::default(),
            state: InstanceState::new(self.settings().clone()),
            later: RefCell::default(),
        }))
    }

    /// An instance of another region, on the same store and by the same clock.
    pub(crate) fn elsewhere(&self) -> Self {
        let World {
            store,
            passed_ms,
            pauses_take_time,
            store_is_remote,
            ..
        } = &**self;
        Self(Rc::new(World {
            store: Rc::clone(store),
            passed_ms: Rc::clone(passed_ms),
            pauses_take_time: Rc::clone(pauses_take_time),
            store_is_remote: Rc::clone(store_is_remote),
            region: Rc::default(),
            written: Cell::new(false),
            boards: LeaderboardMemory::default(),
            state: InstanceState::new(self.settings().clone()),
            later: RefCell::default(),
        }))
    }

    /// The time, in milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now().as_unix_ms()
    }

    pub(crate) fn pass_ms(&self, ms: i64) {
        self.0.passed_ms.set(self.0.passed_ms.get() + ms);
    }

    /// Does what was put off until after a response.
    pub(crate) fn settle(&self) {
        loop {
            let due = self.0.later.take();
            if due.is_empty() {
                return;
            }
            for work in due {
                block_on(work);
            }
        }
    }

    /// Drops what was put off until after a response, as a host does that ends an instance.
    pub(crate) fn drop_what_is_left(&self) {
        self.0.later.take();
    }

    /// As [`Service::settle`], beside other work.
    pub(crate) async fn settle_async(&self) {
        let due = self.0.later.take();
        for work in due {
            work.await;
        }
    }

    /// A request. Between a write and a read as much time passes as a change needs to show.
    pub(crate) fn send(&self, request: Request<Body>) -> Answer {
        let reads = request.method() == Method::GET;
        if reads && self.0.written.replace(false) {
            self.pass_ms(SHOWS_AFTER_MS);
        }
        self.0.written.set(self.0.written.get() || !reads);
        let answer = block_on(self.answer(request));
        self.settle();
        answer
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (response, log) = match () {
            () if serves::<FlagsFunction>(&path) => self.serve::<FlagsFunction>(request).await,
            () if serves::<LeaderboardsFunction>(&path) => self.serve::<LeaderboardsFunction>(request).await,
            () if serves::<ScoresFunction>(&path) => self.serve::<ScoresFunction>(request).await,
            () if serves::<RanksFunction>(&path) => self.serve::<RanksFunction>(request).await,
            () if serves::<LimitsFunction>(&path) => self.serve::<LimitsFunction>(request).await,
            () if serves::<TenantsFunction>(&path) => self.serve::<TenantsFunction>(request).await,
            () => self.serve::<OpsFunction>(request).await,
        };
        assert_described(&method, &path, &response);
        let (head, bytes) = response.into_parts();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
            log,
        }
    }

    /// As a host does it: an answer that is given again, or the whole way.
    async fn serve<P: Endpoint<Self>>(&self, request: Request<Body>) -> (Response<Bytes>, LogRecord) {
        let address = request.uri().path_and_query().map_or("", |text| text.as_str());
        let lines: RawHeaders = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let key = MicroCacheKey::of(request.method(), address, &lines);
        if let Some(MicroCacheHit { answer, own }) =
            key.as_ref().and_then(|key| repeated::<P, _>(self, key, &lines))
        {
            let mut response = Response::new(answer.body().clone());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            response.headers_mut().extend(own);
            return (response, answer.take_log().expect("it was counted"));
        }
        let HandledRequest {
            response,
            log,
            repeatable,
        } = handle::<P, _, _>(self, request).await;
        if let Some((key, answer)) = key.zip(repeatable) {
            keep(self, key, answer);
        }
        (response, log)
    }

    /// A request with the operator's key.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        self.with(method, path, body, &[])
    }

    /// As [`Service::call`], with more headers.
    pub(crate) fn with(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("x-api-key", KEY)];
        if !body.is_empty() {
            all.push(("content-type", "application/json"));
        }
        all.extend(headers);
        self.raw(method, path, body, &all)
    }

    /// A request without a credential.
    pub(crate) fn anonymous(&self, method: &str, path: &str) -> Answer {
        self.raw(method, path, "", &[])
    }

    pub(crate) fn raw(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let base = if path.starts_with("/ofrep/") {
            ""
        } else {
            "/api/v1"
        };
        self.at(method, &format!("{base}{path}"), body, headers)
    }

    /// A request to a path with or without a version in it.
    pub(crate) fn at(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::Bytes(Bytes::copy_from_slice(body.as_bytes()));
        self.send(request.body(body).unwrap())
    }

    /// A merge patch with the operator's key.
    pub(crate) fn patch(path: &str, body: &str) -> Request<Body> {
        let request = Request::builder()
            .method(Method::PATCH)
            .uri(format!("/api/v1{path}"));
        let request = request
            .header("x-api-key", KEY)
            .header("content-type", "application/json");
        request
            .body(Body::Bytes(Bytes::copy_from_slice(body.as_bytes())))
            .unwrap()
    }

    /// A reading request.
    pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Request::builder().uri(format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::Bytes(Bytes::new())).unwrap()
    }

    pub(crate) fn message(&self, payload: &str) -> MessageReport {
        let report = block_on(leaderboard_score_messages::apply(self, payload.as_bytes())).unwrap();
        self.0.written.set(true);
        self.settle();
        report
    }
}
