//! Several instances of a region on one store, with a clock that tests move.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use http::Request;
use leaderboard_auth::{AuthSettings, Secret};
use leaderboard_core::ports::Cache;
use leaderboard_core::usecase::LeaderboardMemory;
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_environment::Environment;
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_pipeline::{Body, CdnKeyHeaders, CorsOrigins, HandledRequest, Settings, handle};
use leaderboard_responses::InstanceState;

use crate::service::{Answer, KEY, NoFetch, assert_described};
use crate::store::{Store, turn};

/// When tests begin: 2026-07-19T21:04:00Z, in milliseconds since the epoch.
const BEGIN_MS: i64 = 1_784_495_040_000;

/// How often an instance pauses before it is taken to hang.
const MAX_PAUSES: u32 = 100_000;

/// A region: a store, a cache, a clock.
#[derive(Clone)]
pub(crate) struct Region(Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) cached: Entries,
    clock_ms: Cell<i64>,
    /// Whether the store is elsewhere, as Redis is.
    remote: bool,
}

impl std::ops::Deref for Region {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The region's cache.
#[derive(Default)]
pub(crate) struct Entries {
    kept: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Whether others get on between a question and its answer.
    pub(crate) take_time: Cell<bool>,
}

impl Entries {
    /// The keys and the number of bytes under each.
    pub(crate) fn sizes(&self) -> BTreeMap<String, usize> {
        let entries = self.kept.borrow();
        entries
            .iter()
            .map(|(key, value)| (key.clone(), value.len()))
            .collect()
    }

    /// Puts other bytes under all keys.
    pub(crate) fn damage(&self) {
        for value in self.kept.borrow_mut().values_mut() {
            *value = b"\xff\xffnonsense".to_vec();
        }
    }
}

impl Cache for Entries {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if self.take_time.get() {
            turn().await;
        }
        Ok(self.kept.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.kept.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.kept.borrow_mut().remove(key);
        Ok(())
    }
}

impl Region {
    pub(crate) fn new(remote: bool) -> Self {
        let region = Self(Rc::new(Inner {
            store: Store::default(),
            cached: Entries::default(),
            clock_ms: Cell::new(BEGIN_MS),
            remote,
        }));
        region.pass_ms(0);
        region
    }

    /// Lets time pass, for the instances and the store.
    pub(crate) fn pass_ms(&self, ms: i64) {
        self.clock_ms.set(self.clock_ms.get() + ms);
        self.store
            .set_clock(u64::try_from(self.clock_ms.get()).unwrap() * 1000);
    }

    /// An instance that knows nothing.
    pub(crate) fn instance(&self, trusted_proxies: &str) -> Instance {
        Instance(Rc::new(Own {
            region: self.clone(),
            boards: LeaderboardMemory::default(),
            state: InstanceState::new(Settings {
                auth: AuthSettings {
                    admin_key: Secret::new(KEY),
                    metrics_key: Secret::new(""),
                    player_tokens: None,
                },
                cors_origins: CorsOrigins::None,
                cdn_key_headers: CdnKeyHeaders::default(),
                default_tenant: TenantId::new("default").unwrap(),
                changes_channel: None,
                deprecation: None,
                trusted_proxies: trusted_proxies.parse().unwrap(),
                country_header: None,
            }),
            later: RefCell::default(),
            pauses: Cell::new(0),
        }))
    }
}

/// An instance of a component.
#[derive(Clone)]
pub(crate) struct Instance(Rc<Own>);

struct Own {
    region: Region,
    boards: LeaderboardMemory,
    state: InstanceState,
    later: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    pauses: Cell<u32>,
}

impl Environment for Instance {
    type State = InstanceState;
    type Store = Store;
    type Cache = Entries;
    type Fetch = NoFetch;

    fn store(&self) -> &Store {
        &self.0.region.store
    }

    fn cache(&self) -> Option<&Entries> {
        self.0.region.remote.then_some(&self.0.region.cached)
    }

    fn region(&self) -> &Entries {
        &self.0.region.cached
    }

    fn fetch(&self) -> &NoFetch {
        &NoFetch
    }

    fn state(&self) -> &InstanceState {
        &self.0.state
    }

    fn boards(&self) -> &LeaderboardMemory {
        &self.0.boards
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.0.region.clock_ms.get()).unwrap()
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
        Ok([9; 32])
    }

    fn later(&self, work: impl Future<Output = ()> + 'static) {
        self.0.later.borrow_mut().push(work.boxed_local());
    }

    async fn pause(&self, _milliseconds: u64) {
        let pauses = self.0.pauses.get() + 1;
        assert!(
            pauses < MAX_PAUSES,
            "somebody waits for a clock that stands still"
        );
        self.0.pauses.set(pauses);
    }
}

impl Instance {
    /// Answers, and does not go on with what comes after the response.
    pub(crate) fn answer(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let handled = if path.ends_with("/limits") {
            block_on(handle::<leaderboard_limits_function::LimitsFunction, _, _>(
                self, request,
            ))
        } else if path.contains("/tenants/") {
            block_on(handle::<leaderboard_tenants_function::TenantsFunction, _, _>(
                self, request,
            ))
        } else if path.contains("/flags") {
            block_on(handle::<leaderboard_flags_function::FlagsFunction, _, _>(
                self, request,
            ))
        } else if path.contains("/entries") {
            block_on(handle::<leaderboard_ranks_function::RanksFunction, _, _>(
                self, request,
            ))
        } else if path.contains("/scores") {
            block_on(handle::<leaderboard_scores_function::ScoresFunction, _, _>(
                self, request,
            ))
        } else if path.contains("/health") || path.ends_with("/metrics") {
            block_on(handle::<leaderboard_ops_function::OpsFunction, _, _>(
                self, request,
            ))
        } else {
            block_on(handle::<
                leaderboard_leaderboards_function::LeaderboardsFunction,
                _,
                _,
            >(self, request))
        };
        assert_described(&method, &path, &handled.response);
        finished(handled)
    }

    /// Does what was left for after the responses.
    pub(crate) fn settle(&self) {
        loop {
            let works = self.0.later.take();
            if works.is_empty() {
                return;
            }
            for work in works {
                block_on(work);
            }
        }
    }

    /// How many pieces of work wait for the end of the responses.
    pub(crate) fn works(&self) -> usize {
        self.0.later.borrow().len()
    }

    pub(crate) fn request(method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::Bytes(Bytes::copy_from_slice(body.as_bytes()));
        request.body(body).unwrap()
    }

    /// A request without a credential, from an address.
    pub(crate) fn from(&self, client: &str, path: &str) -> Answer {
        self.answer(Self::request("GET", path, "", &[("spin-client-addr", client)]))
    }

    /// A request of the operator's; what comes after it is done, too.
    pub(crate) fn operator(&self, method: &str, path: &str, body: &str) -> Answer {
        let answer = self.answer(Self::request(method, path, body, &[("x-api-key", KEY)]));
        self.settle();
        answer
    }
}

fn finished(handled: HandledRequest) -> Answer {
    let (head, body) = handled.response.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
        bytes: body,
        log: handled.log,
    }
}
