//! A pattern of `allowed_outbound_hosts`: `scheme://host:port`. Each part can be a wildcard.

use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use url::Host;

use super::address::Address;

/// A parsed pattern.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHost {
    scheme: Scheme,
    host: HostPattern,
    port: Port,
}

#[derive(Clone, Debug)]
enum Scheme {
    Any,
    One(String),
}

#[derive(Clone, Debug)]
enum HostPattern {
    Any,
    /// All hosts with this suffix, which begins with a dot.
    AnySubdomain(String),
    /// The application itself: `self` or `self.alt`.
    ToSelf,
    Literal(Host),
    Network(IpNet),
}

#[derive(Clone, Debug)]
enum Port {
    Any,
    One(u16),
    Range(Range<u16>),
}

impl AllowedHost {
    /// Parses a pattern.
    ///
    /// # Errors
    /// A text that contains the pattern and says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.trim().split_once("://") else {
            return Err(format!(
                "{text:?} is not an allowed outbound host: expected scheme://host[:port]"
            ));
        };
        if let Some((_, host)) = rest.rsplit_once('@') {
            // The error leaves out the part before `@`, because it can contain a password.
            return Err(format!(
                "\"{scheme}://…@{host}\" is not an allowed outbound host: it must not hold credentials"
            ));
        }
        let wrong = |reason: String| format!("{text:?} is not an allowed outbound host: {reason}");
        let (host, port) = split_port(rest).map_err(wrong)?;
        Ok(Self {
            port: Port::parse(port, scheme).map_err(wrong)?,
            scheme: Scheme::parse(scheme).map_err(wrong)?,
            host: HostPattern::parse(host).map_err(wrong)?,
        })
    }

    pub(super) fn allows(&self, address: &Address) -> bool {
        self.scheme.allows(&address.scheme)
            && self.host.allows(&address.host)
            && self.port.allows(address.port, &address.scheme)
    }

    pub(super) fn allows_self(&self, schemes: &[&str]) -> bool {
        matches!(self.host, HostPattern::Any | HostPattern::ToSelf)
            && schemes.iter().any(|scheme| self.scheme.allows(scheme))
    }

    pub(super) fn is_any_subdomain_of(&self, suffix: &str) -> bool {
        matches!(&self.host, HostPattern::AnySubdomain(domain) if domain == suffix)
    }

    pub(super) fn with_domain(&self, domain: String) -> Self {
        Self {
            host: HostPattern::Literal(Host::Domain(domain)),
            ..self.clone()
        }
    }
}

/// Splits host and port. A colon within an IPv6 address does not begin a port.
fn split_port(rest: &str) -> Result<(&str, &str), String> {
    let Some((host, tail)) = rest.rsplit_once(':') else {
        return Ok((rest, ""));
    };
    if tail.is_empty() {
        return Ok((host, ""));
    }
    if HostPattern::parse(rest).is_ok() {
        return Ok((rest, ""));
    }
    match tail.split_once('/') {
        None => Ok((host, tail)),
        Some((port, "")) => Ok((host, port)),
        Some(_) => Err("it must not have a path".to_owned()),
    }
}

impl Scheme {
    fn parse(scheme: &str) -> Result<Self, String> {
        match scheme {
            "*" => Ok(Self::Any),
            _ if scheme.chars().all(char::is_alphabetic) => Ok(Self::One(scheme.to_owned())),
            _ => Err("a scheme has only letters, or is *".to_owned()),
        }
    }

    fn allows(&self, scheme: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => one == scheme,
        }
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self, String> {
        let host = host.trim();
        match host {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::ToSelf),
            _ if host.starts_with('{') => return Err("lists of hosts are not supported".to_owned()),
            _ => {}
        }
        if let Ok(network) = host.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains('/') {
            return Err("it must not have a path".to_owned());
        }
        if let Some(domain) = host.strip_prefix("*.") {
            return match Host::parse(domain) {
                Ok(Host::Domain(domain)) if !domain.contains('*') => {
                    Ok(Self::AnySubdomain(format!(".{domain}")))
                }
                _ => Err("after the wildcard comes a domain".to_owned()),
            };
        }
        if host.contains('*') {
            return Err("a wildcard stands for a whole host or its first part".to_owned());
        }
        Host::parse(host)
            .map(Self::Literal)
            .map_err(|error| error.to_string())
    }

    fn allows(&self, host: &str) -> bool {
        let Ok(host) = Host::parse(host) else {
            return false;
        };
        match (self, host) {
            (Self::Any, _) => true,
            (Self::AnySubdomain(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Literal(literal), host) => host == *literal,
            (Self::Network(network), Host::Ipv4(address)) => network.contains(&IpAddr::V4(address)),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(&IpAddr::V6(address)),
            (Self::AnySubdomain(_) | Self::Network(_) | Self::ToSelf, _) => false,
        }
    }
}

impl Port {
    fn parse(port: &str, scheme: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u16>().map_err(|_| format!("{port:?} is not a port"));
        match port {
            "" => default_port(scheme)
                .map(Self::One)
                .ok_or_else(|| format!("no port is given and scheme {scheme:?} has no default")),
            "*" => Ok(Self::Any),
            _ => match port.split_once("..") {
                Some((start, end)) => Ok(Self::Range(number(start)?..number(end)?)),
                None => number(port).map(Self::One),
            },
        }
    }

    fn allows(&self, port: Option<u16>, scheme: &str) -> bool {
        let port = port.or_else(|| default_port(scheme));
        match self {
            Self::Any => true,
            Self::One(one) => port == Some(*one),
            Self::Range(range) => port.is_some_and(|port| range.contains(&port)),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}
