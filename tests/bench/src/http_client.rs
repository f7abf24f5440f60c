//! A small HTTP client for administration and for filling a store.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long one request may take. A batch on SQLite waits for the disk.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a request is sent at most, and the pause between two tries.
const MAX_TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// A client of one server, as its administrator.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: Client<HttpConnector, Full<axum::body::Bytes>>,
    address: String,
    admin_key: String,
}

impl HttpClient {
    pub(crate) fn new(address: &str, admin_key: &str) -> Self {
        Self {
            // A kept connection may be closed by the server at the moment when it is used again.
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build_http(),
            address: address.to_owned(),
            admin_key: admin_key.to_owned(),
        }
    }

    /// Sends a request of a tenant's administrator, and returns the body of the response.
    ///
    /// # Errors
    /// The server gives no answer, or an answer without success.
    pub(crate) async fn send(&self, method: Method, path: &str, tenant: &str, body: String) -> Result<Value> {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.address))
            .header("X-API-Key", &self.admin_key)
            .header("X-Tenant-ID", tenant)
            .header("Prefer", "return=minimal")
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

    /// Sends a request that may be sent twice, until it succeeds: after a measurement beyond what the server can do, the server may
    /// refuse requests for some seconds.
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
