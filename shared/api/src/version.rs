//! The versions of the API: one domain, two thin wire formats.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, LINK};
use leaderboard_core::Timestamp;

/// The header that asks for a version in a request, and names the version in a response.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");
/// The header that says since when a version is deprecated (RFC 9745).
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// The header that says until when a version is served (RFC 8594).
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// The last instant that a date in a header can name, in milliseconds: the end of the year 9999.
const LAST_DATE_MS: i64 = 253_402_300_799_999;

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// `/api/v1`.
    V1,
    /// `/api/v2`: entries carry `player: {id, metadata}`, lists are `{data, page}`.
    V2,
}

impl ApiVersion {
    /// All versions, oldest first.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// Returns the number, as in `API-Version`.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
        }
    }

    /// Returns the version with that number.
    pub fn of_number(number: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.number() == number)
    }

    /// Returns the media type that names the version.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V1 => "application/vnd.edgeboard.v1+json",
            Self::V2 => "application/vnd.edgeboard.v2+json",
        }
    }

    /// Returns the path that the version's routes begin with.
    #[must_use]
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::V1 => "/api/v1",
            Self::V2 => "/api/v2",
        }
    }
}

/// The headers that say that version 1 is deprecated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deprecation {
    since: HeaderValue,
    sunset: Option<HeaderValue>,
    policy: Option<HeaderValue>,
}

impl Deprecation {
    /// Makes the headers of a version that is deprecated from one instant on and removed after another. The address has an
    /// explanation. Returns `None` when a date is outside the years 1970 to 9999, or when the address is not a valid header value.
    #[must_use]
    pub fn new(since: Timestamp, sunset: Option<Timestamp>, policy: Option<&str>) -> Option<Self> {
        let text = |text: String| HeaderValue::try_from(text).ok();
        let sunset = match sunset {
            None => None,
            Some(at) => Some(text(http_date(at)?)?),
        };
        let policy = match policy {
            None => None,
            Some(address) if address.contains(['<', '>', '"', ' ']) => return None,
            Some(address) => Some(text(format!("<{address}>; rel=\"deprecation\""))?),
        };
        Some(Self {
            since: text(format!("@{}", seconds(since)?))?,
            sunset,
            policy,
        })
    }
}

/// Adds the headers that name the version of a response and its deprecation. `path` is the path of the request.
pub fn describe(headers: &mut HeaderMap, version: ApiVersion, path: &str, deprecation: Option<&Deprecation>) {
    headers.insert(API_VERSION, HeaderValue::from_static(version.number()));
    let (ApiVersion::V1, Some(deprecation)) = (version, deprecation) else {
        return;
    };
    headers.insert(DEPRECATION, deprecation.since.clone());
    if let Some(sunset) = &deprecation.sunset {
        headers.insert(SUNSET, sunset.clone());
    }
    if let Some(policy) = &deprecation.policy {
        headers.append(LINK, policy.clone());
    }
    let successor = path.strip_prefix(ApiVersion::V1.base_path()).map(|below| {
        format!(
            "<{}{below}>; rel=\"successor-version\"",
            ApiVersion::V2.base_path()
        )
    });
    if let Some(Ok(link)) = successor.map(HeaderValue::try_from) {
        headers.append(LINK, link);
    }
}

/// Returns whole seconds since 1970 for a date that a header can have; `None` for other dates.
fn seconds(at: Timestamp) -> Option<u64> {
    let ms = at.as_unix_ms();
    (ms <= LAST_DATE_MS).then_some(())?;
    u64::try_from(ms.div_euclid(1000)).ok()
}

/// Writes a date as headers have it (RFC 9110, section 5.6.7).
fn http_date(at: Timestamp) -> Option<String> {
    let since_epoch = std::time::Duration::from_secs(seconds(at)?);
    Some(httpdate::fmt_http_date(
        std::time::SystemTime::UNIX_EPOCH + since_epoch,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_headers(version: ApiVersion, path: &str, deprecation: &Deprecation) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        describe(&mut headers, version, path, Some(deprecation));
        headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn a_deprecated_version_has_the_headers_of_its_deprecation() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let deprecation = Deprecation::new(
            at("2027-01-01T00:00:00Z"),
            Some(at("2027-07-01T12:00:00Z")),
            Some("https://example.org/v1"),
        )
        .unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            list_headers(ApiVersion::V1, "/api/v1/scores", &deprecation),
            [
                pair("api-version", "1"),
                pair("deprecation", "@1798761600"),
                pair("sunset", "Thu, 01 Jul 2027 12:00:00 GMT"),
                pair("link", "<https://example.org/v1>; rel=\"deprecation\""),
                pair("link", "</api/v2/scores>; rel=\"successor-version\""),
            ]
        );
        assert_eq!(list_headers(ApiVersion::V1, "/api/scores", &deprecation).len(), 4);
        assert_eq!(
            list_headers(ApiVersion::V2, "/api/v2/scores", &deprecation),
            [pair("api-version", "2")]
        );
    }

    #[test]
    fn a_deprecation_that_no_header_can_express_is_refused() {
        let ok = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        let before = Timestamp::parse("1969-12-31T23:59:59Z").unwrap();
        assert!(Deprecation::new(ok, None, None).is_some());
        assert!(Deprecation::new(before, None, None).is_none());
        assert!(Deprecation::new(ok, Some(before), None).is_none());
        for bad in ["a b", "<x>", "x\ny"] {
            assert!(Deprecation::new(ok, None, Some(bad)).is_none(), "{bad:?}");
        }
    }
}
