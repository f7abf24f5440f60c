//! Requests as the host hands them over. The SDK's own conversion also asks for what no route reads (scheme, authority, options,
//! trailers), and each question is a call of the host.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use leaderboard_pipeline::RawHeaders;
use spin_sdk::wasip3::http::types::{self, ErrorCode};

use crate::body::Unread;

/// A request of which the body has not been read.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: RawHeaders,
    request: types::Request,
}

impl Incoming {
    /// Asks the host for the head.
    ///
    /// # Errors
    /// When the method is none that HTTP allows.
    pub(crate) fn new(request: types::Request) -> Result<Self, ErrorCode> {
        let method =
            Method::try_from(request.get_method()).map_err(|_| ErrorCode::HttpRequestMethodInvalid)?;
        let path = request.get_path_with_query().unwrap_or_else(|| "/".to_owned());
        let headers = request.get_headers().copy_all();
        Ok(Self {
            method,
            path,
            headers,
            request,
        })
    }

    /// The request in the pipeline's types; its body is still to be read.
    ///
    /// # Errors
    /// When the address or a header is none that HTTP allows; the host lets no such request through.
    pub(crate) fn into_request(self) -> Result<http::Request<Unread>, ErrorCode> {
        let headers = header_map(self.headers)?;
        let mut request = http::Request::new(Unread::new(&self.method, &headers, self.request));
        *request.method_mut() = self.method;
        *request.uri_mut() = Uri::try_from(self.path).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

fn header_map(headers: RawHeaders) -> Result<HeaderMap, ErrorCode> {
    let invalid = || ErrorCode::InternalError(Some("a header is malformed".to_owned()));
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|_| invalid())?;
        map.append(name, HeaderValue::try_from(value).map_err(|_| invalid())?);
    }
    Ok(map)
}
