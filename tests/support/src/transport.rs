//! Transports, which carry requests to the service.

use bytes::Bytes;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A way by which requests reach the service: over HTTP, or in process.
pub trait Transport {
    /// Returns the URL of the service without a path, such as `http://127.0.0.1:3000`.
    fn url(&self) -> &str;

    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    /// The text of the connection's error. A response with an error status is not an error.
    fn send(&self, request: Request<Bytes>) -> LocalBoxFuture<'_, Result<Response<Bytes>, String>>;
}

/// Sends requests over HTTP/1.1. It keeps connections open.
#[derive(Debug)]
pub struct HttpTransport {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl HttpTransport {
    /// Creates a transport to an address such as `http://127.0.0.1:3000`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            url: url.to_owned(),
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }
}

impl Transport for HttpTransport {
    fn url(&self) -> &str {
        &self.url
    }

    fn send(&self, request: Request<Bytes>) -> LocalBoxFuture<'_, Result<Response<Bytes>, String>> {
        let response = self.client.request(request.map(Full::new));
        async {
            let (head, body) = response.await.map_err(|error| format!("{error:?}"))?.into_parts();
            let body = body.collect().await.map_err(|error| format!("{error:?}"))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        }
        .boxed_local()
    }
}
