//! All routes of the API as one function, over the model, and a client for it.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use http::{HeaderMap, Method, Request};
use leaderboard_core::usecase::BoardMemory;
use leaderboard_core::{LeaderboardId, PlayerId, StoreError, TenantId, Timestamp};
use leaderboard_http::message::{self, MessageReport};
use leaderboard_http::{
    Body, BodyKind, Context, Endpoint, Environment, Fetch, FetchError, Handled, LogRecord, Memory, Need,
    Problem, Response, Route, RouteTable, Secret, Settings, Verb, handle, handlers,
};
use serde_json::Value;

use crate::store::{NoCache, Store};

pub(crate) const KEY: &str = "the-operators-key";

pub(crate) enum Api {
    List,
    Read(LeaderboardId),
    Put(LeaderboardId),
    Patch(LeaderboardId),
    Delete(LeaderboardId),
    Submit(LeaderboardId),
    SubmitMany,
    Remove(LeaderboardId, PlayerId),
    Ban(PlayerId),
    Unban(PlayerId),
    DeadLetters,
    Entries(LeaderboardId),
    Entry(LeaderboardId, PlayerId),
    Around(LeaderboardId, PlayerId),
    Periods(LeaderboardId),
    Distribution(LeaderboardId),
    Live,
    Ready,
}

const BOARDS: &str = "/leaderboards";
const BOARD: &str = "/leaderboards/:leaderboard";
const ENTRY: &str = "/leaderboards/:leaderboard/entries/:player";
const AROUND: &str = "/leaderboards/:leaderboard/entries/:player/around";
const BAN: &str = "/players/:player/ban";

const ROUTES: RouteTable<Api> = &[
    Route::new(Verb::Get, BOARDS, Need::Admin, |_| Ok(Api::List)),
    Route::new(Verb::Get, BOARD, Need::Admin, |p| Ok(Api::Read(p.leaderboard()?))),
    Route::new(Verb::Put, BOARD, Need::Admin, |p| Ok(Api::Put(p.leaderboard()?))).with_body(BodyKind::Json),
    Route::new(Verb::Patch, BOARD, Need::Admin, |p| {
        Ok(Api::Patch(p.leaderboard()?))
    })
    .with_body(BodyKind::MergePatch),
    Route::new(Verb::Delete, BOARD, Need::Admin, |p| {
        Ok(Api::Delete(p.leaderboard()?))
    }),
    Route::new(
        Verb::Post,
        "/leaderboards/:leaderboard/scores",
        Need::Write,
        |p| Ok(Api::Submit(p.leaderboard()?)),
    )
    .with_body(BodyKind::Json),
    Route::new(Verb::Post, "/scores", Need::Write, |_| Ok(Api::SubmitMany)).with_body(BodyKind::Json),
    Route::new(
        Verb::Delete,
        "/leaderboards/:leaderboard/scores/:player",
        Need::Admin,
        |p| Ok(Api::Remove(p.leaderboard()?, p.player()?)),
    ),
    Route::new(Verb::Put, BAN, Need::Admin, |p| Ok(Api::Ban(p.player()?))),
    Route::new(Verb::Delete, BAN, Need::Admin, |p| Ok(Api::Unban(p.player()?))),
    Route::new(Verb::Get, "/dead-letters", Need::Admin, |_| Ok(Api::DeadLetters)),
    Route::new(Verb::Get, "/leaderboards/:leaderboard/entries", Need::Read, |p| {
        Ok(Api::Entries(p.leaderboard()?))
    }),
    Route::new(Verb::Get, ENTRY, Need::Read, |p| {
        Ok(Api::Entry(p.leaderboard()?, p.player()?))
    }),
    Route::new(Verb::Get, AROUND, Need::Read, |p| {
        Ok(Api::Around(p.leaderboard()?, p.player()?))
    }),
    Route::new(Verb::Get, "/leaderboards/:leaderboard/periods", Need::Read, |p| {
        Ok(Api::Periods(p.leaderboard()?))
    }),
    Route::new(
        Verb::Get,
        "/leaderboards/:leaderboard/distribution",
        Need::Read,
        |p| Ok(Api::Distribution(p.leaderboard()?)),
    ),
    Route::new(Verb::Get, "/health/live", Need::Open, |_| Ok(Api::Live)),
    Route::new(Verb::Get, "/health/ready", Need::Open, |_| Ok(Api::Ready)),
];

impl Endpoint for Api {
    type Route = Self;

    fn table() -> RouteTable<Self> {
        ROUTES
    }

    async fn call<E: Environment>(context: &Context<'_, E>, route: Self) -> Result<Response, Problem> {
        use handlers::{leaderboards, ops, ranks, scores};
        match route {
            Self::List => leaderboards::list(context).await,
            Self::Read(id) => leaderboards::read(context, id).await,
            Self::Put(id) => leaderboards::put(context, id).await,
            Self::Patch(id) => leaderboards::patch(context, id).await,
            Self::Delete(id) => leaderboards::delete(context, id).await,
            Self::Submit(id) => scores::submit(context, id).await,
            Self::SubmitMany => scores::submit_many(context).await,
            Self::Remove(id, player) => scores::remove(context, id, player).await,
            Self::Ban(player) => scores::ban(context, player).await,
            Self::Unban(player) => scores::unban(context, player).await,
            Self::DeadLetters => scores::dead_letters(context).await,
            Self::Entries(id) => ranks::entries(context, id).await,
            Self::Entry(id, player) => ranks::entry(context, id, player).await,
            Self::Around(id, player) => ranks::around(context, id, player).await,
            Self::Periods(id) => ranks::periods(context, id).await,
            Self::Distribution(id) => ranks::distribution(context, id).await,
            Self::Live => ops::live(context).await,
            Self::Ready => ops::ready(context).await,
        }
    }
}

/// A service with an empty store.
#[derive(Clone)]
pub(crate) struct Service(Rc<World>);

pub(crate) struct World {
    pub(crate) store: Store,
    boards: BoardMemory,
    memory: Memory,
    settings: Settings,
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
        Err(FetchError("there is no network".to_owned()))
    }
}

impl Environment for Service {
    type Store = Store;
    type Cache = NoCache;
    type Fetch = NoFetch;

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn region(&self) -> &NoCache {
        &NoCache
    }

    fn fetch(&self) -> &NoFetch {
        &NoFetch
    }

    fn memory(&self) -> &Memory {
        &self.0.memory
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

    async fn pause(&self, _milliseconds: u64) {}

    fn cache(&self) -> Option<&NoCache> {
        None
    }

    fn boards(&self) -> &BoardMemory {
        &self.0.boards
    }

    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-07-19T21:04:00Z").unwrap()
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn new_trace_id(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// A finished answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
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
        Self(Rc::new(World {
            store: Store::default(),
            boards: BoardMemory::default(),
            memory: Memory::default(),
            later: RefCell::default(),
            settings: Settings {
                admin_key: Secret::new(KEY),
                default_tenant: TenantId::new("default").unwrap(),
                changes_channel: None,
            },
        }))
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Answer {
        let Handled { response, log } = block_on(handle::<Api, _>(self, request));
        for work in self.0.later.take() {
            block_on(work);
        }
        let (head, body) = response.into_parts();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
            log,
        }
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
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::Bytes(Bytes::copy_from_slice(body.as_bytes()));
        self.send(request.body(body).unwrap())
    }

    pub(crate) fn message(&self, payload: &str) -> MessageReport {
        block_on(message::apply(self, payload.as_bytes())).unwrap()
    }
}
