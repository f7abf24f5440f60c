//! Whose data a request is about. The operator's key holds for all tenants, so its bearer names one; without
//! a credential the name only matters to reads of public leaderboards, which is all such a caller may do.

use http::HeaderMap;
use leaderboard_core::TenantId;

use super::{invalid_header, one_header};
use crate::problem::Problem;

const TENANT: &str = "X-Tenant-ID";

/// The tenant that the request names, or the default one.
pub(super) fn tenant(headers: &HeaderMap, default: &TenantId) -> Result<TenantId, Problem> {
    match one_header(headers, TENANT)? {
        None => Ok(default.clone()),
        Some(name) => TenantId::new(name).map_err(|invalid| invalid_header(TENANT, &invalid.detail)),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_tenant_is_named_or_the_default_one() {
        let default = TenantId::new("default").unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(tenant(&headers, &default), Ok(default.clone()));
        headers.insert("x-tenant-id", HeaderValue::from_static("acme"));
        assert_eq!(tenant(&headers, &default), Ok(TenantId::new("acme").unwrap()));
        headers.insert("x-tenant-id", HeaderValue::from_static("Acme:1"));
        assert!(tenant(&headers, &default).is_err());
    }
}
