//! The headers that tell browsers what an answer is not for (OWASP HTTP Headers).

use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use http::{HeaderMap, HeaderValue};

/// On every answer. A value costs no allocation.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains"),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_XSS_PROTECTION, HeaderValue::from_static("0")),
];
/// JSON loads nothing and stands in no frame. A page has a policy of its own.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Adds the headers.
pub(crate) fn protect(headers: &mut HeaderMap) {
    headers.reserve(HEADERS.len() + 1);
    headers.extend(HEADERS);
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_own_policy_and_has_the_rest() {
        let mut headers = HeaderMap::new();
        protect(&mut headers);
        assert_eq!(headers.len(), HEADERS.len() + 1);
        assert_eq!(headers[CONTENT_SECURITY_POLICY], NOTHING);
        let own = HeaderValue::from_static("default-src 'self'");
        headers.insert(CONTENT_SECURITY_POLICY, own.clone());
        protect(&mut headers);
        assert_eq!(headers[CONTENT_SECURITY_POLICY], own);
    }
}
