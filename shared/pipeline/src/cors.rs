//! Access for scripts of other origins (the CORS protocol of the Fetch standard). It is off unless the operator lists origins.
//! Scripts set the credential headers themselves, so this service never sends `Access-Control-Allow-Credentials`.

use std::str::FromStr;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW,
    CONTENT_LENGTH, CONTENT_TYPE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};

/// The most origins that the operator can list.
const MAX_ORIGINS: usize = 100;
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, API-Integers, API-Version, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, traceparent, \
     tracestate, X-API-Key, X-Tenant-ID",
);
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept-Patch, Age, Cache-Status, Deprecation, ETag, Link, Location, Preference-Applied, RateLimit, \
     RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Request-Id",
);
/// How long a browser caches a preflight response, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The origins whose scripts can read responses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CorsOrigins {
    /// No origin.
    #[default]
    None,
    /// Every origin.
    Any,
    /// These origins, as browsers send them.
    Listed(Vec<HeaderValue>),
}

/// Parses `*`, or origins separated by commas: `https://a.example, http://localhost:8080`. An empty text allows none.
impl FromStr for CorsOrigins {
    /// What is wrong, for the operator.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        match parts.as_slice() {
            [] => Ok(Self::None),
            ["*"] => Ok(Self::Any),
            parts if parts.len() > MAX_ORIGINS => Err(format!("at most {MAX_ORIGINS} origins can be listed")),
            parts => parts
                .iter()
                .map(|part| origin(part).ok_or_else(|| format!("{part} is not an origin")))
                .collect::<Result<_, _>>()
                .map(Self::Listed),
        }
    }
}

/// Returns an origin (scheme, host and port) as browsers write it: in lower case, without a path, and without the scheme's
/// default port. Returns `None` for any other text.
fn origin(text: &str) -> Option<HeaderValue> {
    let text = match text.split_once("://")? {
        ("https", _) => text.strip_suffix(":443").unwrap_or(text),
        ("http", _) => text.strip_suffix(":80").unwrap_or(text),
        _ => text,
    };
    let uri: Uri = text.parse().ok()?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = format!("{}://{}", uri.scheme_str()?, uri.authority()?) == text;
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase() || b == b'@');
    HeaderValue::from_str(text).ok().filter(|_| web && bare && lower)
}

impl CorsOrigins {
    /// Returns the value of `Access-Control-Allow-Origin` for an origin, or `None` if scripts of this origin may not read the
    /// response.
    fn grant(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Any => Some(ANY),
            Self::Listed(origins) => origins.contains(origin).then(|| origin.clone()),
        }
    }
}

/// Adds the headers that let scripts of the request's origin read the response, if the operator allows this origin. Also answers
/// a preflight request, which arrives here with status 405 and the methods of the path. Returns whether the request was a
/// preflight.
pub fn admit(
    origins: &CorsOrigins,
    method: &Method,
    asked: &HeaderMap,
    response: &mut Response<Bytes>,
) -> bool {
    if *origins == CorsOrigins::None {
        return false;
    }
    if *origins != CorsOrigins::Any {
        response
            .headers_mut()
            .append(VARY, HeaderValue::from_static("Origin"));
    }
    let origin = asked.get(ORIGIN);
    let granted = match origins {
        // A request without an origin gets the header too, because a shared cache can serve its response to a script.
        CorsOrigins::Any => Some(ANY),
        origins => origin.and_then(|origin| origins.grant(origin)),
    };
    let Some(granted) = granted else {
        return false;
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, granted);
    if origin.is_some()
        && asks_first(method, asked)
        && response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Some(methods) = response.headers_mut().remove(ALLOW)
    {
        permit(response, methods);
        return true;
    }
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    false
}

fn asks_first(method: &Method, asked: &HeaderMap) -> bool {
    method == Method::OPTIONS && asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Makes the response to a preflight request: 204, with these methods and the request headers that the API accepts.
fn permit(response: &mut Response<Bytes>, methods: HeaderValue) {
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.body_mut() = Bytes::new();
    let headers: &mut HeaderMap = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.remove(CONTENT_LENGTH);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The description of the API, with every header that a response can have.
    const DESCRIPTION: &str = include_str!("../../../docs/openapi/v1.json");
    /// The described headers that scripts need no permission to read (`Cache-Control`), or that other programs read.
    const OTHER_HEADERS: [&str; 8] = [
        "API-Version",
        "Allow",
        "CDN-Cache-Control",
        "Cache-Control",
        "Cache-Group-Invalidation",
        "Cache-Groups",
        "Content-Encoding",
        "X-Accel-Buffering",
    ];

    fn parse_origins(text: &str) -> Result<CorsOrigins, String> {
        text.parse()
    }

    #[test]
    fn the_exposed_headers_are_headers_of_the_api() {
        let description: serde_json::Value = serde_json::from_str(DESCRIPTION).unwrap();
        let described: BTreeSet<&str> = description["components"]["headers"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|name| !OTHER_HEADERS.contains(name))
            .collect();
        let exposed = EXPOSED_HEADERS;
        let exposed: BTreeSet<&str> = exposed.to_str().unwrap().split(", ").collect();
        assert_eq!(exposed, described);
    }

    #[test]
    fn only_origins_in_the_form_of_browsers_are_accepted() {
        assert_eq!(parse_origins(""), Ok(CorsOrigins::None));
        assert_eq!(parse_origins(" , "), Ok(CorsOrigins::None));
        assert_eq!(parse_origins("*"), Ok(CorsOrigins::Any));
        let listed = parse_origins("https://a.example, http://localhost:8080,http://[::1]:80").unwrap();
        assert!(matches!(&listed, CorsOrigins::Listed(all) if all.len() == 3));
        for bad in [
            "a.example",
            "https://a.example/",
            "https://A.example",
            "https://a.example/path",
            "ftp://a.example",
            "https://user@a.example",
            "null",
            "https://*.example.com, *",
            "https://",
        ] {
            assert!(parse_origins(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_port_of_a_scheme_is_ignored() {
        let listed = parse_origins(
            "https://a.example:443, http://a.example:80, https://a.example:80, http://[::1]:80",
        )
        .unwrap();
        for (asked, granted) in [
            ("https://a.example", true),
            ("http://a.example", true),
            ("https://a.example:80", true),
            ("http://[::1]", true),
            ("http://a.example:443", false),
        ] {
            assert_eq!(
                listed.grant(&HeaderValue::from_static(asked)).is_some(),
                granted,
                "{asked}"
            );
        }
        assert!(parse_origins("https://:443").is_err());
    }

    #[test]
    fn only_listed_origins_are_granted() {
        let value = HeaderValue::from_static;
        let listed = parse_origins("https://a.example").unwrap();
        assert_eq!(
            listed.grant(&value("https://a.example")),
            Some(value("https://a.example"))
        );
        for other in [
            "https://b.example",
            "https://a.example.evil",
            "http://a.example",
            "null",
            "*",
        ] {
            assert_eq!(listed.grant(&value(other)), None, "{other}");
        }
        assert_eq!(CorsOrigins::Any.grant(&value("null")), Some(ANY));
        assert_eq!(CorsOrigins::None.grant(&value("https://a.example")), None);
    }
}
