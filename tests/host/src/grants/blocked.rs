//! Networks that outbound connections may not reach, like `block_networks` in Spin's runtime configuration.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ip_network::IpNetwork;

/// The word for all networks that are not part of the public internet.
const PRIVATE: &str = "private";

/// A network that outbound connections may not reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockedNetwork {
    /// All addresses that are not globally reachable: loopback, link-local, private and reserved ones.
    Private,
    /// The addresses of a network.
    Network(IpNetwork),
}

impl FromStr for BlockedNetwork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == PRIVATE {
            return Ok(Self::Private);
        }
        IpNetwork::from_str_truncate(text)
            .map(Self::Network)
            .map_err(|_| format!("expected {PRIVATE} or a network such as 10.0.0.0/8, not {text:?}"))
    }
}

impl BlockedNetwork {
    fn contains(&self, address: IpAddr) -> bool {
        // An IPv4 address in the form of IPv6 leads to the IPv4 address.
        let address = address.to_canonical();
        match self {
            Self::Private => !IpNetwork::from(address).is_global(),
            Self::Network(network) => network.contains(address),
        }
    }
}

/// Removes the addresses in one of the networks.
pub(crate) fn remove_blocked(networks: &[BlockedNetwork], addresses: &mut Vec<SocketAddr>) {
    addresses.retain(|address| !networks.iter().any(|network| network.contains(address.ip())));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reachable(networks: &[&str], addresses: &[&str]) -> Vec<String> {
        let networks: Vec<_> = networks.iter().map(|text| text.parse().unwrap()).collect();
        let mut addresses: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        remove_blocked(&networks, &mut addresses);
        addresses.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn addresses_in_blocked_networks_are_removed() {
        let addresses = [
            "127.0.0.1:80",
            "10.1.2.3:80",
            "169.254.169.254:80",
            "8.8.8.8:80",
            "[::1]:80",
            "[fe80::1]:80",
            "[::ffff:127.0.0.1]:80",
            "[2606:4700::1111]:80",
        ];
        assert_eq!(
            reachable(&["private"], &addresses),
            ["8.8.8.8:80", "[2606:4700::1111]:80"]
        );
        assert_eq!(reachable(&["10.0.0.0/8"], &addresses[..2]), ["127.0.0.1:80"]);
        assert_eq!(reachable(&[], &addresses).len(), addresses.len());
        assert!("home".parse::<BlockedNetwork>().is_err());
    }
}
