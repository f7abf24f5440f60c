//! Converts the host's requests. The SDK's conversion also reads scheme, authority, options and trailers. No route needs them,
//! and reading each of them is a call of the host.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use leaderboard_pipeline::RawHeaders;
use spin_sdk::wasip3::http::types::{self, ErrorCode};

use crate::body::Unread;

/// A request whose body has not been read.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// The path with the query.
    pub(crate) path: String,
    pub(crate) headers: RawHeaders,
    request: types::Request,
}

impl Incoming {
    /// Reads method, path and headers.
    ///
    /// # Errors
    /// The method is not one that HTTP allows.
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

    /// Converts the request to the types of the pipeline, without reading its body.
    ///
    /// # Errors
    /// The path or a header is not one that HTTP allows. The host refuses such requests earlier.
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
