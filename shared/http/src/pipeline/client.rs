//! The client's address: the one that the host saw, or the one that trusted proxies tell.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderValue};

use crate::limits::{Ranges, range};

/// Set by the host. A client can send it too, and its value then comes first.
const HOST_HEADER: &str = "spin-client-addr";
/// How proxies tell whom they act for (RFC 7239).
const FORWARDED: &str = "forwarded";
/// The same, as most of them write it.
const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// The most proxies that a request is followed through.
const MAX_HOPS: usize = 16;

/// The proxies whose word about a client's address is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Ranges);

/// What is wrong with a list of proxies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidProxies(
    /// In words for the operator.
    pub String,
);

/// Ranges with commas between them: `10.0.0.0/8, 2001:db8::/32`. Empty: no proxy is trusted.
impl FromStr for TrustedProxies {
    type Err = InvalidProxies;

    fn from_str(text: &str) -> Result<Self, InvalidProxies> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let ranges =
            parts.map(|part| range(part).map_err(|detail| InvalidProxies(format!("{part} {detail}"))));
        Ok(Self(Ranges::new(ranges.collect::<Result<_, _>>()?)))
    }
}

/// The client's address; `None` when the host tells none. What is told about it is believed from the right, as far as
/// trusted proxies told it; it ends at what cannot be read.
pub(super) fn address(headers: &HeaderMap, trusted: &TrustedProxies) -> Option<IpAddr> {
    let last = headers.get_all(HOST_HEADER).iter().next_back()?;
    let mut client = parse(last.to_str().ok()?)?;
    if trusted.0.is_empty() || !trusted.0.contain(client) {
        return Some(client);
    }
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = if headers.contains_key(FORWARDED) {
        (FORWARDED, forwarded_for)
    } else {
        (X_FORWARDED_FOR, parse)
    };
    let lines = headers.get_all(name).iter().rev();
    for element in lines.flat_map(elements_from_the_right).take(MAX_HOPS) {
        let Some(told) = element.and_then(read).filter(|_| trusted.0.contain(client)) else {
            break;
        };
        client = told;
    }
    Some(client)
}

/// The elements of a list from the last to the first; a comma within double quotes separates nothing. Quotes are paired from
/// the right, because what a client sent stands on the left.
fn elements_from_the_right(line: &HeaderValue) -> impl Iterator<Item = Option<&str>> {
    let mut rest = Some(line.to_str().ok());
    std::iter::from_fn(move || {
        let Some(text) = rest? else {
            rest = None;
            return Some(None);
        };
        let mut quoted = false;
        let comma = text.rfind(|c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        });
        let (before, element) = match comma.and_then(|at| text.split_at_checked(at)) {
            Some((before, element)) => (Some(Some(before)), element.trim_start_matches(',')),
            None => (None, text),
        };
        rest = before;
        Some(Some(element))
    })
}

/// The address of `for=` in an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs
        .map(|(name, value)| (name.trim(), value.trim()))
        .find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    parse(unquoted.unwrap_or(value))
}

/// An address, with or without a port; an IPv6 one with a port stands in brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bare
        .unwrap_or(text)
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(trusted: &str, headers: &[(&'static str, &'static str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let found = address(&map, &trusted.parse().unwrap());
        found.map_or("none".to_owned(), |address| address.to_string())
    }

    const PROXY: (&str, &str) = (HOST_HEADER, "10.0.0.1:5000");

    #[test]
    fn the_last_value_counts_without_its_port() {
        assert_eq!(of("", &[]), "none");
        let both = [(HOST_HEADER, "192.0.2.1:1"), (HOST_HEADER, "[2001:db8::1]:443")];
        assert_eq!(of("", &both), "2001:db8::1");
        assert_eq!(of("", &[(HOST_HEADER, "[::ffff:192.0.2.1]:443")]), "192.0.2.1");
    }

    #[test]
    fn strangers_are_not_believed() {
        for header in [(X_FORWARDED_FOR, "192.0.2.9"), (FORWARDED, "for=192.0.2.9")] {
            assert_eq!(of("", &[PROXY, header]), "10.0.0.1");
            assert_eq!(of("10.0.1.0/24", &[PROXY, header]), "10.0.0.1");
            assert_eq!(of("10.0.0.0/24", &[PROXY, header]), "192.0.2.9");
        }
    }

    #[test]
    fn it_is_the_first_from_the_right_that_no_proxy_is() {
        let of = |line| of("10.0.0.0/8", &[PROXY, (X_FORWARDED_FOR, line)]);
        assert_eq!(of("1.1.1.1, 192.0.2.9, 10.2.2.2"), "192.0.2.9");
        assert_eq!(of("10.3.3.3,10.2.2.2:80"), "10.3.3.3");
        assert_eq!(of("2001:db8::7"), "2001:db8::7");
        assert_eq!(of("[2001:db8::7]:80"), "2001:db8::7");
    }

    #[test]
    fn what_cannot_be_read_ends_it() {
        let of = |line| of("10.0.0.0/8", &[PROXY, (X_FORWARDED_FOR, line)]);
        assert_eq!(of("192.0.2.9, nonsense"), "10.0.0.1");
        assert_eq!(of("192.0.2.9, nonsense, 10.2.2.2"), "10.2.2.2");
        assert_eq!(of(""), "10.0.0.1");
        assert_eq!(of(",,"), "10.0.0.1");
    }

    #[test]
    fn forwarded_goes_before_the_other_header() {
        let of = |line| {
            let headers = [PROXY, (X_FORWARDED_FOR, "198.51.100.1"), (FORWARDED, line)];
            of("10.0.0.0/8", &headers)
        };
        assert_eq!(
            of("for=1.1.1.1, For=\"192.0.2.9:80\";proto=http;by=10.9.9.9"),
            "192.0.2.9"
        );
        assert_eq!(of("for=\"[2001:db8::7]:80\""), "2001:db8::7");
        assert_eq!(
            of("for=192.0.2.9;host=\"a,for=1.1.1.1\", for=10.2.2.2"),
            "192.0.2.9"
        );
        assert_eq!(of("for=unknown, for=10.2.2.2"), "10.2.2.2");
        assert_eq!(of("proto=http"), "10.0.0.1");
        // A quote that a client left open does not swallow what the proxy added.
        assert_eq!(of("for=\"1.1.1.1, for=192.0.2.9"), "192.0.2.9");
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [
            PROXY,
            (X_FORWARDED_FOR, "192.0.2.9"),
            (X_FORWARDED_FOR, "10.2.2.2"),
        ];
        assert_eq!(of("10.0.0.0/8", &lines), "192.0.2.9");
    }

    #[test]
    fn a_list_of_proxies_is_read_strictly() {
        assert!("".parse::<TrustedProxies>().is_ok());
        assert!(" 10.0.0.0/8 ,::1,".parse::<TrustedProxies>().is_ok());
        assert!("10.0.0.0/8;::1".parse::<TrustedProxies>().is_err());
    }
}
