//! Instances of a region that share a store, a cache, a clock and the other services that they can reach.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use http::Request;
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt, Claims, Header};
use leaderboard_auth::{AuthSettings, PlayerTokens, Secret};
use leaderboard_core::ports::Cache;
use leaderboard_core::usecase::LeaderboardMemory;
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_environment::{Environment, Fetch, FetchError};
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_pipeline::{Body, CdnKeyHeaders, CorsOrigins, Endpoint, Settings, handle};
use leaderboard_responses::InstanceState;
use serde_json::{Value, json};

use crate::service::{Answer, KEY, assert_described};
use crate::store::Store;

pub(crate) const SECRET: &str = "a secret of the operator, the same in every region";
pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const JWKS: &str = "https://id.example/keys";
/// 2026-07-19T21:04:00Z, in seconds since the epoch.
pub(crate) const BEGIN_S: i64 = 1_784_495_040;

/// The document at an address that has none any more.
pub(crate) const GONE: &str = "gone";

#[derive(Default)]
pub(crate) struct Entries(RefCell<BTreeMap<String, Vec<u8>>>, Cell<u32>);

impl Cache for Entries {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.0.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.1.set(self.1.get() + 1);
        self.0.borrow_mut().remove(key);
        Ok(())
    }
}

/// Other services: what is at an address, and how often it was asked for.
#[derive(Default)]
pub(crate) struct Web {
    pub(crate) documents: RefCell<BTreeMap<String, String>>,
    pub(crate) asked: Cell<u32>,
    /// What the manifest does not let this service ask.
    pub(crate) denied: RefCell<Vec<String>>,
    /// How long an answer takes.
    pub(crate) takes_ms: Cell<i64>,
    clock_ms: Cell<i64>,
}

impl Fetch for Web {
    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, FetchError> {
        self.asked.set(self.asked.get() + 1);
        self.clock_ms.set(self.clock_ms.get() + self.takes_ms.get());
        let found = self.documents.borrow().get(url).cloned();
        if self.denied.borrow().iter().any(|host| url.starts_with(host)) {
            return Err(FetchError::NotGranted);
        }
        match found.filter(|text| text.len() <= max_bytes) {
            Some(text) if text == GONE => Err(FetchError::Unusable("answered with 410 Gone".to_owned())),
            Some(text) => Ok(Bytes::from(text)),
            None => Err(FetchError::Unreachable("nobody is at 10.0.0.7".to_owned())),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Region(Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    cached: Entries,
    pub(crate) web: Web,
    random: Cell<u8>,
}

impl std::ops::Deref for Region {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Region {
    pub(crate) fn new() -> Self {
        Self(Rc::new(Inner {
            store: Store::default(),
            cached: Entries::default(),
            web: Web {
                clock_ms: Cell::new(BEGIN_S * 1000),
                ..Web::default()
            },
            random: Cell::new(0),
        }))
    }

    /// Lets time pass, for the instances and the store.
    pub(crate) fn pass_ms(&self, ms: i64) {
        let now_ms = self.web.clock_ms.get() + ms;
        self.web.clock_ms.set(now_ms);
        self.store.set_clock(u64::try_from(now_ms).unwrap() * 1000);
    }

    /// How often something was deleted from the cache since the last call.
    pub(crate) fn deletes(&self) -> u32 {
        self.cached.1.take()
    }

    /// What is in the cache.
    pub(crate) fn cached(&self) -> BTreeMap<String, Vec<u8>> {
        self.cached.0.borrow().clone()
    }

    /// Replaces what is in the cache.
    pub(crate) fn set_cached(&self, entries: BTreeMap<String, Vec<u8>>) {
        *self.cached.0.borrow_mut() = entries;
    }

    /// Puts a document at an address.
    pub(crate) fn publish(&self, url: &str, document: &Value) {
        let mut documents = self.web.documents.borrow_mut();
        documents.insert(url.to_owned(), document.to_string());
    }

    /// An instance that knows nothing.
    pub(crate) fn instance(&self) -> Instance {
        self.instance_with(SECRET, "")
    }

    pub(crate) fn instance_with(&self, secret: &str, before: &str) -> Instance {
        Instance(Rc::new(Own {
            region: self.clone(),
            boards: LeaderboardMemory::default(),
            state: InstanceState::new(Settings {
                auth: AuthSettings {
                    admin_key: Secret::new(KEY),
                    metrics_key: Secret::new(""),
                    player_tokens: PlayerTokens::new(secret, before).unwrap().map(Rc::new),
                },
                default_tenant: TenantId::new("default").unwrap(),
                changes_channel: None,
                cors_origins: CorsOrigins::None,
                cdn_key_headers: CdnKeyHeaders::default(),
                deprecation: None,
                country_header: None,
                trusted_proxies: "".parse().unwrap(),
            }),
            later: RefCell::default(),
        }))
    }
}

#[derive(Clone)]
pub(crate) struct Instance(Rc<Own>);

struct Own {
    region: Region,
    boards: LeaderboardMemory,
    state: InstanceState,
    later: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
}

impl Environment for Instance {
    type State = InstanceState;
    type Store = Store;
    type Cache = Entries;
    type Fetch = Web;

    fn store(&self) -> &Store {
        &self.0.region.store
    }

    fn cache(&self) -> Option<&Entries> {
        Some(&self.0.region.cached)
    }

    fn region(&self) -> &Entries {
        &self.0.region.cached
    }

    fn fetch(&self) -> &Web {
        &self.0.region.web
    }

    fn state(&self) -> &InstanceState {
        &self.0.state
    }

    fn boards(&self) -> &LeaderboardMemory {
        &self.0.boards
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.0.region.web.clock_ms.get()).unwrap()
    }

    fn clock(&self) -> Timestamp {
        self.now()
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

    fn random(&self) -> Result<[u8; 32], StoreError> {
        self.0.region.random.set(self.0.region.random.get() + 1);
        Ok([self.0.region.random.get(); 32])
    }

    fn later(&self, work: impl Future<Output = ()> + 'static) {
        self.0.later.borrow_mut().push(work.boxed_local());
    }

    async fn pause(&self, _milliseconds: u64) {}
}

impl Instance {
    /// A request of identity with this key, begun and not finished.
    pub(crate) fn begin(&self, key: &str, path: &str) -> LocalBoxFuture<'static, u16> {
        let request = Request::builder().method("GET").uri(format!("/api/v1{path}"));
        let request = request.header("x-api-key", key).body(Body::Bytes(Bytes::new()));
        let own = self.clone();
        async move {
            let handled =
                handle::<leaderboard_identity_function::IdentityFunction, _, _>(&own, request.unwrap()).await;
            handled.response.status().as_u16()
        }
        .boxed_local()
    }

    /// A request of identity of the operator's about acme, begun and not finished.
    pub(crate) fn begin_as_operator(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> LocalBoxFuture<'static, u16> {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let headers = [
            ("x-api-key", KEY),
            ("x-tenant-id", "acme"),
            ("content-type", "application/json"),
        ];
        let request = headers
            .into_iter()
            .fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Body::Bytes(Bytes::from(body.to_string())));
        let own = self.clone();
        async move {
            let handled =
                handle::<leaderboard_identity_function::IdentityFunction, _, _>(&own, request.unwrap()).await;
            handled.response.status().as_u16()
        }
        .boxed_local()
    }

    /// As [`Instance::begin_as_operator`], with an idempotency key.
    pub(crate) fn begin_keyed(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        key: &str,
    ) -> LocalBoxFuture<'static, u16> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("x-api-key", KEY)
            .header("x-tenant-id", "acme")
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::Bytes(Bytes::from(body.to_string())));
        let own = self.clone();
        async move {
            let handled =
                handle::<leaderboard_identity_function::IdentityFunction, _, _>(&own, request.unwrap()).await;
            handled.response.status().as_u16()
        }
        .boxed_local()
    }

    /// What was left for after the responses so far.
    pub(crate) fn works(&self) -> Vec<LocalBoxFuture<'static, ()>> {
        self.0.later.take()
    }

    fn handled<P: Endpoint<Self>>(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let handled = block_on(handle::<P, _, _>(self, request));
        assert_described(&method, &path, &handled.response);
        // What is left for after the response is done before the next request.
        let next = || self.0.later.borrow_mut().pop();
        while let Some(work) = next() {
            block_on(work);
        }
        let (head, body) = handled.response.into_parts();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
            bytes: body,
            log: handled.log,
        }
    }

    /// A request with these headers and no others but the body's type; of version 1, unless the path says which.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let whole = ["/ofrep", "/api"].iter().any(|start| path.starts_with(start));
        let base = if whole { "" } else { "/api/v1" };
        let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::Bytes(Bytes::copy_from_slice(body.as_bytes()));
        let request = request.body(body).unwrap();
        if path.contains("/flags") {
            self.handled::<leaderboard_flags_function::FlagsFunction>(request)
        } else if path.contains("/entries") || path.contains("/summary") {
            self.handled::<leaderboard_ranks_function::RanksFunction>(request)
        } else if ["/scores", "/players/", "/bans", "/dead-letters"]
            .iter()
            .any(|part| path.contains(part))
        {
            self.handled::<leaderboard_scores_function::ScoresFunction>(request)
        } else if path.ends_with("/limits") {
            self.handled::<leaderboard_limits_function::LimitsFunction>(request)
        } else if path.contains("/audit") || path.starts_with("/tenant") {
            self.handled::<leaderboard_tenants_function::TenantsFunction>(request)
        } else if path.contains("/leaderboards") {
            self.handled::<leaderboard_leaderboards_function::LeaderboardsFunction>(request)
        } else {
            self.handled::<leaderboard_identity_function::IdentityFunction>(request)
        }
    }

    /// The operator, about the tenant acme.
    pub(crate) fn operator(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [("x-api-key", KEY), ("x-tenant-id", "acme")];
        self.send(method, path, &body, &headers)
    }

    pub(crate) fn with_key(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, body, &[("x-api-key", key)])
    }

    pub(crate) fn with_token(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        self.send(
            method,
            path,
            body,
            &[("authorization", &format!("Bearer {token}"))],
        )
    }

    /// What the region has counted, by series.
    pub(crate) fn counted(&self) -> BTreeMap<String, u64> {
        let kept = self.0.region.cached.0.borrow();
        let slots = kept.iter().filter(|(key, _)| key.starts_with("metrics:counts:"));
        let read = slots.map(|(_, slot)| serde_json::from_slice::<BTreeMap<String, u64>>(slot).unwrap());
        read.fold(BTreeMap::new(), |mut all, slot| {
            for (series, count) in slot {
                *all.entry(series).or_default() += count;
            }
            all
        })
    }

    /// Makes a key of acme: its id and its text.
    pub(crate) fn make_key(&self, body: &Value) -> (String, String) {
        let made = self.operator("POST", "/keys", body);
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// A leaderboard of acme that only its credentials may read, and players may write.
    pub(crate) fn make_board(&self) {
        let body = json!({"access": {"read": "private", "write": "player"}});
        let made = self.operator("PUT", "/leaderboards/b", &body);
        assert_eq!(made.status, 201, "{made:?}");
    }
}

pub(crate) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The key as an issuer publishes it.
pub(crate) fn jwk(kid: &str, key: &SigningKey) -> Value {
    let mut jwk = serde_json::to_value(jwt_compact::jwk::JsonWebKey::from(&key.verifying_key())).unwrap();
    jwk["kid"] = json!(kid);
    jwk
}

/// Claims of a player of acme, valid for ten minutes from the beginning.
pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "scores", "sub": "p", "exp": BEGIN_S + 600, "org": "acme"})
}

pub(crate) fn sign(kid: &str, key: &SigningKey, claims: &Value) -> String {
    let header = Header::empty().with_key_id(kid);
    Ed25519.token(&header, &Claims::new(claims.clone()), key).unwrap()
}

/// An issuer of acme with its keys at [`JWKS`].
pub(crate) fn issuer_document() -> Value {
    json!({"issuer": ISSUER, "audiences": ["scores"], "jwks_uri": JWKS})
}
