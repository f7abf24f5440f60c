//! Lists of addresses by their ranges (CIDR, RFC 4632), and the verdict on an address.

use std::net::IpAddr;

use ipnet::IpNet;

/// Ranges of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<IpNet>);

impl Ranges {
    /// These.
    pub fn new(ranges: Vec<IpNet>) -> Self {
        Self(ranges)
    }

    /// Whether an address is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, as it is written.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }
}

/// A range, or one address as a range of itself.
///
/// # Errors
/// What is wrong with the text.
pub fn range(text: &str) -> Result<IpNet, &'static str> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let range: IpNet = text
        .parse()
        .map_err(|_| "must be an address or a range such as 192.0.2.0/24")?;
    // Addresses of clients are compared as IPv4 where they are: such a range would never hold for one.
    if matches!(range.network(), IpAddr::V6(network) if network.to_ipv4_mapped().is_some()) {
        return Err("is a range of IPv4 addresses and must be written as one");
    }
    if range.trunc() == range {
        Ok(range)
    } else {
        Err("has bits beyond the length of its prefix")
    }
}

/// Who is let in by address, and who is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Let in are these alone, when there are any.
    pub allow: Ranges,
    /// Not let in, whatever else holds.
    pub deny: Ranges,
    /// Not limited.
    pub exempt: Ranges,
}

impl Addresses {
    /// Whether a client is let in. One whose address is not known is, unless there is a list of those who are.
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

    fn ranges(texts: &[&str]) -> Ranges {
        Ranges::new(texts.iter().map(|text| range(text).unwrap()).collect())
    }

    #[test]
    fn denied_is_denied_and_a_list_of_the_allowed_denies_the_rest() {
        let address = |text: &str| Some(text.parse().unwrap());
        let mut lists = Addresses {
            deny: ranges(&["192.0.2.0/24", "2001:db8::/32"]),
            ..Addresses::default()
        };
        assert!(lists.admit(address("198.51.100.1")) && lists.admit(None));
        assert!(!lists.admit(address("192.0.2.255")) && !lists.admit(address("2001:db8::1")));
        lists.allow = ranges(&["192.0.2.7", "198.51.100.0/24"]);
        assert!(lists.admit(address("198.51.100.1")));
        assert!(!lists.admit(address("192.0.2.7")), "on both lists");
        assert!(!lists.admit(address("203.0.113.1")) && !lists.admit(None));
    }

    #[test]
    fn ranges_are_exact() {
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
