//! The server's base address, and the URLs of its resources.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use crate::error::CliError;

/// The version of the API that this tool speaks.
const API: [&str; 2] = ["api", "v1"];

/// The server's base address, such as `http://127.0.0.1:3000` or `https://example.org/games`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiAddress(Url);

impl FromStr for ApiAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url =
            Url::parse(text).map_err(|error| format!("{error}; write it like http://127.0.0.1:3000"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("an address starts with http:// or https:// and names a host".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address carries no user or password; use --key".into());
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(strip_version(&path)?);
        Ok(Self(url))
    }
}

/// Removes `/api/v1` from the end of a base path, because users often copy it together with the address.
fn strip_version(path: &str) -> Result<&str, String> {
    match path.rsplit_once("/api/") {
        Some((base, "v1")) => Ok(base),
        Some((_base, version)) if version.starts_with('v') && !version.contains('/') => {
            Err(format!("this tool speaks version 1 of the API, not {version}"))
        }
        _ => Ok(path),
    }
}

impl fmt::Display for ApiAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl ApiAddress {
    /// Returns whether the address uses HTTPS.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns whether the server is on this machine, which a proxy cannot reach.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Builds the URL of a resource of the API, and percent-encodes each segment and each query value.
    pub(crate) fn build_url(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Url, CliError> {
        // In a path, `.` and `..` mean this folder and the folder above, even when they are percent-encoded.
        if let Some(segment) = segments
            .iter()
            .find(|segment| matches!(**segment, "." | ".." | ""))
        {
            return Err(CliError::Usage(format!(
                "`{segment}` cannot be part of an address"
            )));
        }
        let mut url = self.0.clone();
        url.path_segments_mut()
            .map_err(|()| CliError::Usage(format!("{self} cannot be a base address")))?
            .pop_if_empty()
            .extend(API)
            .extend(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_address(text: &str) -> ApiAddress {
        text.parse().unwrap()
    }

    #[test]
    fn a_player_with_any_name_becomes_one_path_segment() {
        let url = parse_address("http://127.0.0.1:3000")
            .build_url(
                &["leaderboards", "goals", "entries", "José/?#% (Uruguay)"],
                &[("limit", "3".into())],
            )
            .unwrap();
        let expected = "http://127.0.0.1:3000/api/v1/leaderboards/goals/entries/Jos%C3%A9%2F%3F%23%25%20(Uruguay)?limit=3";
        assert_eq!(url.as_str(), expected);
    }

    #[test]
    fn a_base_path_is_kept_and_a_final_slash_is_ignored() {
        for base in ["https://example.org/games", "https://example.org/games/"] {
            let url = parse_address(base).build_url(&["scores"], &[]).unwrap();
            assert_eq!(url.as_str(), "https://example.org/games/api/v1/scores");
            assert_eq!(parse_address(base).to_string(), "https://example.org/games");
        }
        assert_eq!(
            parse_address("http://localhost:3000/").to_string(),
            "http://localhost:3000"
        );
    }

    #[test]
    fn an_address_may_end_with_the_path_of_the_api() {
        for base in [
            "http://localhost:3000/api/v1",
            "http://localhost:3000/api/v1/",
            "http://localhost:3000",
        ] {
            let url = parse_address(base).build_url(&["scores"], &[]).unwrap();
            assert_eq!(url.as_str(), "http://localhost:3000/api/v1/scores");
        }
        assert_eq!(
            parse_address("https://example.org/games/api/v1").to_string(),
            "https://example.org/games"
        );
        assert!("http://localhost:3000/api/v2".parse::<ApiAddress>().is_err());
    }

    #[test]
    fn an_invalid_address_or_path_segment_is_refused() {
        for wrong in [
            "127.0.0.1:3000",
            "localhost:3000",
            "ftp://example.org",
            "http://user:pass@example.org",
            "",
        ] {
            assert!(wrong.parse::<ApiAddress>().is_err(), "{wrong}");
        }
        for segment in [".", "..", ""] {
            assert!(
                parse_address("http://localhost")
                    .build_url(&["leaderboards", segment], &[])
                    .is_err()
            );
        }
    }

    #[test]
    fn loopback_addresses_are_recognised() {
        for loopback in ["http://127.0.0.1:3000", "http://localhost", "http://[::1]:8080"] {
            assert!(parse_address(loopback).is_loopback(), "{loopback}");
        }
        assert!(!parse_address("http://example.org").is_loopback());
    }
}
