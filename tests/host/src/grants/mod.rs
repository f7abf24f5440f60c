//! What a component may reach outside: patterns of `allowed_outbound_hosts` and the addresses checked against them.

mod address;
mod pattern;

pub(crate) use address::Address;
pub(crate) use pattern::AllowedHost;

/// The domain under which components of the application reach each other.
const SERVICE_CHAINING_SUFFIX: &str = ".spin.internal";

/// The component that `host` names, when it is `<component>.spin.internal`.
pub(crate) fn chained_component(host: &str) -> Option<&str> {
    host.strip_suffix(SERVICE_CHAINING_SUFFIX)
        .filter(|id| !id.contains('.'))
}

/// The grants of one component.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedHosts(Vec<AllowedHost>);

impl AllowedHosts {
    /// Parses rendered patterns. Empty ones come from empty variables and are skipped, as on Spin; the wildcard for
    /// service chaining names the application's own components.
    ///
    /// # Errors
    /// The first malformed pattern.
    pub(crate) fn parse(patterns: &[String], components: &[String]) -> Result<Self, String> {
        let mut hosts = Vec::new();
        for pattern in patterns
            .iter()
            .filter(|text| !matches!(text.as_str(), "" | "http://" | "https://"))
        {
            let host = AllowedHost::parse(pattern)?;
            if host.is_any_subdomain_of(SERVICE_CHAINING_SUFFIX) {
                let chained = components
                    .iter()
                    .map(|id| format!("{id}{SERVICE_CHAINING_SUFFIX}"));
                hosts.extend(chained.map(|domain| host.with_domain(domain)));
            } else {
                hosts.push(host);
            }
        }
        Ok(Self(hosts))
    }

    /// Whether `url` may be reached; `scheme` is assumed when the URL has none.
    pub(crate) fn allows(&self, url: &str, scheme: &str) -> bool {
        let Ok(address) = Address::parse(url, scheme) else {
            return false;
        };
        let allowed = self.0.iter().any(|host| host.allows(&address));
        if !allowed {
            tracing::error!(
                destination = %address,
                "outbound destination not allowed: add it to the component's allowed_outbound_hosts"
            );
        }
        allowed
    }

    /// Whether requests to the application itself are allowed under one of `schemes`.
    pub(crate) fn allows_self(&self, schemes: &[&str]) -> bool {
        self.0.iter().any(|host| host.allows_self(schemes))
    }
}

#[cfg(test)]
mod tests;
