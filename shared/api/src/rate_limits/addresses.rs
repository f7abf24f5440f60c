//! Lists of address ranges (CIDR, RFC 4632), and whether a client's address is allowed.

use std::net::IpAddr;

use ipnet::IpNet;

/// Ranges of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<IpNet>);

impl Ranges {
    /// Makes a list of ranges.
    pub fn new(ranges: Vec<IpNet>) -> Self {
        Self(ranges)
    }

    /// Returns whether one of the ranges contains an address.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }

    /// Returns whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text of each range.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }
}

/// Parses a range. A single address is a range of one.
///
/// # Errors
/// An error text that says what is wrong.
pub fn range(text: &str) -> Result<IpNet, &'static str> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let range: IpNet = text
        .parse()
        .map_err(|_| "must be an address or a range such as 192.0.2.0/24")?;
    // A client's IPv4-mapped address is compared as an IPv4 address, so a range of mapped addresses would contain no client.
    if matches!(range.network(), IpAddr::V6(network) if network.to_ipv4_mapped().is_some()) {
        return Err("is a range of IPv4 addresses and must be written as one");
    }
    if range.trunc() == range {
        Ok(range)
    } else {
        Err("has bits beyond the length of its prefix")
    }
}

/// The addresses that are allowed, and those that have no limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// If the list is not empty, only these addresses are allowed.
    pub allow: Ranges,
    /// These addresses are denied, also when `allow` contains them.
    pub deny: Ranges,
    /// Limits do not apply to these addresses.
    pub exempt: Ranges,
}

impl Addresses {
    /// Returns whether a client is allowed. A client whose address is not known is allowed if `allow` is empty.
    pub fn admit(&self, client: Option<IpAddr>) -> bool {
        match client {
            Some(address) => {
                !self.deny.contain(address) && (self.allow.is_empty() || self.allow.contain(address))
            }
            None => self.allow.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_ranges(texts: &[&str]) -> Ranges {
        Ranges::new(texts.iter().map(|text| range(text).unwrap()).collect())
    }

    #[test]
    fn denied_addresses_and_addresses_outside_of_the_allow_list_are_refused() {
        let address = |text: &str| Some(text.parse().unwrap());
        let mut lists = Addresses {
            deny: parse_ranges(&["192.0.2.0/24", "2001:db8::/32"]),
            ..Addresses::default()
        };
        assert!(lists.admit(address("198.51.100.1")) && lists.admit(None));
        assert!(!lists.admit(address("192.0.2.255")) && !lists.admit(address("2001:db8::1")));
        lists.allow = parse_ranges(&["192.0.2.7", "198.51.100.0/24"]);
        assert!(lists.admit(address("198.51.100.1")));
        assert!(!lists.admit(address("192.0.2.7")), "the address is on both lists");
        assert!(!lists.admit(address("203.0.113.1")) && !lists.admit(None));
    }

    #[test]
    fn malformed_and_inexact_ranges_are_refused() {
        assert_eq!(range("192.0.2.1").unwrap().to_string(), "192.0.2.1/32");
        assert_eq!(range("::ffff:192.0.2.1").unwrap().to_string(), "192.0.2.1/32");
        for bad in [
            "192.0.2.1/24",
            "192.0.2.0/33",
            "192.0.2",
            "",
            "host",
            "::/129",
            "::ffff:192.0.2.0/120",
        ] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }
}
