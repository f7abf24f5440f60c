//! The rate limits of a tenant: from its own document, the operator's document and the defaults, in this order.

use std::net::IpAddr;

use leaderboard_api::rate_limits::{Addresses, DocumentOwner, LimitsDocument, Policy, PolicyName, Setting};

/// The rate limits and address lists that apply to a tenant's requests.
#[derive(Debug, Clone)]
pub struct RateLimitRules {
    policies: [Option<Policy>; PolicyName::ALL.len()],
    /// For each policy, whether the tenant's own document sets it.
    tenants_own: [bool; PolicyName::ALL.len()],
    /// Whether reads are limited and counted.
    pub reads: bool,
    operator: Addresses,
    tenant: Addresses,
}

impl Default for RateLimitRules {
    fn default() -> Self {
        Self::new(&LimitsDocument::default(), &LimitsDocument::default())
    }
}

impl RateLimitRules {
    /// Combines the two documents. The tenant's policies must be within the operator's bounds.
    pub fn new(operator: &LimitsDocument, tenant: &LimitsDocument) -> Self {
        let effective = |name| {
            let own = set_or_else(LimitsDocument::setting(&tenant.policies, name), || {
                set_or_else(LimitsDocument::setting(&operator.policies, name), || {
                    name.default().map_or(Setting::Off, Setting::Rate)
                })
            });
            // The operator may have set the bound after the tenant wrote its document.
            match (own, operator.bound(name)) {
                (Setting::Rate(own), Some(bound)) if !own.is_within(bound) => Some(bound),
                (Setting::Rate(own), _) => Some(own),
                (_, bound) => bound,
            }
        };
        Self {
            policies: PolicyName::ALL.map(effective),
            tenants_own: PolicyName::ALL
                .map(|name| LimitsDocument::setting(&tenant.policies, name) != Setting::Unset),
            reads: operator.reads,
            operator: operator.addresses.clone(),
            tenant: tenant.addresses.clone(),
        }
    }

    /// Combines two stored documents; `None` is a document that does not exist.
    pub fn from_stored(operator: Option<&[u8]>, tenant: Option<&[u8]>) -> Self {
        let read = |body: Option<&[u8]>, scope| {
            body.map(|bytes| LimitsDocument::stored(bytes, scope))
                .unwrap_or_default()
        };
        Self::new(
            &read(operator, DocumentOwner::Operator),
            &read(tenant, DocumentOwner::Tenant),
        )
    }

    /// Returns the policy with this name; `None` if the policy is switched off.
    pub fn policy(&self, name: PolicyName) -> Option<Policy> {
        let at = PolicyName::ALL.iter().position(|known| *known == name)?;
        self.policies.get(at).copied().flatten()
    }

    /// Returns whether the tenant's own document sets the policy of that name.
    pub fn is_tenants_own(&self, name: PolicyName) -> bool {
        let at = PolicyName::ALL.iter().position(|known| *known == name);
        at.and_then(|at| self.tenants_own.get(at))
            .copied()
            .unwrap_or_default()
    }

    /// Returns whether the address lists admit a client.
    pub fn admit(&self, client: Option<IpAddr>) -> bool {
        self.operator.admit(client) && self.tenant.admit(client)
    }

    /// Returns whether a client is exempt from rate limits.
    pub fn exempt(&self, client: Option<IpAddr>) -> bool {
        client.is_some_and(|address| self.operator.exempt.contain(address))
    }
}

fn set_or_else(setting: Setting, other: impl FnOnce() -> Setting) -> Setting {
    match setting {
        Setting::Unset => other(),
        set => set,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaderboard_api::json;

    fn create_rules(operator: &str, tenant: &str) -> RateLimitRules {
        let read =
            |text: &str, scope| LimitsDocument::read(&json::parse(text.as_bytes()).unwrap(), scope).unwrap();
        RateLimitRules::new(
            &read(operator, DocumentOwner::Operator),
            &read(tenant, DocumentOwner::Tenant),
        )
    }

    fn read_quota(rules: &RateLimitRules, name: PolicyName) -> Option<u32> {
        rules.policy(name).map(|policy| policy.quota)
    }

    #[test]
    fn the_tenant_overrides_the_operator_and_both_override_the_defaults() {
        let both = create_rules(
            r#"{"policies":{"player":{"quota":7},"client":"off","tenant":{"quota":50}}}"#,
            r#"{"policies":{"player":{"quota":8}}}"#,
        );
        assert_eq!(read_quota(&both, PolicyName::Player), Some(8));
        assert_eq!(read_quota(&both, PolicyName::Client), None);
        assert_eq!(read_quota(&both, PolicyName::Tenant), Some(50));
        assert_eq!(read_quota(&both, PolicyName::Key), Some(1000));
        let none = RateLimitRules::default();
        assert_eq!(read_quota(&none, PolicyName::Player), Some(100));
        assert_eq!(read_quota(&none, PolicyName::Tenant), None);
    }

    #[test]
    fn the_operators_limit_of_a_whole_tenant_bounds_the_tenants_own_limit() {
        let tenant = |operator, own| read_quota(&create_rules(operator, own), PolicyName::Tenant);
        let set = r#"{"policies":{"tenant":{"quota":50}}}"#;
        assert_eq!(tenant(set, r#"{"policies":{"tenant":{"quota":60}}}"#), Some(50));
        assert_eq!(tenant(set, r#"{"policies":{"tenant":"off"}}"#), Some(50));
        assert_eq!(tenant(set, r#"{"policies":{"tenant":{"quota":40}}}"#), Some(40));
        let wider = r#"{"policies":{"tenant":{"quota":50}},"bounds":{"tenant":{"quota":55}}}"#;
        assert_eq!(tenant(wider, "{}"), Some(50));
        assert_eq!(tenant(wider, r#"{"policies":{"tenant":{"quota":60}}}"#), Some(55));
    }

    #[test]
    fn a_bound_applies_to_an_older_document_of_the_tenant() {
        let bound = r#"{"bounds":{"player":{"quota":5},"tenant":{"quota":9}}}"#;
        let above_bound = create_rules(bound, r#"{"policies":{"player":{"quota":8}}}"#);
        assert_eq!(read_quota(&above_bound, PolicyName::Player), Some(5));
        assert_eq!(read_quota(&above_bound, PolicyName::Tenant), Some(9));
        let below_bound = create_rules(bound, r#"{"policies":{"player":{"quota":3}}}"#);
        assert_eq!(read_quota(&below_bound, PolicyName::Player), Some(3));
    }
}
