//! The addresses that a component may reach: the patterns of `allowed_outbound_hosts`, and the check of an
//! address.

mod address;
mod blocked;
mod pattern;

pub(crate) use address::Address;
pub use blocked::BlockedNetwork;
pub(crate) use blocked::remove_blocked;
pub(crate) use pattern::AllowedHost;

/// The domain by which the components of an application reach each other.
const SERVICE_CHAINING_SUFFIX: &str = ".spin.internal";

/// Returns the component in a host name such as `<component>.spin.internal`; `None` for another host name.
pub(crate) fn chained_component(host: &str) -> Option<&str> {
    host.strip_suffix(SERVICE_CHAINING_SUFFIX)
        .filter(|id| !id.contains('.'))
}

/// The grants of one component.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedHosts(Vec<AllowedHost>);

impl AllowedHosts {
    /// Parses patterns whose variables are already replaced. As on Spin, a pattern that is empty because its
    /// variable is empty is skipped. The host `*.spin.internal` allows requests to each of `components`.
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

    /// Returns whether `url` is allowed. A URL without a scheme has the scheme `scheme`.
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

    /// Returns whether requests to the application itself are allowed with one of `schemes`.
    pub(crate) fn allows_self(&self, schemes: &[&str]) -> bool {
        self.0.iter().any(|host| host.allows_self(schemes))
    }
}

#[cfg(test)]
mod tests;
