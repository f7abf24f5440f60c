//! An instance of all components, which answers requests.
//!
//! An instance defers some work until after a response. A test decides when this deferred work runs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use http::{Method, Request, Response};
use leaderboard_api::LaterBody;
use leaderboard_core::usecase::LeaderboardMemory;
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_environment::Environment;
use leaderboard_flags_function::FlagsFunction;
use leaderboard_identity_function::IdentityFunction;
use leaderboard_leaderboards_function::LeaderboardsFunction;
use leaderboard_limits_function::LimitsFunction;
use leaderboard_live_function::LiveFunction;
use leaderboard_ops_function::OpsFunction;
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_pipeline::{
    Base, Body, Endpoint, HandledRequest, MicroCacheHit, MicroCacheKey, RawHeaders, Routes, Settings,
    find_reusable, handle, store_for_reuse,
};
use leaderboard_ranks_function::RanksFunction;
use leaderboard_responses::InstanceState;
use leaderboard_score_messages::MessageReport;
use leaderboard_scores_function::ScoresFunction;
use leaderboard_telemetry::LogRecord;
use leaderboard_tenants_function::TenantsFunction;
use leaderboard_webhooks_function::WebhooksFunction;

use super::SHOWS_AFTER_MS;
use super::answer::{Answer, assert_conforms};
use super::key_value::{KeyValue, turn};
use super::region::{Region, RegionOptions, RegionParts};
use super::store::Store;
use super::web::Web;

/// How many times an instance may pause before the test fails, because a request waits forever.
const MAX_PAUSES: u32 = 100_000;

/// An instance. A clone refers to the same instance.
#[derive(Clone)]
pub(crate) struct Instance(Rc<InstanceParts>);

struct InstanceParts {
    region: Region,
    leaderboard_memory: LeaderboardMemory,
    state: InstanceState,
    /// The deferred work.
    later: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    /// What sends the further parts of the last response.
    later_body: RefCell<Option<LaterBody>>,
    pauses: Cell<u32>,
    /// Whether something was written since the last read that waited until changes show.
    written: Cell<bool>,
}

impl std::ops::Deref for Instance {
    type Target = RegionParts;

    fn deref(&self) -> &RegionParts {
        &self.0.region
    }
}

impl RegionOptions {
    /// Creates a region with these options, and returns an instance in it.
    pub(crate) fn instance(self) -> Instance {
        self.region().instance()
    }
}

impl Region {
    /// Creates an instance with empty caches.
    pub(crate) fn instance(&self) -> Instance {
        Instance::create_in(self.clone(), self.options().settings.clone())
    }

    /// Creates an instance whose settings differ from those of its region.
    pub(crate) fn instance_with(&self, change: impl FnOnce(RegionOptions) -> RegionOptions) -> Instance {
        Instance::create_in(self.clone(), change(self.options().clone()).settings)
    }
}

/// Returns whether the manifest routes a path, with or without a version, to a function.
fn serves<P: Routes>(path: &str) -> bool {
    let fits_segment = |(expected, segment): (&&str, &&str)| match *expected {
        ":version" => segment.starts_with('v'),
        expected => expected.starts_with(':') || expected == *segment,
    };
    let fits = |pattern: &str| {
        let expected: Vec<&str> = pattern.split('/').collect();
        let segments: Vec<&str> = path.split('/').collect();
        expected.len() == segments.len() && expected.iter().zip(&segments).all(fits_segment)
    };
    P::table().iter().any(|route| {
        let bases: &[&str] = match route.head.base {
            Base::Root => &[""],
            Base::RootAndApi => &["", "/api", "/api/:version"],
            Base::Api => &["/api", "/api/:version"],
        };
        bases
            .iter()
            .any(|base| fits(&format!("{base}{}", route.head.pattern)))
    })
}

impl Environment for Instance {
    type State = InstanceState;
    type Store = Store;
    type Cache = KeyValue;
    type Fetch = Web;

    fn store(&self) -> &Store {
        &self.store
    }

    fn key_value_store(&self) -> &KeyValue {
        &self.key_value
    }

    fn fetch(&self) -> &Web {
        &self.web
    }

    fn state(&self) -> &InstanceState {
        &self.0.state
    }

    fn renewed(&self) -> Self {
        self.clone()
    }

    fn clock(&self) -> Timestamp {
        self.now()
    }

    fn random(&self) -> Result<[u8; 32], StoreError> {
        Ok(RegionParts::random(self))
    }

    fn later(&self, work: impl Future<Output = ()> + 'static) {
        self.0.later.borrow_mut().push(work.boxed_local());
    }

    async fn pause(&self, milliseconds: u64) {
        let pauses = self.0.pauses.get() + 1;
        assert!(
            pauses < MAX_PAUSES,
            "a request waits for a clock that stands still"
        );
        self.0.pauses.set(pauses);
        if self.options().has_real_clock {
            tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
        } else if self.pauses_take_time.get() {
            self.pass_ms(i64::try_from(milliseconds).unwrap());
        }
        turn().await;
    }

    fn cache(&self) -> Option<&KeyValue> {
        self.store_is_remote.get().then_some(&self.key_value)
    }

    fn leaderboard_memory(&self) -> &LeaderboardMemory {
        &self.0.leaderboard_memory
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now_ms()).unwrap()
    }

    fn default_tenant(&self) -> &TenantId {
        &self.settings().default_tenant
    }

    fn changes_channel(&self) -> Option<&Rc<str>> {
        self.settings().changes_channel.as_ref()
    }

    fn new_trace_id(&self) -> [u8; 16] {
        // Tests that move the clock compare whole log records, which must not contain random bytes.
        let byte = if self.options().has_real_clock {
            RegionParts::random(self)[0]
        } else {
            7
        };
        [byte.max(1); 16]
    }
}

impl Instance {
    /// Creates an instance in a new region with an embedded store.
    pub(crate) fn new() -> Self {
        Region::with_options().instance()
    }

    fn create_in(region: Region, settings: Settings) -> Self {
        Self(Rc::new(InstanceParts {
            region,
            leaderboard_memory: LeaderboardMemory::default(),
            state: InstanceState::new(settings),
            later: RefCell::default(),
            later_body: RefCell::default(),
            pauses: Cell::new(0),
            written: Cell::new(false),
        }))
    }

    /// Creates another instance in the same region.
    pub(crate) fn beside(&self) -> Self {
        self.0.region.instance()
    }

    /// Creates an instance in another region, which has the same store and the same clock.
    pub(crate) fn elsewhere(&self) -> Self {
        self.0.region.elsewhere().instance()
    }

    /// Runs the deferred work, also the work that is deferred in the meantime.
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

    /// Drops the deferred work, like a host that ends an instance.
    pub(crate) fn drop_later_work(&self) {
        self.0.later.take();
    }

    /// Runs the work that was deferred before the call, concurrently with other tasks.
    pub(crate) async fn settle_async(&self) {
        let due = self.0.later.take();
        for work in due {
            work.await;
        }
    }

    /// Returns the deferred work, and removes it from the instance.
    pub(crate) fn take_later_work(&self) -> Vec<LocalBoxFuture<'static, ()>> {
        self.0.later.take()
    }

    /// Returns what sends the further parts of the last response.
    pub(crate) fn take_later_body(&self) -> Option<LaterBody> {
        self.0.later_body.take()
    }

    /// Returns how many pieces of deferred work there are.
    pub(crate) fn count_later_work(&self) -> usize {
        self.0.later.borrow().len()
    }

    /// Answers a request. Does not run the deferred work.
    pub(crate) async fn respond(&self, request: Request<Body>) -> Answer {
        self.set_store_clock();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (response, log) = match () {
            () if serves::<FlagsFunction>(&path) => self.serve::<FlagsFunction>(request).await,
            () if serves::<IdentityFunction>(&path) => self.serve::<IdentityFunction>(request).await,
            () if serves::<LeaderboardsFunction>(&path) => self.serve::<LeaderboardsFunction>(request).await,
            () if serves::<ScoresFunction>(&path) => self.serve::<ScoresFunction>(request).await,
            () if serves::<RanksFunction>(&path) => self.serve::<RanksFunction>(request).await,
            () if serves::<LiveFunction>(&path) => self.serve::<LiveFunction>(request).await,
            () if serves::<LimitsFunction>(&path) => self.serve::<LimitsFunction>(request).await,
            () if serves::<TenantsFunction>(&path) => self.serve::<TenantsFunction>(request).await,
            () if serves::<WebhooksFunction>(&path) => self.serve::<WebhooksFunction>(request).await,
            () => self.serve::<OpsFunction>(request).await,
        };
        assert_conforms(&method, &path, &response);
        Answer::new(response, log)
    }

    /// Answers a request like a host: from the micro-cache, or else through the pipeline.
    async fn serve<P: Endpoint<Self>>(&self, request: Request<Body>) -> (Response<Bytes>, LogRecord) {
        let address = request.uri().path_and_query().map_or("", |text| text.as_str());
        let raw_headers: RawHeaders = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let key = MicroCacheKey::of(request.method(), address, &raw_headers);
        if let Some(MicroCacheHit { entry, own_headers }) = key
            .as_ref()
            .and_then(|key| find_reusable::<P, _>(self, key, &raw_headers))
        {
            let mut response = Response::new(entry.body().clone());
            *response.status_mut() = entry.status();
            *response.headers_mut() = entry.headers().clone();
            response.headers_mut().extend(own_headers);
            return (response, entry.take_log().expect("the reuse was counted"));
        }
        let HandledRequest {
            response,
            log,
            reusable,
            later_body,
        } = handle::<P, _, _>(self, request).await;
        self.0.later_body.replace(later_body);
        if let Some((key, entry)) = key.zip(reusable) {
            store_for_reuse(self, key, entry);
        }
        (response, log)
    }

    /// Does the same as [`Instance::respond`], outside of asynchronous code.
    pub(crate) fn answer(&self, request: Request<Body>) -> Answer {
        block_on(self.respond(request))
    }

    /// Applies a message with scores, and runs the deferred work. Returns the report of the message.
    pub(crate) fn message(&self, payload: impl AsRef<[u8]>) -> MessageReport {
        let report = block_on(leaderboard_score_messages::apply_message(self, payload.as_ref())).unwrap();
        self.0.written.set(true);
        self.settle();
        report
    }

    /// Answers a request, and runs the deferred work. If the region's options say so, the clock moves before
    /// the first `GET` after a write, until the write shows.
    pub(crate) fn answer_and_settle(&self, request: Request<Body>) -> Answer {
        let reads = request.method() == Method::GET;
        if reads && self.options().reads_wait_for_changes && self.0.written.replace(false) {
            self.pass_ms(SHOWS_AFTER_MS);
        }
        self.0.written.set(self.0.written.get() || !reads);
        let answer = self.answer(request);
        self.settle();
        answer
    }
}
