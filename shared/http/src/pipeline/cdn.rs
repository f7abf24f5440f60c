//! What a shared cache may store (RFC 9111): it gives the answer to others, and CDNs do not look at `Vary`.

use std::str::FromStr;

use http::HeaderMap;
use http::header::HeaderName;

use super::CorsOrigins;
use crate::limits::RATE_LIMIT;

/// RFC 9213: what CDNs go by, in place of `Cache-Control`. An answer without it is private.
pub(crate) const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
/// The names of the request headers that can be listed.
const ORIGIN: &str = "origin";
const TENANT: &str = "x-tenant-id";

/// The request headers that are part of the cache key of the CDN in front, beside the whole address, as the operator says. An answer
/// that depends on another one is not for a shared cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CdnKeyHeaders {
    origin: bool,
    tenant: bool,
}

/// What is wrong with a list of headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidKeyHeaders(
    /// In words for the operator.
    pub String,
);

/// Names with commas between them: `Origin, X-Tenant-ID`. Empty: the address alone.
impl FromStr for CdnKeyHeaders {
    type Err = InvalidKeyHeaders;

    fn from_str(text: &str) -> Result<Self, InvalidKeyHeaders> {
        let mut headers = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name.to_ascii_lowercase().as_str() {
                ORIGIN => headers.origin = true,
                TENANT => headers.tenant = true,
                _ => return Err(InvalidKeyHeaders(format!("{name} is not Origin or X-Tenant-ID"))),
            }
        }
        Ok(headers)
    }
}

impl CdnKeyHeaders {
    /// Whether a shared cache tells two anonymous reads apart that have different answers: of other tenants, unless the address names
    /// the tenant, and for other origins, where origins are listed.
    pub(crate) fn tell_apart(self, tenant_in_address: bool, origins: &CorsOrigins) -> bool {
        (tenant_in_address || self.tenant) && (self.origin || !matches!(origins, CorsOrigins::Listed(_)))
    }
}

/// Whether a shared cache may store an answer. Then it carries nothing that belongs to one request, and what is left of one reader's
/// limits is taken off.
pub(super) fn is_shared(headers: &mut HeaderMap) -> bool {
    let shared = headers.contains_key(CDN_CACHE_CONTROL);
    if shared {
        headers.remove(RATE_LIMIT);
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_cache_must_see_all_that_an_answer_depends_on() {
        let key = |text: &str| text.parse::<CdnKeyHeaders>().unwrap();
        let listed: CorsOrigins = "https://a.example".parse().unwrap();
        for origins in [&CorsOrigins::None, &CorsOrigins::Any] {
            assert!(!key("").tell_apart(false, origins));
            assert!(key("").tell_apart(true, origins));
            assert!(key(" X-Tenant-ID").tell_apart(false, origins));
        }
        assert!(!key("").tell_apart(true, &listed));
        assert!(!key("x-tenant-id").tell_apart(false, &listed));
        assert!(!key("origin").tell_apart(false, &listed));
        assert!(key("origin").tell_apart(true, &listed));
        assert!(key("Origin, X-Tenant-ID,").tell_apart(false, &listed));
        assert!("cookie".parse::<CdnKeyHeaders>().is_err());
    }
}
