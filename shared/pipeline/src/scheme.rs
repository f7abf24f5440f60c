//! Finds out whether a request came over TLS.

use super::client::{ForwardedHeader, TrustedProxies, elements_from_the_right, host_address};
use super::lines::HeaderLines;

/// The header in which the host reports the address of the request. A client can send this header too; its value then comes
/// first.
const FULL_URL: &str = "spin-full-url";
/// The header in which a proxy that writes `X-Forwarded-For` reports the scheme.
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED: &str = "forwarded";
const TLS: &str = "https";

/// Returns whether a request came over TLS, to the host or to the trusted proxy next to it.
pub fn is_secure(headers: &impl HeaderLines, trusted: &TrustedProxies) -> bool {
    let url = headers.lines(FULL_URL).next_back().flatten();
    if url.is_some_and(|url| url.split_once("://").is_some_and(|(scheme, _)| is_tls(scheme))) {
        return true;
    }
    if !host_address(headers).is_some_and(|proxy| trusted.contain(proxy)) {
        return false;
    }
    let name = match trusted.header() {
        ForwardedHeader::XForwardedFor => FORWARDED_PROTO,
        ForwardedHeader::Forwarded => FORWARDED,
    };
    let last = headers
        .lines(name)
        .next_back()
        .and_then(|line| elements_from_the_right(line).next().flatten());
    match trusted.header() {
        ForwardedHeader::XForwardedFor => last.is_some_and(is_tls),
        ForwardedHeader::Forwarded => last.is_some_and(|element| {
            element
                .split(';')
                .filter_map(|pair| pair.split_once('='))
                .any(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("proto") && is_tls(value.trim_matches(['"', ' ']))
                })
        }),
    }
}

fn is_tls(scheme: &str) -> bool {
    scheme.trim().eq_ignore_ascii_case(TLS)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn is_secure_request(trusted: &TrustedProxies, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        is_secure(&map, trusted)
    }

    #[test]
    fn the_header_of_the_host_contains_the_scheme() {
        let nobody = TrustedProxies::default();
        assert!(is_secure_request(
            &nobody,
            &[("spin-full-url", "https://a.example/")]
        ));
        assert!(!is_secure_request(
            &nobody,
            &[("spin-full-url", "http://a.example/?https://")]
        ));
        // A line of the client comes before the line of the host, so the last line counts.
        let both = [
            ("spin-full-url", "https://a.example/"),
            ("spin-full-url", "http://a.example/"),
        ];
        assert!(!is_secure_request(&nobody, &both));
        assert!(!is_secure_request(&nobody, &[]));
    }

    #[test]
    fn the_header_of_a_trusted_proxy_contains_the_scheme() {
        let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let (near, far) = (
            ("spin-client-addr", "10.0.0.1:80"),
            ("spin-client-addr", "192.0.2.1:80"),
        );
        let https = ("x-forwarded-proto", "https");
        assert!(is_secure_request(&proxies, &[near, https]));
        assert!(!is_secure_request(&proxies, &[far, https]) && !is_secure_request(&proxies, &[https]));
        assert!(!is_secure_request(
            &proxies,
            &[near, ("x-forwarded-proto", "https, http")]
        ));
        assert!(!is_secure_request(&TrustedProxies::default(), &[near, https]));
        let forwarded = proxies.writing(ForwardedHeader::Forwarded);
        assert!(!is_secure_request(&forwarded, &[near, https]));
        assert!(is_secure_request(
            &forwarded,
            &[
                near,
                (
                    "forwarded",
                    "for=192.0.2.1;proto=http, for=192.0.2.2;Proto=\"https\""
                )
            ]
        ));
        assert!(!is_secure_request(
            &forwarded,
            &[near, ("forwarded", "for=192.0.2.1;proto=https, for=192.0.2.2")]
        ));
    }
}
