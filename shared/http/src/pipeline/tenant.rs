//! Whose data a request is about: the credential's tenant, whatever a client sends. The operator's key holds for all
//! tenants, so its bearer names one; without a credential the name only matters to reads of public leaderboards,
//! which is all such a caller may do.

use http::HeaderMap;
use leaderboard_core::TenantId;

use super::{invalid_header, one_header};
use crate::identity::Identity;
use crate::problem::{FieldError, Problem, ProblemType};

pub(super) const TENANT: &str = "X-Tenant-ID";

/// The tenant of the credential; where it has none, the one that the request names, or the default one.
pub(super) fn tenant(
    headers: &HeaderMap,
    identity: &Identity,
    default: &TenantId,
) -> Result<TenantId, Problem> {
    let named = one_header(headers, TENANT)?
        .map(|name| TenantId::new(name).map_err(|invalid| invalid_header(TENANT, &invalid.detail)))
        .transpose()?;
    match (&identity.tenant, named) {
        (None, None) => Ok(default.clone()),
        (None, Some(named)) => Ok(named),
        (Some(own), Some(named)) if *own != named => Err(Problem::new(ProblemType::Forbidden).with_error(
            FieldError::header(TENANT, "names another tenant than the credential's"),
        )),
        (Some(own), _) => Ok(own.clone()),
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
        let acme = TenantId::new("acme").unwrap();
        let operator = Identity::operator();
        assert_eq!(tenant(&headers, &operator, &default), Ok(default.clone()));
        headers.insert("x-tenant-id", HeaderValue::from_static("acme"));
        assert_eq!(tenant(&headers, &operator, &default), Ok(acme.clone()));
        let own = |id: &TenantId| Identity {
            tenant: Some(id.clone()),
            ..Identity::operator()
        };
        assert_eq!(tenant(&headers, &own(&acme), &default), Ok(acme));
        assert!(tenant(&headers, &own(&default), &default).is_err());
        headers.insert("x-tenant-id", HeaderValue::from_static("Acme:1"));
        assert!(tenant(&headers, &operator, &default).is_err());
    }
}
