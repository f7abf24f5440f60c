//! The key of the micro-cache: what two requests have in common if they get the same response.

use http::Method;

use crate::MAX_HEADER_BYTES;
use crate::lines::RawHeaders;

/// The longest key, in bytes. Longer requests are unlikely to repeat.
const MAX_KEY_BYTES: usize = 1024;

/// A request's address and the headers that its response can depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MicroCacheKey(Vec<u8>);

impl MicroCacheKey {
    /// Returns the key of a request, or `None` if it is not a GET, carries a credential, or is too long.
    #[must_use]
    pub fn of(method: &Method, path: &str, headers: &RawHeaders) -> Option<Self> {
        if method != Method::GET || path.len() > MAX_KEY_BYTES {
            return None;
        }
        let mut key = Vec::with_capacity(MAX_KEY_BYTES / 4);
        key.extend_from_slice(path.as_bytes());
        let mut bytes = 0;
        for (name, value) in headers {
            bytes += name.len() + value.len();
            match name.as_str() {
                "authorization" | "x-api-key" => return None,
                name if is_never_read(name) => {}
                name => {
                    // No name or value holds a line break.
                    key.push(b'\n');
                    key.extend_from_slice(name.as_bytes());
                    key.push(b':');
                    key.extend_from_slice(value);
                }
            }
            if bytes > MAX_HEADER_BYTES || key.len() > MAX_KEY_BYTES {
                return None;
            }
        }
        Some(Self(key))
    }
}

/// Returns whether a header cannot change a reused response: either the pipeline does not read it, or the pipeline reads it for
/// every request, as it does for the trace id and the client's address.
fn is_never_read(name: &str) -> bool {
    name.starts_with("spin-")
        || name.starts_with("sec-")
        || matches!(
            name,
            "host"
                | "user-agent"
                | "accept-language"
                | "baggage"
                | "cdn-loop"
                | "connection"
                | "cookie"
                | "dnt"
                | "forwarded"
                | "priority"
                | "referer"
                | "te"
                | "traceparent"
                | "tracestate"
                | "upgrade-insecure-requests"
                | "via"
                | "x-forwarded-for"
                | "x-forwarded-host"
                | "x-forwarded-port"
                | "x-forwarded-proto"
                | "x-real-ip"
                | "x-request-id"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_key(path: &str, headers: &[(&str, &str)]) -> Option<MicroCacheKey> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        MicroCacheKey::of(&Method::GET, path, &headers)
    }

    #[test]
    fn an_irrelevant_header_makes_the_same_cache_key() {
        let plain = create_key("/a?b=c", &[]);
        assert!(plain.is_some());
        for (name, value) in [
            ("user-agent", "a browser"),
            ("spin-client-addr", "192.0.2.1:80"),
            ("sec-fetch-mode", "cors"),
            ("traceparent", "00-1-2-01"),
        ] {
            assert_eq!(create_key("/a?b=c", &[(name, value)]), plain, "{name}");
        }
    }

    #[test]
    fn an_unknown_header_or_another_query_makes_another_cache_key() {
        let plain = create_key("/a?b=c", &[]);
        assert_ne!(create_key("/a?b=d", &[]), plain);
        for (name, value) in [
            ("accept", "text/csv"),
            ("accept-encoding", "gzip"),
            ("api-version", "2"),
            ("cache-control", "no-cache"),
            ("if-none-match", "\"x\""),
            ("origin", "https://a.example"),
            ("x-tenant-id", "b"),
            ("x-of-another-day", ""),
        ] {
            assert_ne!(create_key("/a?b=c", &[(name, value)]), plain, "{name}");
        }
        assert_ne!(
            create_key("/a", &[("accept", "x"), ("range", "y")]),
            create_key("/a", &[("accept", "x:y")])
        );
    }

    #[test]
    fn requests_that_must_not_be_cached_have_no_cache_key() {
        assert_eq!(create_key("/a", &[("authorization", "Bearer x")]), None);
        assert_eq!(create_key("/a", &[("x-api-key", "x")]), None);
        assert_eq!(create_key(&"/a".repeat(MAX_KEY_BYTES), &[]), None);
        assert_eq!(create_key("/a", &[("accept", &"x".repeat(MAX_KEY_BYTES))]), None);
        assert_eq!(
            create_key("/a", &[("cookie", &"x".repeat(MAX_HEADER_BYTES))]),
            None
        );
        assert_eq!(MicroCacheKey::of(&Method::POST, "/a", &Vec::new()), None);
        assert_eq!(MicroCacheKey::of(&Method::HEAD, "/a", &Vec::new()), None);
    }
}
