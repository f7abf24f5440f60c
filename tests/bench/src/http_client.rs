//! A small HTTP client for administration and for filling a store.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The longest time of one request. It is long, because a batch on SQLite waits for the disk.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The most times that a request is sent.
const MAX_TRIES: u32 = 60;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// A client of one server, with the admin key.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: Client<HttpConnector, Full<axum::body::Bytes>>,
    address: String,
    admin_key: String,
    /// The value of the header `Prefer`.
    preference: &'static str,
}

impl HttpClient {
    /// Creates a client of the server at `address`.
    pub(crate) fn new(address: &str, admin_key: &str) -> Self {
        Self {
            // Each request gets a new connection, because the server could close a kept connection at the
            // moment when the client uses it again.
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build_http(),
            address: address.to_owned(),
            admin_key: admin_key.to_owned(),
            preference: "return=minimal",
        }
    }

    /// Returns a client of the same server whose requests have another preference.
    pub(crate) fn preferring(&self, preference: &'static str) -> Self {
        Self {
            preference,
            ..self.clone()
        }
    }

    /// Sends a request for a tenant with the admin key, and returns the body of the response.
    ///
    /// # Errors
    /// The server does not respond, or the status is not a success.
    pub(crate) async fn send(&self, method: Method, path: &str, tenant: &str, body: String) -> Result<Value> {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.address))
            .header("X-API-Key", &self.admin_key)
            .header("X-Tenant-ID", tenant)
            .header("Prefer", self.preference)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))?;
        let response = tokio::time::timeout(TIMEOUT, self.client.request(request)).await;
        let response = response
            .with_context(|| format!("{method} {path} gets no answer"))??
            .map(BodyExt::collect);
        let (head, body) = response.into_parts();
        let body = body.await?.to_bytes();
        if !head.status.is_success() {
            bail!(
                "{method} {path}: {} {}",
                head.status,
                String::from_utf8_lossy(&body)
            );
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Opens a stream, and returns the body of the response.
    ///
    /// # Errors
    /// The server does not respond, or the status is not a success.
    pub(crate) async fn open(&self, path: &str, tenant: &str) -> Result<Incoming> {
        let request = Request::builder()
            .uri(format!("{}{path}", self.address))
            .header("X-Tenant-ID", tenant)
            .body(Full::default())?;
        let response = tokio::time::timeout(TIMEOUT, self.client.request(request)).await;
        let response = response.with_context(|| format!("{path} gets no answer"))??;
        if !response.status().is_success() {
            bail!("{path}: {}", response.status());
        }
        Ok(response.into_body())
    }

    /// Sends an idempotent request again and again until it succeeds. After a measurement that overloads the
    /// server, the server may refuse requests for some seconds.
    ///
    /// # Errors
    /// The error of the last try after [`MAX_TRIES`].
    pub(crate) async fn send_again(
        &self,
        method: Method,
        path: &str,
        tenant: &str,
        body: String,
    ) -> Result<Value> {
        let mut tries = 1;
        loop {
            match self.send(method.clone(), path, tenant, body.clone()).await {
                Err(_) if tries < MAX_TRIES => tokio::time::sleep(PAUSE).await,
                result => return result,
            }
            tries += 1;
        }
    }
}
