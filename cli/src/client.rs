//! The API client: kept-alive connections, credentials, bounded retries, problem documents as errors.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};
use tokio_util::sync::CancellationToken;

use crate::address::ApiAddress;
use crate::error::CliError;
use crate::problem::ApiProblem;
use crate::profile::ServerConfig;
use crate::retry;

/// The time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest response body, in bytes. A page of 1,000 entries with full metadata is about 2 MiB.
const MAX_RESPONSE_BYTES: usize = 32 * 1024 * 1024;
/// The header that carries the key.
const KEY_HEADER: &str = "x-api-key";
/// The header that names the tenant.
const TENANT_HEADER: &str = "x-tenant-id";

/// Prints a line for people about a retry and its reason.
pub(crate) type Notify = Arc<dyn Fn(&str) + Send + Sync>;

/// The settings of a client.
pub(crate) struct ClientOptions {
    /// The server and the credentials.
    pub(crate) server: ServerConfig,
    /// The most retries of a request.
    pub(crate) retries: u32,
    /// The time limit of one try.
    pub(crate) timeout: Duration,
}

/// One request. The client may send it several times, so the request must be idempotent: a read and a `PUT` are, and a submission
/// is because it has an id.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequest {
    /// The method.
    pub(crate) method: Method,
    /// The whole URL, from [`ApiClient::build_url`].
    pub(crate) url: Url,
    /// Further headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// A JSON body.
    pub(crate) body: Option<String>,
}

impl ApiRequest {
    /// Creates a request without headers and body.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
        }
    }
}

/// A response with any status that a retry would not change: a success or a refusal.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    /// The HTTP status code.
    pub(crate) status: u16,
    /// The version of the document, if the body is a versioned document.
    pub(crate) etag: Option<String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl ApiResponse {
    /// Returns the body of a success. Returns the problem of a refusal as an error.
    pub(crate) fn into_success_body(self) -> Result<Vec<u8>, CliError> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(CliError::Refused(Box::new(ApiProblem::from_response(
            self.status,
            &self.body,
        ))))
    }
}

/// A client of one server. Clones share the connections.
#[derive(Clone)]
pub(crate) struct ApiClient {
    http: reqwest::Client,
    address: ApiAddress,
    key: Option<HeaderValue>,
    tenant: Option<HeaderValue>,
    retries: u32,
    stop: CancellationToken,
    notify: Notify,
}

/// Why a try failed, if a later try may succeed.
struct TransientFailure {
    reason: String,
    retry_after: Option<Duration>,
}

impl ApiClient {
    /// Creates a client. The client announces retries through `notify`; `stop` ends its waits between retries.
    pub(crate) fn new(
        connection: ClientOptions,
        notify: Notify,
        stop: CancellationToken,
    ) -> Result<Self, CliError> {
        let server = connection.server;
        let http = build_http_client(&server.address, connection.timeout)
            .map_err(|error| CliError::Usage(format!("no HTTP client: {}", innermost_cause(&error))))?;
        let key = server.key.map(|key| build_key_header(&key)).transpose()?;
        let tenant = server
            .tenant
            .map(|tenant| build_tenant_header(&tenant))
            .transpose()?;
        Ok(Self {
            http,
            address: server.address,
            key,
            tenant,
            retries: connection.retries,
            stop,
            notify,
        })
    }

    /// Builds the URL of a resource, and percent-encodes each segment and each query value.
    pub(crate) fn build_url(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Url, CliError> {
        self.address.build_url(segments, query)
    }

    /// Reads a resource, and returns its body.
    pub(crate) async fn get(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Vec<u8>, CliError> {
        let url = self.build_url(segments, query)?;
        self.send(&ApiRequest::new(Method::GET, url))
            .await?
            .into_success_body()
    }

    /// Sends a request. Sends it again if it fails for a reason that may be temporary.
    pub(crate) async fn send(&self, request: &ApiRequest) -> Result<ApiResponse, CliError> {
        let mut retry = 0;
        loop {
            let not_now = match self.send_once(request).await? {
                Ok(reply) => return Ok(reply),
                Err(not_now) => not_now,
            };
            retry += 1;
            self.wait_before_retry(retry, &not_now.reason, not_now.retry_after)
                .await?;
        }
    }

    /// Waits before the retry with the number `retry` (from 1). Returns an error if no retries are left or the user interrupts.
    pub(crate) async fn wait_before_retry(
        &self,
        retry: u32,
        reason: &str,
        retry_after: Option<Duration>,
    ) -> Result<(), CliError> {
        if retry > self.retries {
            return Err(CliError::Unreachable(match self.retries {
                0 => reason.to_owned(),
                1 => format!("{reason} (after 1 retry)"),
                retries => format!("{reason} (after {retries} retries)"),
            }));
        }
        if let Some(asked) = retry_after.filter(|asked| *asked > retry::LONGEST_RETRY_AFTER) {
            return Err(CliError::Unreachable(format!(
                "{reason}; it asks to wait {} s",
                asked.as_secs()
            )));
        }
        let wait = retry::compute_wait(retry, retry_after, retry::random_fraction());
        let (seconds, of) = (wait.as_secs_f64(), self.retries);
        (self.notify)(&format!(
            "{reason}; trying again in {seconds:.1} s ({retry} of {of})"
        ));
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = self.stop.cancelled() => Err(CliError::Interrupted),
        }
    }

    /// Sends a request once. The outer error is permanent; the inner error may be temporary.
    async fn send_once(
        &self,
        request: &ApiRequest,
    ) -> Result<Result<ApiResponse, TransientFailure>, CliError> {
        let mut builder = self.http.request(request.method.clone(), request.url.clone());
        builder = builder.header(ACCEPT, "application/json, application/problem+json");
        if let Some(key) = &self.key {
            builder = builder.header(KEY_HEADER, key.clone());
        }
        if let Some(tenant) = &self.tenant {
            builder = builder.header(TENANT_HEADER, tenant.clone());
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(body) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let mut response = match builder.send().await {
            Ok(response) => response,
            Err(error) => return self.classify_error(&error).map(Err),
        };
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name)?.to_str().ok();
        let retry_after =
            header(RETRY_AFTER).and_then(|value| retry::parse_retry_after(value, SystemTime::now()));
        let etag = header(ETAG).map(str::to_owned);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return self.classify_error(&error).map(Err),
            }
            if body.len() > MAX_RESPONSE_BYTES {
                return Err(CliError::Protocol(format!(
                    "{} sends more than {MAX_RESPONSE_BYTES} bytes",
                    self.address
                )));
            }
        }
        if retry::is_transient(status) {
            let reason = ApiProblem::from_response(status, &body).to_line();
            return Ok(Err(TransientFailure {
                reason: format!("{} says {reason}", self.address),
                retry_after,
            }));
        }
        Ok(Ok(ApiResponse { status, etag, body }))
    }

    /// Decides whether a failed exchange may succeed later.
    fn classify_error(&self, error: &reqwest::Error) -> Result<TransientFailure, CliError> {
        if error.is_builder() {
            return Err(CliError::Usage(innermost_cause(error)));
        }
        let cause = if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            innermost_cause(error)
        };
        Ok(TransientFailure {
            reason: format!("{} is out of reach: {cause}", self.address),
            retry_after: None,
        })
    }
}

fn build_http_client(address: &ApiAddress, timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // An error means that another provider is already installed, which works as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("edgeboard/", env!("CARGO_PKG_VERSION")))
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        // A redirect would send the key to another address.
        .redirect(reqwest::redirect::Policy::none());
    if !address.is_https() {
        // Without TLS the system's certificates need not be read (a small container may have none).
        builder = builder.tls_certs_only([]);
    }
    if address.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build()
}

fn build_key_header(key: &str) -> Result<HeaderValue, CliError> {
    let mut value = HeaderValue::from_str(key.trim())
        .map_err(|_error| CliError::Usage("the key has characters that a header cannot carry".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn build_tenant_header(tenant: &str) -> Result<HeaderValue, CliError> {
    HeaderValue::from_str(tenant.trim())
        .map_err(|_error| CliError::Usage(format!("`{tenant}` cannot be a tenant's id")))
}

/// Returns the innermost cause, which says what happened; the outer errors only name the layer that reported it.
fn innermost_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(current) = cause {
        text = Some(current.to_string());
        cause = current.source();
    }
    text.unwrap_or_else(|| error.to_string())
}
