//! What tests say to Edgeboard.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::call::{Call, Reply, method, segment};
use super::expected::Standing;
use super::site::KEY;

pub(super) type Http = Client<HttpConnector, Full<Bytes>>;

/// The most submissions that one request takes.
const BATCH: usize = 1000;

/// An address and a tenant of one's own, with the operator's key in hand.
#[derive(Clone)]
pub(crate) struct Edgeboard {
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    pub(crate) tenant: String,
    http: Http,
}

impl Edgeboard {
    /// A tenant that nobody else in this process has, at an address.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        static TENANTS: AtomicUsize = AtomicUsize::new(0);
        let number = TENANTS.fetch_add(1, Ordering::Relaxed);
        Self::of_tenant(url, format!("tenant-{number}"))
    }

    /// A certain tenant.
    pub(crate) fn of_tenant(url: impl Into<String>, tenant: impl Into<String>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            url: url.into(),
            tenant: tenant.into(),
            http: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// A call with the key, for this tenant; `path` goes below `/api/v1`.
    pub(crate) fn call(&self, verb: &str, path: &str) -> Call {
        self.anywhere(verb, &format!("/api/v1{path}"))
    }

    /// A call with the key, for this tenant, to any path of the address, answered by the store and not by a cache.
    pub(crate) fn anywhere(&self, verb: &str, path: &str) -> Call {
        Call {
            http: self.http.clone(),
            request: Request::builder()
                .method(method(verb))
                .uri(format!("{}{path}", self.url))
                .header("x-api-key", KEY)
                // Tests read what they have just written.
                .header("cache-control", "no-cache")
                .header("x-tenant-id", &self.tenant),
            body: Bytes::new(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.call("PUT", path).json(body).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        let call = self.call("PATCH", path).json(body);
        call.instead("content-type", "application/merge-patch+json")
            .send()
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).send().await
    }

    /// Makes a leaderboard that is not there yet.
    pub(crate) async fn board(&self, id: &str, configuration: &Value) {
        self.put(&format!("/leaderboards/{id}"), configuration)
            .await
            .is(201);
    }

    /// One submission to one leaderboard that takes it: its outcome.
    pub(crate) async fn submit(&self, board: &str, submission: &Value) -> Value {
        self.post(&format!("/leaderboards/{board}/scores"), submission)
            .await
            .is(200)
    }

    /// One score, now.
    pub(crate) async fn score(&self, board: &str, player: &str, score: i64) -> Value {
        self.submit(board, &json!({"player": player, "score": score}))
            .await
    }

    /// Many submissions to one leaderboard that takes them all.
    pub(crate) async fn submit_all(&self, board: &str, submissions: &[Value]) {
        for batch in submissions.chunks(BATCH) {
            let answer = self
                .post(
                    &format!("/leaderboards/{board}/scores"),
                    &json!({"scores": batch}),
                )
                .await
                .is(207);
            let results = answer["results"].as_array().unwrap();
            assert_eq!(results.len(), batch.len());
            for result in results {
                assert_eq!(result["status_code"], 200, "{result}");
            }
        }
    }

    /// The document of a page; `query` begins with `?` or is empty.
    pub(crate) async fn page(&self, board: &str, query: &str) -> Value {
        self.get(&format!("/leaderboards/{board}/entries{query}"))
            .await
            .is(200)
    }

    /// The first thousand entries.
    pub(crate) async fn list(&self, board: &str) -> Vec<Standing> {
        Standing::all_of(&self.page(board, "?limit=1000").await["entries"])
    }

    /// Rank and player of the first thousand entries.
    pub(crate) async fn ranks(&self, board: &str) -> Vec<(u64, String)> {
        self.list(board)
            .await
            .into_iter()
            .map(|standing| (standing.rank, standing.player))
            .collect()
    }

    /// One player's document.
    pub(crate) async fn entry(&self, board: &str, player: &str) -> Reply {
        self.get(&format!("/leaderboards/{board}/entries/{}", segment(player)))
            .await
    }
}
