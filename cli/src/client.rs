//! Calls to the API: kept-alive connections, the key, bounded retries, problems as errors.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};

use crate::address::ApiAddress;
use crate::error::CliError;
use crate::problem::ApiProblem;
use crate::profile::ServerConfig;
use crate::retry;
use crate::stop::StopSignal;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes. A page of 1,000 entries with full metadata is about 2 MiB.
const MAX_RESPONSE_BYTES: usize = 32 * 1024 * 1024;
/// The header that carries the key.
const KEY_HEADER: &str = "x-api-key";
/// The header that names the tenant.
const TENANT_HEADER: &str = "x-tenant-id";

/// Takes a line for people: a retry and its reason.
pub(crate) type Notify = Arc<dyn Fn(&str) + Send + Sync>;

/// How to reach the server, from the command line.
pub(crate) struct ClientOptions {
    /// Where the API is, and as whom it is called.
    pub(crate) server: ServerConfig,
    /// How often a call is tried again.
    pub(crate) retries: u32,
    /// How long one attempt may take.
    pub(crate) timeout: Duration,
}

/// One call. It may be sent several times, so it must be safe to repeat: reads are, a `PUT` is, and a
/// submission is because it carries an id.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequest {
    /// The method.
    pub(crate) method: Method,
    /// The whole address, from [`ApiClient::build_url`].
    pub(crate) url: Url,
    /// Further headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// A JSON body.
    pub(crate) body: Option<String>,
}

impl ApiRequest {
    /// A call with nothing but an address.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
        }
    }
}

/// An answer with its status; a refusal that cannot be cured by waiting is one as well.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    /// The HTTP status code.
    pub(crate) status: u16,
    /// The version of the document, where the answer is one.
    pub(crate) etag: Option<String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl ApiResponse {
    /// The body if the status says success, the problem otherwise.
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
    stop: StopSignal,
    notify: Notify,
}

/// What one attempt came to, when that is not an answer.
struct TransientFailure {
    reason: String,
    retry_after: Option<Duration>,
}

impl ApiClient {
    /// A client; `notify` hears of retries, `stop` ends the waits between them.
    pub(crate) fn new(connection: ClientOptions, notify: Notify, stop: StopSignal) -> Result<Self, CliError> {
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

    /// The address of a resource; each segment and each value is percent-encoded.
    pub(crate) fn build_url(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Url, CliError> {
        self.address.build_url(segments, query)
    }

    /// Reads a resource.
    pub(crate) async fn get(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Vec<u8>, CliError> {
        let url = self.build_url(segments, query)?;
        self.send(&ApiRequest::new(Method::GET, url))
            .await?
            .into_success_body()
    }

    /// Makes a call until there is an answer that is not "not now".
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

    /// Waits before retry number `retry` (from 1), or says that it is enough.
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
            () = self.stop.requested() => Err(CliError::Interrupted),
        }
    }

    /// One attempt: an answer, or "not now", or a failure that waiting does not cure.
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

    /// Whether a failed exchange may work later.
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
    // An error means that a provider is installed already, which is just as good.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("edgeboard/", env!("CARGO_PKG_VERSION")))
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        // A redirect would carry the key to another place.
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

/// The cause at the bottom, which says what happened; the layers above only say who noticed.
fn innermost_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(current) = cause {
        text = Some(current.to_string());
        cause = current.source();
    }
    text.unwrap_or_else(|| error.to_string())
}
