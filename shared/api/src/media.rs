//! The media types of requests (`Content-Type`) and of responses (`Accept`).

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

use crate::headers::list_header;
use crate::problem::{Problem, ProblemType};
use crate::version::ApiVersion;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
// A request has the same body in all versions, so a client may send it under the name of any version.
const V1: &str = ApiVersion::V1.media_type();
const V2: &str = ApiVersion::V2.media_type();

/// The kind of body that a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// No body. The route ignores a body that a client sends.
    None,
    /// `application/json`.
    Json,
    /// `application/json`, or no body.
    OptionalJson,
    /// `application/merge-patch+json` (RFC 7396), or `application/json`.
    MergePatch,
}

/// The header that lists the media types which a PATCH takes (RFC 5789).
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The media type of a response in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`.
    Json,
    /// `application/vnd.edgeboard.v1+json`: the same document, with its version in the media type.
    Versioned(ApiVersion),
}

impl MediaType {
    /// Returns the value of `Content-Type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Versioned(version) => version.media_type(),
        }
    }
}

/// Checks that a body has a media type that the route takes, and no content coding.
///
/// # Errors
/// A 415 problem that names the media type to send.
pub fn check_content(kind: BodyKind, headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    let takes: &[&str] = match kind {
        BodyKind::None => return Ok(()),
        BodyKind::OptionalJson if body.is_empty() => return Ok(()),
        BodyKind::Json | BodyKind::OptionalJson => &[JSON, V1, V2],
        BodyKind::MergePatch => &[MERGE_PATCH, JSON, V1, V2],
    };
    let refused = || {
        let named = takes.first().copied().unwrap_or(JSON);
        let problem =
            Problem::new(ProblemType::UnsupportedMediaType).with_detail(format!("Send {named} in UTF-8."));
        match kind {
            BodyKind::MergePatch => problem.with_header(ACCEPT_PATCH, MERGE_PATCH),
            BodyKind::None | BodyKind::Json | BodyKind::OptionalJson => problem,
        }
    };
    let coded = headers.get_all(CONTENT_ENCODING).iter();
    if coded.into_iter().any(|coding| coding.as_bytes() != b"identity") {
        return Err(refused());
    }
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return Err(refused());
    };
    let text = value.to_str().unwrap_or("");
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or("");
    let known = takes.iter().any(|taken| taken.eq_ignore_ascii_case(essence));
    if known && parts.all(is_utf8_parameter) {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Returns whether a parameter of a media type allows UTF-8. JSON ignores every parameter but `charset`.
fn is_utf8_parameter(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    }
}

/// Returns the version that `Accept` names with the highest weight. Returns `None` when `Accept` names no version, or gives plain
/// JSON a higher weight.
pub fn version(headers: &HeaderMap) -> Option<ApiVersion> {
    let accept = list_header(headers, ACCEPT.as_str())?;
    let named = |version: &ApiVersion| weight_of(&accept, version.media_type()).filter(Weight::names_it);
    // `max_by_key` takes the last of several equal weights: the newest version.
    let (weight, version) = ApiVersion::ALL
        .into_iter()
        .filter_map(|version| Some((named(&version)?.thousandths, version)))
        .max_by_key(|(weight, _)| *weight)?;
    (weight > 0 && weight >= thousandths(&accept, JSON)).then_some(version)
}

/// Returns the media type of the response: of those that `Accept` allows, the one with the highest weight (RFC 9110, section
/// 12.5.1). The version is known already. A client that accepts the media type of another version gets the media type of `version`,
/// because the path and the header `API-Version` come before `Accept`.
///
/// # Errors
/// A 406 problem when `Accept` allows neither plain JSON nor a version.
pub fn accepted(headers: &HeaderMap, version: ApiVersion) -> Result<MediaType, Problem> {
    let Some(accept) = list_header(headers, ACCEPT.as_str()) else {
        return Ok(MediaType::Json);
    };
    let json = thousandths(&accept, JSON);
    let vendor = ApiVersion::ALL
        .iter()
        .filter_map(|version| weight_of(&accept, version.media_type()))
        .max_by_key(|weight| (weight.thousandths, weight.specificity));
    match vendor {
        Some(vendor)
            if vendor.thousandths > 0 && (json == 0 || vendor.names_it() && vendor.thousandths >= json) =>
        {
            Ok(MediaType::Versioned(version))
        }
        _ if json > 0 => Ok(MediaType::Json),
        _ => {
            let detail = format!("Answers are {JSON}, {V1} or {V2}.");
            Err(Problem::new(ProblemType::NotAcceptable).with_detail(detail))
        }
    }
}

/// Returns whether `Accept` names a media type, with at least the weight of JSON.
pub fn prefers(headers: &HeaderMap, media_type: &str) -> bool {
    list_header(headers, ACCEPT.as_str()).is_some_and(|accept| {
        weight_of(&accept, media_type)
            .filter(Weight::names_it)
            .is_some_and(|weight| weight.thousandths > 0 && weight.thousandths >= thousandths(&accept, JSON))
    })
}

/// The weight of a media type in `Accept`.
#[derive(Debug, Clone, Copy)]
struct Weight {
    /// 0 for `*/*`, 1 for `application/*`, 2 for the type itself.
    specificity: u8,
    thousandths: u16,
}

impl Weight {
    fn names_it(&self) -> bool {
        self.specificity == 2
    }
}

fn thousandths(accept: &str, media_type: &str) -> u16 {
    weight_of(accept, media_type).map_or(0, |weight| weight.thousandths)
}

/// Returns the weight of the most specific media range that covers a media type; `None` when no range covers it.
fn weight_of(accept: &str, media_type: &str) -> Option<Weight> {
    let mut best: Option<Weight> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let specificity = match parts.next().unwrap_or("") {
            "*/*" => 0,
            "application/*" => 1,
            exact if exact.eq_ignore_ascii_case(media_type) => 2,
            _ => continue,
        };
        let thousandths = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1000, parse_weight);
        if best.is_none_or(|known| specificity > known.specificity) {
            best = Some(Weight {
                specificity,
                thousandths,
            });
        }
    }
    best
}

/// Returns a weight in thousandths: `0.8` is 800. Returns 0 for text that is not a weight.
pub fn parse_weight(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn create_headers(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    /// Returns whether a body with this `Content-Type` is accepted.
    fn is_content_accepted(kind: BodyKind, value: &str) -> bool {
        check_content(kind, &create_headers(CONTENT_TYPE, value), b"{}").is_ok()
    }

    #[test]
    fn only_json_in_utf_8_is_accepted_as_a_body() {
        assert!(is_content_accepted(BodyKind::Json, "application/json"));
        assert!(is_content_accepted(
            BodyKind::Json,
            "Application/JSON; charset=\"UTF-8\""
        ));
        assert!(is_content_accepted(
            BodyKind::MergePatch,
            "application/merge-patch+json"
        ));
        assert!(is_content_accepted(BodyKind::MergePatch, "application/json"));
        assert!(is_content_accepted(BodyKind::None, "text/plain"));
        assert!(!is_content_accepted(
            BodyKind::Json,
            "application/merge-patch+json"
        ));
        assert!(!is_content_accepted(
            BodyKind::Json,
            "application/json; charset=latin1"
        ));
        assert!(!is_content_accepted(BodyKind::Json, "text/plain"));
        assert!(check_content(BodyKind::Json, &HeaderMap::new(), b"{}").is_err());
        assert!(check_content(BodyKind::Json, &HeaderMap::new(), b"").is_err());
        assert!(check_content(BodyKind::OptionalJson, &HeaderMap::new(), b"{}").is_err());
        assert!(check_content(BodyKind::OptionalJson, &HeaderMap::new(), b"").is_ok());
    }

    #[test]
    fn a_body_with_a_content_encoding_is_refused() {
        let mut headers = create_headers(CONTENT_TYPE, JSON);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check_content(BodyKind::Json, &headers, b"{}").is_err());
    }

    #[test]
    fn a_refused_patch_names_the_accepted_media_type() {
        let problem = check_content(BodyKind::MergePatch, &HeaderMap::new(), b"{}").unwrap_err();
        assert_eq!(problem.headers[0].1, MERGE_PATCH);
    }

    #[test]
    fn accept_chooses_the_media_type_of_the_response() {
        let choose_type = |value: &str| {
            accepted(&create_headers(ACCEPT, value), ApiVersion::V1).map_err(|problem| problem.kind)
        };
        let named = Ok(MediaType::Versioned(ApiVersion::V1));
        assert_eq!(accepted(&HeaderMap::new(), ApiVersion::V2), Ok(MediaType::Json));
        for json in [
            "*/*",
            "application/*",
            "text/html, */*;q=0.1",
            "application/json, text/plain",
            "application/json, application/vnd.edgeboard.v1+json;q=0.9",
            "application/vnd.edgeboard.v9+json, */*;q=0.1",
        ] {
            assert_eq!(choose_type(json), Ok(MediaType::Json), "{json}");
        }
        for vendor in [
            V1,
            // The path or the header `API-Version` names another version than `Accept`.
            V2,
            "application/json;q=0.5, application/vnd.edgeboard.v1+json;q=0.9",
            "application/json, application/vnd.edgeboard.v1+json",
            "application/json;q=0, */*",
        ] {
            assert_eq!(choose_type(vendor), named, "{vendor}");
        }
        for none in [
            "text/html",
            "application/vnd.edgeboard.v9+json",
            "application/json;q=0, application/vnd.edgeboard.v1+json;q=0",
            "*/*;q=0",
        ] {
            assert_eq!(choose_type(none), Err(ProblemType::NotAcceptable), "{none}");
        }
    }

    #[test]
    fn a_media_type_selects_its_version_unless_plain_json_is_preferred() {
        let read_version = |value: &str| version(&create_headers(ACCEPT, value));
        assert_eq!(read_version(V1), Some(ApiVersion::V1));
        assert_eq!(read_version(V2), Some(ApiVersion::V2));
        assert_eq!(
            read_version("application/vnd.edgeboard.v2+json, */*;q=0.1"),
            Some(ApiVersion::V2)
        );
        assert_eq!(
            read_version("application/vnd.edgeboard.v1+json, application/vnd.edgeboard.v2+json;q=0.5"),
            Some(ApiVersion::V1)
        );
        assert_eq!(
            read_version("application/vnd.edgeboard.v2+json, application/vnd.edgeboard.v1+json"),
            Some(ApiVersion::V2)
        );
        for none in [
            "*/*",
            "application/json",
            "application/json, application/vnd.edgeboard.v2+json;q=0.9",
            "application/vnd.edgeboard.v2+json;q=0",
            "application/vnd.edgeboard.v9+json",
        ] {
            assert_eq!(read_version(none), None, "{none}");
        }
        assert_eq!(version(&HeaderMap::new()), None);
    }
}
