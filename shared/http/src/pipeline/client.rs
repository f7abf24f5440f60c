//! The client's address.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// Set by the host. A client can send it too, and its value then comes first.
const HOST_HEADER: &str = "spin-client-addr";

/// The address that the host saw; `None` when it tells none.
pub(super) fn address(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(HOST_HEADER).iter().next_back()?;
    let text = last.to_str().ok()?.trim();
    let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
    with_port.or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_last_value_counts_without_its_port() {
        let mut headers = HeaderMap::new();
        assert_eq!(address(&headers), None);
        headers.append(HOST_HEADER, HeaderValue::from_static("10.0.0.1:1"));
        headers.append(HOST_HEADER, HeaderValue::from_static("[2001:db8::1]:443"));
        assert_eq!(address(&headers), "2001:db8::1".parse().ok());
    }
}
