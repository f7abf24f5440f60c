//! Response headers that restrict what browsers do with a response (OWASP HTTP Headers).

use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

/// Headers of every response. Static values need no allocation.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];
/// The header of every response over TLS. Without TLS, browsers must ignore it (RFC 6797, section 8.1).
pub const STRICT_TRANSPORT: (HeaderName, HeaderValue) = (
    STRICT_TRANSPORT_SECURITY,
    HeaderValue::from_static("max-age=63072000; includeSubDomains"),
);
/// The policy of a JSON response: it loads nothing and cannot be framed. A page has its own policy.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Adds the headers. `secure` says whether the request came over TLS.
pub fn add_security_headers(headers: &mut HeaderMap, secure: bool) {
    headers.reserve(HEADERS.len() + 2);
    headers.extend(HEADERS);
    if secure {
        headers.extend([STRICT_TRANSPORT]);
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_own_policy_and_gets_the_other_headers() {
        let mut headers = HeaderMap::new();
        add_security_headers(&mut headers, false);
        assert_eq!(headers.len(), HEADERS.len() + 1);
        assert_eq!(headers[CONTENT_SECURITY_POLICY], NOTHING);
        let own = HeaderValue::from_static("default-src 'self'");
        headers.insert(CONTENT_SECURITY_POLICY, own.clone());
        add_security_headers(&mut headers, true);
        assert_eq!(headers[CONTENT_SECURITY_POLICY], own);
        assert_eq!(headers[STRICT_TRANSPORT_SECURITY], STRICT_TRANSPORT.1);
    }
}
