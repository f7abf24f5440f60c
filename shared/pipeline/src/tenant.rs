//! The tenant of a request: the credential's tenant, whatever the client names. The operator's key is valid for all tenants, so the
//! operator names one. A caller without a credential can name any tenant, because such a caller can only read public leaderboards.

use leaderboard_api::headers::TENANT;
use std::borrow::Cow;

use http::HeaderMap;
use leaderboard_core::TenantId;

use leaderboard_api::headers::{invalid_header, one_header};
use leaderboard_api::{FieldError, Identity, Permission, Problem, ProblemType};

/// The query parameter in which a read names the tenant. It is part of the address, so every cache on the way sees it.
const PARAMETER: &str = "tenant";

/// Returns the tenant that the address of a read names, and the query without it.
///
/// # Errors
/// 400, naming the parameter.
pub(crate) fn read_from_query(
    permission: Permission,
    query: &str,
) -> Result<(Option<TenantId>, Cow<'_, str>), Problem> {
    let value = |part: &str| part.strip_prefix(PARAMETER)?.strip_prefix('=').map(str::to_owned);
    let mut named = query.split('&').filter_map(value);
    let Some(first) = named.next().filter(|_| permission == Permission::Read) else {
        return Ok((None, Cow::Borrowed(query)));
    };
    let invalid = |detail: &str| {
        Problem::new(ProblemType::InvalidParameter).with_error(FieldError::parameter(PARAMETER, detail))
    };
    if named.next().is_some() {
        return Err(invalid("is given more than once"));
    }
    let tenant = TenantId::new(first).map_err(|broken| invalid(&broken.detail))?;
    let rest: Vec<&str> = query.split('&').filter(|part| value(part).is_none()).collect();
    Ok((Some(tenant), Cow::Owned(rest.join("&"))))
}

/// Returns the credential's tenant; without one, the tenant that the request names, or the default tenant.
///
/// # Errors
/// 400 when a name is invalid or two names differ; 403 when the request names another tenant than the credential's.
pub(crate) fn choose_tenant(
    headers: &HeaderMap,
    in_address: Option<&TenantId>,
    identity: &Identity,
    default: &TenantId,
) -> Result<TenantId, Problem> {
    let in_header = one_header(headers, TENANT)?
        .map(|name| TenantId::new(name).map_err(|invalid| invalid_header(TENANT, &invalid.detail)))
        .transpose()?;
    let named = match (in_header, in_address) {
        (Some(header), Some(address)) if header != *address => {
            return Err(invalid_header(TENANT, "names another tenant than the address"));
        }
        (header, address) => header.or_else(|| address.cloned()),
    };
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
    fn a_header_or_the_identity_names_the_tenant_or_the_default_applies() {
        let default = TenantId::new("default").unwrap();
        let mut headers = HeaderMap::new();
        let acme = TenantId::new("acme").unwrap();
        let operator = Identity::operator();
        assert_eq!(
            choose_tenant(&headers, None, &operator, &default),
            Ok(default.clone())
        );
        headers.insert("x-tenant-id", HeaderValue::from_static("acme"));
        assert_eq!(
            choose_tenant(&headers, None, &operator, &default),
            Ok(acme.clone())
        );
        let own = |id: &TenantId| Identity {
            tenant: Some(id.clone()),
            ..Identity::operator()
        };
        assert_eq!(choose_tenant(&headers, None, &own(&acme), &default), Ok(acme));
        assert!(choose_tenant(&headers, None, &own(&default), &default).is_err());
        headers.insert("x-tenant-id", HeaderValue::from_static("Acme:1"));
        assert!(choose_tenant(&headers, None, &operator, &default).is_err());
    }

    #[test]
    fn the_query_of_a_read_may_name_the_tenant() {
        let acme = TenantId::new("acme").unwrap();
        let read_query = |permission, query| {
            read_from_query(permission, query).map(|(tenant, rest)| (tenant, rest.into_owned()))
        };
        let named = |rest: &str| Ok((Some(acme.clone()), rest.to_owned()));
        assert_eq!(read_query(Permission::Read, "tenant=acme"), named(""));
        assert_eq!(
            read_query(Permission::Read, "limit=1&tenant=acme&period=previous"),
            named("limit=1&period=previous")
        );
        assert_eq!(
            read_query(Permission::Read, "tenants=acme"),
            Ok((None, "tenants=acme".to_owned()))
        );
        // Other routes have no parameter `tenant`, so it stays in the query and the route refuses it.
        assert_eq!(
            read_query(Permission::Admin, "tenant=acme"),
            Ok((None, "tenant=acme".to_owned()))
        );
        for bad in ["tenant=acme&tenant=acme", "tenant=", "tenant=A", "tenant=ac%6de"] {
            assert!(read_query(Permission::Read, bad).is_err(), "{bad}");
        }
        let mut headers = HeaderMap::new();
        let (other, nobody) = (TenantId::new("other").unwrap(), Identity::anonymous());
        assert_eq!(
            choose_tenant(&headers, Some(&acme), &nobody, &other),
            Ok(acme.clone())
        );
        headers.insert("x-tenant-id", HeaderValue::from_static("acme"));
        assert_eq!(
            choose_tenant(&headers, Some(&acme), &nobody, &other),
            Ok(acme.clone())
        );
        assert!(choose_tenant(&headers, Some(&other), &nobody, &acme).is_err());
        let own = Identity {
            tenant: Some(other),
            ..Identity::operator()
        };
        assert!(choose_tenant(&HeaderMap::new(), Some(&acme), &own, &acme).is_err());
    }
}
