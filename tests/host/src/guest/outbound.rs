//! Outbound HTTP requests of guests: to other hosts, to the application itself, and to other components.

use std::future::Future;
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, Scheme};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use super::services::WorkerServices;
use crate::application::Component;
use crate::grants::chained_component;

/// A host name for the application itself, for SDKs that cannot send a request without a host name.
const SELF_HOST: &str = "self.alt";

type Processed = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Processed), Error>;

/// The hooks for the outbound requests of one instance.
pub(super) struct OutboundHttp {
    services: Arc<WorkerServices>,
    component: Arc<Component>,
}

impl OutboundHttp {
    pub(super) fn new(services: Arc<WorkerServices>, component: Arc<Component>) -> Self {
        Self { services, component }
    }

    /// Returns the destination of a request.
    ///
    /// # Errors
    /// The component may not reach it.
    fn route(&self, request: &mut http::Request<WasiBody>) -> Result<Destination, Error> {
        let host = request
            .uri()
            .authority()
            .map(|authority| authority.host().to_owned());
        let host = host.filter(|host| !host.is_empty() && host != SELF_HOST);
        let Some(host) = host else {
            if !self.component.allowed_hosts.allows_self(&["http", "https"]) {
                return Err(Error::HttpRequestDenied);
            }
            let authority = self
                .services
                .host
                .self_authority()
                .ok_or(Error::HttpRequestUriInvalid)?;
            redirect_to(request, authority)?;
            return Ok(Destination::Network);
        };
        if !self
            .component
            .allowed_hosts
            .allows(&request.uri().to_string(), "https")
        {
            return Err(Error::HttpRequestDenied);
        }
        Ok(chained_component(&host).map_or(Destination::Network, |id| Destination::Component(id.to_owned())))
    }
}

enum Destination {
    Network,
    Component(String),
}

/// Sets the address of this host as the destination of a request.
fn redirect_to(request: &mut http::Request<WasiBody>, authority: Authority) -> Result<(), Error> {
    let host = authority
        .as_str()
        .parse()
        .map_err(|_| Error::HttpRequestUriInvalid)?;
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts
        .path_and_query
        .get_or_insert(http::uri::PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(http::header::HOST, host);
    Ok(())
}

impl WasiHttpHooks for OutboundHttp {
    fn send_request(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _consumed: Processed,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let destination = self.route(&mut request);
        let services = self.services.clone();
        Box::new(async move {
            match destination? {
                Destination::Network => {
                    let (response, io) = default_send_request(request, options).await?;
                    Ok((response.map(BodyExt::boxed_unsync), Box::new(io) as Processed))
                }
                Destination::Component(id) => {
                    let components = services.components.upgrade();
                    let components = components.ok_or(Error::InternalError(None))?;
                    let response = components.call(&id, request).await;
                    Ok((response, Box::new(std::future::ready(Ok(()))) as Processed))
                }
            }
        })
    }
}
