//! The header fields that a guest gets in addition to those of the client, and the URL that it sees.

use std::net::SocketAddr;

use http::header::{CONNECTION, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, request::Parts};

use crate::grants::chained_component;
use crate::routes::Match;

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const PATH_MATCH_PREFIX: &str = "spin-path-match-";

/// The host in `spin-full-url` if the client sent no `Host`, as on Spin.
const UNKNOWN_HOST: &str = "localhost";

/// Removes the fields that belong to the connection, and a `Host` with the name of a component.
pub(super) fn strip(headers: &mut HeaderMap) {
    headers.remove(CONNECTION);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| chained_component(host.split(':').next().unwrap_or(host)).is_some()) {
        headers.remove(HOST);
    }
}

/// Sets scheme and authority of the URL. A request of HTTP/1 has the authority only in `Host`.
///
/// # Errors
/// There is no authority, or two different ones, or a header is not UTF-8 and so cannot be passed to a guest.
pub(super) fn complete_url(parts: &mut Parts) -> Result<(), &'static str> {
    if parts
        .headers
        .values()
        .any(|value| std::str::from_utf8(value.as_bytes()).is_err())
    {
        return Err("a header is not UTF-8");
    }
    let host = match parts.headers.get(HOST) {
        None => None,
        Some(host) => {
            let authority =
                Authority::try_from(host.as_bytes()).map_err(|_| "the Host header is malformed")?;
            Some(authority)
        }
    };
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    let authority = match (host, uri.authority.take()) {
        (Some(host), Some(authority)) if host != authority => {
            return Err("Host and URL name different hosts");
        }
        (Some(authority), _) | (None, Some(authority)) => authority,
        (None, None) => return Err("there is no Host header"),
    };
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(authority);
    uri.path_and_query
        .get_or_insert(http::uri::PathAndQuery::from_static("/"));
    parts.uri = Uri::from_parts(uri).map_err(|_| "the URL is malformed")?;
    Ok(())
}

/// Appends the fields of Spin. They come after fields of the same name that the client sent and that a guest
/// must not trust.
pub(super) fn append(parts: &mut Parts, found: &Match<'_>, client: SocketAddr) {
    let host = parts
        .headers
        .get(HOST)
        .and_then(|host| std::str::from_utf8(host.as_bytes()).ok());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("http://{}{path}", host.unwrap_or(UNKNOWN_HOST));
    let headers = &mut parts.headers;
    let mut text = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    };
    text(PATH_INFO, &found.trailing);
    text(FULL_URL, &full_url);
    text(CLIENT_ADDR, &client.to_string());
    for (name, value) in &found.named {
        if let Ok(name) = format!("{PATH_MATCH_PREFIX}{}", name.to_ascii_lowercase()).parse() {
            text(name, value);
        }
    }
    headers.append(MATCHED_ROUTE, found.entry.matched_route.clone());
    headers.append(BASE_PATH, HeaderValue::from_static("/"));
    headers.append(RAW_COMPONENT_ROUTE, found.entry.raw_route.clone());
    headers.append(COMPONENT_ROUTE, found.entry.component_route.clone());
}
