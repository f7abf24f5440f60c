//! A client of the API.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where it cannot go on"
)]

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::{ApiRequest, ApiResponse, HttpTransport, ListedEntry, Transport, encode_segment};

/// The operator's key in all tests.
pub const ADMIN_KEY: &str = "a key for tests alone, with 32 bytes and more";

/// The most submissions that one request may have.
const MAX_BATCH: usize = 1000;

/// A client of the API that uses the operator's key and acts for one tenant.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a transport has no text form")]
pub struct ApiClient {
    transport: Rc<dyn Transport>,
    /// The tenant's id.
    pub tenant: String,
}

impl ApiClient {
    /// Creates a client for a tenant that no other test of this process has.
    #[must_use]
    pub fn new(transport: Rc<dyn Transport>) -> Self {
        static TENANTS: AtomicUsize = AtomicUsize::new(0);
        let number = TENANTS.fetch_add(1, Ordering::Relaxed);
        Self {
            transport,
            tenant: format!("tenant-{number}"),
        }
    }

    /// Creates a client of the service at this address, for a new tenant as [`ApiClient::new`].
    #[must_use]
    pub fn over_http(url: &str) -> Self {
        Self::new(Rc::new(HttpTransport::new(url)))
    }

    /// Returns a client of the same service for another tenant, which no other test has.
    #[must_use]
    pub fn another_tenant(&self) -> Self {
        Self::new(Rc::clone(&self.transport))
    }

    /// Returns a client of the same service for the tenant with this id.
    #[must_use]
    pub fn for_tenant(&self, tenant: &str) -> Self {
        Self {
            transport: Rc::clone(&self.transport),
            tenant: tenant.to_owned(),
        }
    }

    /// Returns the URL of the service, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        self.transport.url()
    }

    /// Starts a request to version 1 of the API, with the operator's key and for this tenant. `path` is the
    /// path below `/api/v1`.
    pub fn request(&self, method: &str, path: &str) -> ApiRequest {
        self.request_at(method, &format!("/api/v1{path}"))
    }

    /// Starts a request to any path of the service, with the operator's key and for this tenant. The request
    /// asks for a response from the store, not from a cache.
    ///
    /// # Panics
    /// When the method or the path is not valid in a request.
    pub fn request_at(&self, method: &str, path: &str) -> ApiRequest {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()))
            .header("x-api-key", ADMIN_KEY)
            // A test must see its own last write.
            .header("cache-control", "no-cache")
            .header("x-tenant-id", &self.tenant)
            .body(Bytes::new());
        ApiRequest::new(Rc::clone(&self.transport), request.expect("a request"))
    }

    /// Starts a request without a credential and without a tenant. `path` is the path below `/api/v1`, unless
    /// it begins with `/api/` or `/ofrep/`.
    pub fn bare(&self, method: &str, path: &str) -> ApiRequest {
        let is_full_path = ["/api/", "/ofrep/"].iter().any(|start| path.starts_with(start));
        let base = if is_full_path { "" } else { "/api/v1" };
        let request = self.request_at(method, &format!("{base}{path}"));
        request.without_header("x-api-key").without_header("x-tenant-id")
    }

    /// Starts a request with an API key as its only credential. For `path`, see [`ApiClient::bare`].
    pub fn with_key(&self, key: &str, method: &str, path: &str) -> ApiRequest {
        self.bare(method, path).header("x-api-key", key)
    }

    /// Starts a request with a token as its only credential. For `path`, see [`ApiClient::bare`].
    pub fn with_token(&self, token: &str, method: &str, path: &str) -> ApiRequest {
        self.bare(method, path)
            .header("authorization", &format!("Bearer {token}"))
    }

    /// Creates an API key with these scopes. Returns its id and its text.
    ///
    /// # Panics
    /// When the service refuses the request.
    pub async fn make_key(&self, scopes: Value) -> (String, String) {
        let body = json!({"name": "server", "scopes": scopes});
        let made = self.post("/keys", &body).await.expect_status(201);
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        (text("id"), text("key"))
    }

    /// Issues a player's token with a server's key, and returns it.
    ///
    /// # Panics
    /// When the service refuses the request.
    pub async fn issue_token(&self, key: &str, player: &str) -> String {
        let call = self
            .with_key(key, "POST", "/tokens")
            .json(&json!({ "player": player }));
        let issued = call.send().await.expect_status(201);
        issued["token"].as_str().expect("a token").to_owned()
    }

    /// Sends `GET` to a path of version 1.
    pub async fn get(&self, path: &str) -> ApiResponse {
        self.request("GET", path).send().await
    }

    /// Sends `GET` to a path of version 2.
    pub async fn get_v2(&self, path: &str) -> ApiResponse {
        self.request_at("GET", &format!("/api/v2{path}")).send().await
    }

    /// Sends `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> ApiResponse {
        self.request("PUT", path).json(body).send().await
    }

    /// Sends `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> ApiResponse {
        self.request("POST", path).json(body).send().await
    }

    /// Sends `PATCH` with a JSON merge patch.
    pub async fn patch(&self, path: &str, body: &Value) -> ApiResponse {
        let request = self.request("PATCH", path).json(body);
        let request = request.replace_header("content-type", "application/merge-patch+json");
        request.send().await
    }

    /// Sends `DELETE`.
    pub async fn delete(&self, path: &str) -> ApiResponse {
        self.request("DELETE", path).send().await
    }

    /// Switches off the rate limits of callers, for all tenants.
    ///
    /// # Panics
    /// When the service has other limits already, or refuses the request.
    pub async fn switch_limits_off(&self) {
        let off = json!({"client": "off", "credentials": "off", "key": "off", "player": "off"});
        let limits = json!({"policies": off});
        self.put("/operator/limits", &limits).await.expect_status(201);
    }

    /// Creates a leaderboard.
    ///
    /// # Panics
    /// When the leaderboard exists, or the service refuses it.
    pub async fn create_leaderboard(&self, id: &str, configuration: &Value) {
        let path = format!("/leaderboards/{id}");
        self.put(&path, configuration).await.expect_status(201);
    }

    /// Sends one submission to one leaderboard, and returns its outcome.
    ///
    /// # Panics
    /// When the service refuses the submission.
    pub async fn submit(&self, leaderboard: &str, submission: &Value) -> Value {
        let path = format!("/leaderboards/{leaderboard}/scores");
        self.post(&path, submission).await.expect_status(200)
    }

    /// Submits one score that happens now, and returns its outcome.
    pub async fn submit_score(&self, leaderboard: &str, player: &str, score: i64) -> Value {
        let submission = json!({"player": player, "score": score});
        self.submit(leaderboard, &submission).await
    }

    /// Sends many submissions to one leaderboard.
    ///
    /// # Panics
    /// When the service refuses one of them.
    pub async fn submit_all(&self, leaderboard: &str, submissions: &[Value]) {
        let path = format!("/leaderboards/{leaderboard}/scores");
        for batch in submissions.chunks(MAX_BATCH) {
            let response = self.post(&path, &json!({"scores": batch})).await;
            let body = response.expect_status(207);
            let results = body["results"].as_array().expect("results");
            assert_eq!(results.len(), batch.len());
            for result in results {
                assert_eq!(result["status_code"], 200, "{result}");
            }
        }
    }

    /// Returns the body of a page of entries. `query` begins with `?` or is empty.
    pub async fn page(&self, leaderboard: &str, query: &str) -> Value {
        let path = format!("/leaderboards/{leaderboard}/entries{query}");
        self.get(&path).await.expect_status(200)
    }

    /// Returns the first 1000 entries.
    pub async fn list_entries(&self, leaderboard: &str) -> Vec<ListedEntry> {
        ListedEntry::parse_all(&self.page(leaderboard, "?limit=1000").await["entries"])
    }

    /// Returns rank and player of the first 1000 entries.
    pub async fn list_ranks(&self, leaderboard: &str) -> Vec<(u64, String)> {
        let entries = self.list_entries(leaderboard).await.into_iter();
        entries.map(|entry| (entry.rank, entry.player)).collect()
    }

    /// Reads one player's entry.
    pub async fn read_entry(&self, leaderboard: &str, player: &str) -> ApiResponse {
        let player = encode_segment(player);
        self.get(&format!("/leaderboards/{leaderboard}/entries/{player}"))
            .await
    }
}
