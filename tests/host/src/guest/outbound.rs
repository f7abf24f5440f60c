//! Outbound HTTP requests of guests: to other hosts, to the application itself, and to other components.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, Scheme};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use super::services::WorkerServices;
use crate::application::Component;
use crate::grants::{chained_component, remove_blocked};

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

/// Checks that a request does not go to a blocked network. A request without TLS gets the address that was checked as its destination,
/// so that its name cannot lead elsewhere a moment later. A request with TLS keeps the name: the server must prove it.
async fn avoid_blocked(
    services: &WorkerServices,
    request: &mut http::Request<WasiBody>,
) -> Result<(), Error> {
    let blocked = &services.host.blocked_networks;
    if blocked.is_empty() {
        return Ok(());
    }
    let uri = request.uri();
    let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let port = authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let mut addresses: Vec<SocketAddr> = found.map_err(Error::Connect)?.collect();
    remove_blocked(blocked, &mut addresses);
    // Only one address can be the destination, and IPv6 is not everywhere.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let Some(address) = addresses.first() else {
        tracing::error!(
            host,
            "all addresses of an outbound destination are in blocked networks"
        );
        return Err(Error::DestinationIpProhibited);
    };
    if !is_secure {
        let mut parts = request.uri().clone().into_parts();
        parts.authority = address.to_string().parse().ok();
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)?;
    }
    Ok(())
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
                    avoid_blocked(&services, &mut request).await?;
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
