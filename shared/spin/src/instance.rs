//! An instance of a component: the stores, settings and caches that its requests share.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use leaderboard_core::usecase::LeaderboardMemory;
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_environment::Environment;
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_responses::InstanceState;

use crate::after_response::AfterResponse;
use crate::fetch::OutboundHttp;
use crate::key_value::RegionCache;
use crate::settings;
use crate::settings::{InvalidVariable, Variables};
use crate::store::Store;
use crate::store_choice::{StoreChoice, store_choice};
use crate::trace_ids::TraceIds;

thread_local! {
    static INSTANCE: OnceCell<Rc<Instance>> = const { OnceCell::new() };
}

/// The stores, settings and caches of one instance of a component.
#[derive(Debug)]
pub struct Instance {
    store: Store,
    key_value_store: RegionCache,
    /// Whether the store is remote. The embedded store needs no cache, because the cache would be on the same disk.
    store_is_remote: bool,
    fetch: OutboundHttp,
    leaderboard_memory: LeaderboardMemory,
    state: InstanceState,
    trace_ids: TraceIds,
}

impl Instance {
    /// Returns the shared state, which the first request creates. This opens no connection: a store connects at its first use, and
    /// again after a failure.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] if a variable is invalid.
    pub(crate) async fn shared() -> Result<Rc<Self>, StoreError> {
        if let Some(ready) = INSTANCE.with(|cell| cell.get().cloned()) {
            return Ok(ready);
        }
        let built = Self::build()
            .await
            .map_err(|InvalidVariable(what)| StoreError::Rejected(what))?;
        // Several of the first requests can each create one. The first is kept.
        Ok(INSTANCE.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(built)))))
    }

    async fn build() -> Result<Self, InvalidVariable> {
        let mut variables = Variables::read().await?;
        let choice = store_choice(&mut variables)?;
        let settings = settings::pipeline_settings(&mut variables)?;
        variables.check_all_taken()?;
        Ok(Self {
            store_is_remote: matches!(choice, StoreChoice::Redis { .. }),
            store: Store::new(choice),
            key_value_store: RegionCache::default(),
            fetch: OutboundHttp,
            leaderboard_memory: LeaderboardMemory::default(),
            trace_ids: TraceIds::new(seed()),
            state: InstanceState::new(settings),
        })
    }
}

/// The environment of one request: its instance, and the time at which the request began.
#[derive(Debug, Clone)]
pub struct RequestEnvironment {
    instance: Rc<Instance>,
    now: Timestamp,
    after_response: Rc<AfterResponse>,
}

impl RequestEnvironment {
    /// Creates the environment of a request. The request's [`AfterResponse`] must be started when the response is made.
    pub(crate) fn of_request(instance: Rc<Instance>) -> Self {
        Self::new(instance, AfterResponse::default())
    }

    /// Creates the environment of a message of a trigger.
    pub(crate) fn of_message(instance: Rc<Instance>) -> Self {
        Self::new(instance, AfterResponse::without_response())
    }

    fn new(instance: Rc<Instance>, after_response: AfterResponse) -> Self {
        Self {
            instance,
            now: read_clock(),
            after_response: Rc::new(after_response),
        }
    }

    /// Returns the work that waits for the response.
    pub(crate) fn after_response(&self) -> &Rc<AfterResponse> {
        &self.after_response
    }
}

/// Returns random bytes, or the time if the host has no randomness. Both differ between instances.
fn seed() -> [u8; 16] {
    let mut seed = [0; 16];
    if getrandom::fill(&mut seed).is_err() {
        seed = u128::from(read_clock().as_unix_ms().unsigned_abs()).to_be_bytes();
    }
    seed
}

/// Returns the time of the wall clock in milliseconds.
fn read_clock() -> Timestamp {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::saturating_from_unix_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

impl Environment for RequestEnvironment {
    type State = InstanceState;
    type Store = Store;
    type Cache = RegionCache;
    type Fetch = OutboundHttp;

    fn store(&self) -> &Store {
        &self.instance.store
    }

    fn cache(&self) -> Option<&RegionCache> {
        self.instance
            .store_is_remote
            .then_some(&self.instance.key_value_store)
    }

    fn key_value_store(&self) -> &RegionCache {
        &self.instance.key_value_store
    }

    fn fetch(&self) -> &OutboundHttp {
        &self.instance.fetch
    }

    fn state(&self) -> &InstanceState {
        &self.instance.state
    }

    fn leaderboard_memory(&self) -> &LeaderboardMemory {
        &self.instance.leaderboard_memory
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn renewed(&self) -> Self {
        Self {
            now: read_clock(),
            ..self.clone()
        }
    }

    fn clock(&self) -> Timestamp {
        read_clock()
    }

    fn random(&self) -> Result<[u8; 32], StoreError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| StoreError::Rejected(format!("no randomness: {error}")))?;
        Ok(bytes)
    }

    fn later(&self, work: impl Future<Output = ()> + 'static) {
        self.after_response.add(work);
    }

    async fn pause(&self, milliseconds: u64) {
        spin_sdk::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    fn default_tenant(&self) -> &TenantId {
        &self.settings().default_tenant
    }

    fn changes_channel(&self) -> Option<&Rc<str>> {
        self.settings().changes_channel.as_ref()
    }

    fn new_trace_id(&self) -> [u8; 16] {
        self.instance.trace_ids.next()
    }
}
