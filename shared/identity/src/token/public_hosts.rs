//! Decides which hosts are public, by their names and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Endings of names that no public host has (RFC 6761, RFC 6762, RFC 8375, RFC 9476, and ICANN's `internal`).
const PRIVATE_ENDINGS: [&str; 8] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "alt",
];

/// Returns whether the host of an address is public, as far as its name shows.
pub(super) fn is_public(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inside.parse().is_ok_and(is_public_v6);
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return is_public_v4(address);
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let Some((_, last)) = name.rsplit_once('.') else {
        // A name without a dot is resolved in the local network.
        return false;
    };
    // Resolvers read `127.1` and `0x7f.0.0.1` as addresses. No name ends in a number (RFC 3696, section 2).
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let ends_in = |ending: &str| {
        name.strip_suffix(ending)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    !is_number && !PRIVATE_ENDINGS.iter().any(|ending| ends_in(ending))
}

/// Returns whether an IPv4 address is public, by IANA's registry of special addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b) {
        (0 | 10 | 127 | 224.., _) | (192, 168) | (169, 254) => true,
        (100, b) => b & 0b1100_0000 == 64,
        (172, b) => b & 0b1111_0000 == 16,
        (192, 0) => c == 0 || c == 2,
        (198, b) => b & 0b1111_1110 == 18 || (b == 51 && c == 100),
        (203, 0) => c == 113,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let IpAddr::V4(address) = address.to_canonical() {
        return is_public_v4(address);
    }
    // Global unicast is 2000::/3. Within it, the ranges that lead to IPv4 addresses (6to4, Teredo) and the
    // ranges for documentation are not public.
    match address.segments() {
        [0x2002 | 0x3fff, ..] | [0x2001, 0 | 0xdb8, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine_and_of_private_networks_are_not_public() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "db",
            "db.internal",
            "printer.local",
            "x.home.arpa",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "a.0x7f",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "[::1]",
            "[::]",
            "[::ffff:10.0.0.1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[2002:7f00:1::]",
            "[64:ff9b::a00:1]",
            "[2001:db8::1]",
            "[x]",
            "[fe80::1%25eth0]",
        ] {
            assert!(!is_public(host), "{host}");
        }
    }

    #[test]
    fn other_hosts_are_public() {
        for host in [
            "id.example.com",
            "id.example",
            "notlocalhost.com",
            "internal.example.com",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "[2606:4700::1111]",
            "[::ffff:8.8.8.8]",
            "1.1.1.1.nip.io",
        ] {
            assert!(is_public(host), "{host}");
        }
    }
}
