//! Decides what a shared cache can store (RFC 9111). A shared cache serves one response to several clients, and CDNs ignore
//! `Vary`.

use std::str::FromStr;

use http::header::{CACHE_CONTROL, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::CorsOrigins;
use leaderboard_api::IntegerFormat;
use leaderboard_rate_limit::RATE_LIMIT;

/// The cache control for CDNs, which overrides `Cache-Control` (RFC 9213). A response without it is private.
pub const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
/// The names of the request headers that an operator can list.
const INTEGERS: &str = "api-integers";
const ORIGIN: &str = "origin";
const TENANT: &str = "x-tenant-id";
/// The values of `Cache-Control` for a response that no cache may store, and for one that only the client may store.
const NO_STORE: &str = "no-store";
const PRIVATE: &str = "private";

/// The request headers that the operator's CDN has in its cache key, in addition to the whole address. A shared cache must not
/// store a response that depends on another header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CdnKeyHeaders {
    integers: bool,
    origin: bool,
    tenant: bool,
}

/// Parses names separated by commas: `Origin, X-Tenant-ID`. An empty text means that the cache key is only the address.
impl FromStr for CdnKeyHeaders {
    /// What is wrong, for the operator.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut headers = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name.to_ascii_lowercase().as_str() {
                INTEGERS => headers.integers = true,
                ORIGIN => headers.origin = true,
                TENANT => headers.tenant = true,
                _ => {
                    return Err(format!("{name} is not API-Integers, Origin or X-Tenant-ID"));
                }
            }
        }
        Ok(headers)
    }
}

impl CdnKeyHeaders {
    /// Returns whether a shared cache distinguishes an anonymous read from reads that get another response. Reads of other
    /// tenants get another response, unless the address names the tenant; so do reads from other origins, if origins are listed,
    /// and reads that ask for another form of 64-bit integers.
    pub fn tell_apart(self, tenant_in_address: bool, origins: &CorsOrigins, integers: IntegerFormat) -> bool {
        (tenant_in_address || self.tenant)
            && (self.origin || !matches!(origins, CorsOrigins::Listed(_)))
            && (self.integers || integers == IntegerFormat::default())
    }
}

/// Marks a response as `private` unless shared caches can store it. Returns whether they can. Removes the caller's remaining
/// units from a response for shared caches, because such a response must not contain data of one request.
pub(crate) fn limit_sharing(headers: &mut HeaderMap) -> bool {
    if headers.contains_key(CDN_CACHE_CONTROL) {
        headers.remove(RATE_LIMIT);
        return true;
    }
    let control = headers.get(CACHE_CONTROL).map_or("", of_header);
    if control.is_empty() {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    } else if control != NO_STORE
        && !control.starts_with(PRIVATE)
        && let Ok(private) = HeaderValue::try_from(format!("{PRIVATE}, {control}"))
    {
        headers.insert(CACHE_CONTROL, private);
    }
    false
}

/// Returns the text of a header that this service has written.
fn of_header(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cdn_key_must_contain_all_headers_that_responses_depend_on() {
        let is_key_sufficient = |key: &str, tenant_in_address: bool, origins: &CorsOrigins| {
            let key: CdnKeyHeaders = key.parse().unwrap();
            key.tell_apart(tenant_in_address, origins, IntegerFormat::default())
        };
        let listed: CorsOrigins = "https://a.example".parse().unwrap();
        for origins in [&CorsOrigins::None, &CorsOrigins::Any] {
            assert!(!is_key_sufficient("", false, origins));
            assert!(is_key_sufficient("", true, origins));
            assert!(is_key_sufficient(" X-Tenant-ID", false, origins));
        }
        assert!(!is_key_sufficient("", true, &listed));
        assert!(!is_key_sufficient("x-tenant-id", false, &listed));
        assert!(!is_key_sufficient("origin", false, &listed));
        assert!(is_key_sufficient("origin", true, &listed));
        assert!(is_key_sufficient("Origin, X-Tenant-ID,", false, &listed));
        let is_sufficient_for_strings = |key: &str| {
            let key: CdnKeyHeaders = key.parse().unwrap();
            key.tell_apart(true, &CorsOrigins::None, IntegerFormat::String)
        };
        assert!(
            !is_sufficient_for_strings("")
                && !is_sufficient_for_strings("origin, x-tenant-id")
                && is_sufficient_for_strings("API-Integers")
        );
        assert!("cookie".parse::<CdnKeyHeaders>().is_err());
    }

    #[test]
    fn responses_that_are_not_for_shared_caches_say_so() {
        for (sent, cdn, expected) in [
            (None, false, "no-store"),
            (Some("no-store"), false, "no-store"),
            (Some("no-cache"), false, "private, no-cache"),
            (Some("private, no-cache"), false, "private, no-cache"),
            (Some("no-cache"), true, "no-cache"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RATE_LIMIT, HeaderValue::from_static("x"));
            if let Some(sent) = sent {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static(sent));
            }
            if cdn {
                headers.insert(CDN_CACHE_CONTROL, HeaderValue::from_static("max-age=5"));
            }
            assert_eq!(limit_sharing(&mut headers), cdn, "{sent:?}");
            assert_eq!(headers[CACHE_CONTROL], expected, "{sent:?}");
            assert_eq!(headers.contains_key(RATE_LIMIT), !cdn, "{sent:?}");
        }
    }
}
