//! The client's address: the one that the host saw, or the one that trusted proxies report.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::lines::HeaderLines;
use leaderboard_api::rate_limits::{Ranges, range};

/// The header that the host sets. A client can send it, too; the client's value then comes first.
const HOST_HEADER: &str = "spin-client-addr";
/// The standard header in which proxies report the client (RFC 7239).
const FORWARDED: &str = "forwarded";
/// The older header for the same purpose, which most proxies write.
const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// The most proxies that are followed from this service towards the client.
const MAX_HOPS: usize = 16;

/// The trusted proxies, and the header in which they report the client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    ranges: Ranges,
    header: ForwardedHeader,
}

/// The header that the trusted proxies write. The other header may come from the client, and is not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, which most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Parses the name of the header. An empty text means the default.
impl FromStr for ForwardedHeader {
    /// What is wrong, for the operator.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | X_FORWARDED_FOR => Ok(Self::XForwardedFor),
            FORWARDED => Ok(Self::Forwarded),
            _ => Err(format!("must be {X_FORWARDED_FOR} or {FORWARDED}")),
        }
    }
}

impl TrustedProxies {
    /// Returns the same proxies with another header.
    #[must_use]
    pub const fn writing(mut self, header: ForwardedHeader) -> Self {
        self.header = header;
        self
    }

    /// Returns the header that the trusted proxies write.
    pub const fn header(&self) -> ForwardedHeader {
        self.header
    }

    /// Returns whether an address belongs to a trusted proxy.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.ranges.contain(address)
    }
}

/// Parses ranges separated by commas: `10.0.0.0/8, 2001:db8::/32`. An empty text trusts no proxy.
impl FromStr for TrustedProxies {
    /// What is wrong, for the operator.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let ranges = parts.map(|part| range(part).map_err(|detail| format!("{part} {detail}")));
        Ok(Self {
            ranges: Ranges::new(ranges.collect::<Result<_, _>>()?),
            header: ForwardedHeader::default(),
        })
    }
}

/// Returns the client's address, or `None` if the host reports none. Reads the addresses that proxies reported from right to
/// left, as long as a trusted proxy reported them, and stops at the first address that cannot be parsed.
pub fn client_address(headers: &impl HeaderLines, trusted: &TrustedProxies) -> Option<IpAddr> {
    let mut client = host_address(headers)?;
    if trusted.ranges.is_empty() || !trusted.ranges.contain(client) {
        return Some(client);
    }
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match trusted.header {
        ForwardedHeader::Forwarded => (FORWARDED, forwarded_for),
        ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, parse),
    };
    let lines = headers.lines(name).rev();
    for element in lines.flat_map(elements_from_the_right).take(MAX_HOPS) {
        let Some(forwarded) = element.and_then(read).filter(|_| trusted.ranges.contain(client)) else {
            break;
        };
        client = forwarded;
    }
    Some(client)
}

/// Returns the address that the host saw; `None` if the host reports none.
pub(crate) fn host_address(headers: &impl HeaderLines) -> Option<IpAddr> {
    parse(headers.lines(HOST_HEADER).next_back()??)
}

/// Returns the elements of a list from the last to the first. A comma within double quotes is part of an element. Quotes are paired
/// from the right, because the left part comes from the client.
pub(crate) fn elements_from_the_right(line: Option<&str>) -> impl Iterator<Item = Option<&str>> {
    let mut rest = Some(line);
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

/// Returns the address of `for=` in an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs
        .map(|(name, value)| (name.trim(), value.trim()))
        .find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    parse(unquoted.unwrap_or(value))
}

/// Parses an address with or without a port. An IPv6 address with a port is in brackets.
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
    use http::{HeaderMap, HeaderValue};

    use super::*;

    /// Returns the client address of a request, or `none`. The proxies write `X-Forwarded-For`.
    fn find_client(trusted: &str, headers: &[(&'static str, &'static str)]) -> String {
        find_client_in(ForwardedHeader::XForwardedFor, trusted, headers)
    }

    /// Returns the client address of a request, or `none`. The proxies write `header`.
    fn find_client_in(
        header: ForwardedHeader,
        trusted: &str,
        headers: &[(&'static str, &'static str)],
    ) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let found = client_address(&map, &trusted.writing(header));
        found.map_or("none".to_owned(), |address| address.to_string())
    }

    /// The header of the host with the address of a proxy.
    const PROXY: (&str, &str) = (HOST_HEADER, "10.0.0.1:5000");

    #[test]
    fn the_last_address_of_the_host_is_used_without_its_port() {
        assert_eq!(find_client("", &[]), "none");
        let both = [(HOST_HEADER, "192.0.2.1:1"), (HOST_HEADER, "[2001:db8::1]:443")];
        assert_eq!(find_client("", &both), "2001:db8::1");
        assert_eq!(
            find_client("", &[(HOST_HEADER, "[::ffff:192.0.2.1]:443")]),
            "192.0.2.1"
        );
    }

    #[test]
    fn the_header_of_an_untrusted_address_is_ignored() {
        for (header, line) in [
            (ForwardedHeader::XForwardedFor, (X_FORWARDED_FOR, "192.0.2.9")),
            (ForwardedHeader::Forwarded, (FORWARDED, "for=192.0.2.9")),
        ] {
            let find = |trusted| find_client_in(header, trusted, &[PROXY, line]);
            assert_eq!(find(""), "10.0.0.1");
            assert_eq!(find("10.0.1.0/24"), "10.0.0.1");
            assert_eq!(find("10.0.0.0/24"), "192.0.2.9");
        }
    }

    #[test]
    fn the_client_is_the_last_address_that_is_not_a_proxy() {
        let find = |line| find_client("10.0.0.0/8", &[PROXY, (X_FORWARDED_FOR, line)]);
        assert_eq!(find("1.1.1.1, 192.0.2.9, 10.2.2.2"), "192.0.2.9");
        assert_eq!(find("10.3.3.3,10.2.2.2:80"), "10.3.3.3");
        assert_eq!(find("2001:db8::7"), "2001:db8::7");
        assert_eq!(find("[2001:db8::7]:80"), "2001:db8::7");
    }

    #[test]
    fn an_unreadable_address_ends_the_search_for_the_client() {
        let find = |line| find_client("10.0.0.0/8", &[PROXY, (X_FORWARDED_FOR, line)]);
        assert_eq!(find("192.0.2.9, nonsense"), "10.0.0.1");
        assert_eq!(find("192.0.2.9, nonsense, 10.2.2.2"), "10.2.2.2");
        assert_eq!(find(""), "10.0.0.1");
        assert_eq!(find(",,"), "10.0.0.1");
    }

    #[test]
    fn only_the_configured_header_of_the_proxies_is_read() {
        let both = [
            PROXY,
            (X_FORWARDED_FOR, "192.0.2.9"),
            (FORWARDED, "for=198.51.100.1"),
        ];
        let find =
            |header, headers: &[(&'static str, &'static str)]| find_client_in(header, "10.0.0.0/8", headers);
        assert_eq!(find(ForwardedHeader::XForwardedFor, &both), "192.0.2.9");
        assert_eq!(find(ForwardedHeader::Forwarded, &both), "198.51.100.1");
        let [proxy, x_forwarded_for, forwarded] = both;
        assert_eq!(
            find(ForwardedHeader::XForwardedFor, &[proxy, forwarded]),
            "10.0.0.1"
        );
        assert_eq!(
            find(ForwardedHeader::Forwarded, &[proxy, x_forwarded_for]),
            "10.0.0.1"
        );
    }

    #[test]
    fn the_name_of_the_header_of_the_proxies_is_parsed() {
        for (text, header) in [
            ("", ForwardedHeader::XForwardedFor),
            ("X-Forwarded-For", ForwardedHeader::XForwardedFor),
            ("forwarded", ForwardedHeader::Forwarded),
        ] {
            assert_eq!(text.parse(), Ok(header));
        }
        assert!("x-real-ip".parse::<ForwardedHeader>().is_err());
    }

    #[test]
    fn forwarded_is_parsed_with_ports_quotes_and_parameters() {
        let find = |line| {
            let headers = [PROXY, (X_FORWARDED_FOR, "198.51.100.1"), (FORWARDED, line)];
            find_client_in(ForwardedHeader::Forwarded, "10.0.0.0/8", &headers)
        };
        assert_eq!(
            find("for=1.1.1.1, For=\"192.0.2.9:80\";proto=http;by=10.9.9.9"),
            "192.0.2.9"
        );
        assert_eq!(find("for=\"[2001:db8::7]:80\""), "2001:db8::7");
        assert_eq!(
            find("for=192.0.2.9;host=\"a,for=1.1.1.1\", for=10.2.2.2"),
            "192.0.2.9"
        );
        assert_eq!(find("for=unknown, for=10.2.2.2"), "10.2.2.2");
        assert_eq!(find("proto=http"), "10.0.0.1");
        // An open quote of the client does not hide the element that the proxy added.
        assert_eq!(find("for=\"1.1.1.1, for=192.0.2.9"), "192.0.2.9");
    }

    #[test]
    fn several_lines_of_a_header_are_one_list() {
        let lines = [
            PROXY,
            (X_FORWARDED_FOR, "192.0.2.9"),
            (X_FORWARDED_FOR, "10.2.2.2"),
        ];
        assert_eq!(find_client("10.0.0.0/8", &lines), "192.0.2.9");
    }

    #[test]
    fn a_malformed_list_of_proxies_is_refused() {
        assert!("".parse::<TrustedProxies>().is_ok());
        assert!(" 10.0.0.0/8 ,::1,".parse::<TrustedProxies>().is_ok());
        assert!("10.0.0.0/8;::1".parse::<TrustedProxies>().is_err());
    }
}
