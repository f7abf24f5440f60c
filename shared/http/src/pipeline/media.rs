//! Media types, in (`Content-Type`) and out (`Accept`).

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

use super::list_header;
use crate::problem::{Problem, ProblemType};
use crate::route::BodyKind;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const VENDOR: &str = "application/vnd.edgeboard.v1+json";
/// Tells which bodies a PATCH takes (RFC 5789).
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The names that an answer in JSON goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`.
    Json,
    /// `application/vnd.edgeboard.v1+json`: the same document, under the name of its version.
    Versioned,
}

impl MediaType {
    /// As in `Content-Type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Versioned => VENDOR,
        }
    }
}

/// Checks the media type and the coding of a body that a route takes.
pub(super) fn check_content(kind: BodyKind, headers: &HeaderMap) -> Result<(), Problem> {
    let takes: &[&str] = match kind {
        BodyKind::None => return Ok(()),
        BodyKind::Json => &[JSON, VENDOR],
        BodyKind::MergePatch => &[MERGE_PATCH, JSON, VENDOR],
    };
    let refused = || {
        let named = takes.first().copied().unwrap_or(JSON);
        let problem =
            Problem::new(ProblemType::UnsupportedMediaType).with_detail(format!("Send {named} in UTF-8."));
        match kind {
            BodyKind::MergePatch => problem.with_header(ACCEPT_PATCH, MERGE_PATCH),
            BodyKind::None | BodyKind::Json => problem,
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

/// Whether a parameter leaves the text UTF-8; other parameters than the charset mean nothing to JSON.
fn is_utf8_parameter(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    }
}

/// The media type to answer with: the acceptable one of the higher weight (RFC 9110, section 12.5.1).
pub(super) fn accepted(headers: &HeaderMap) -> Result<MediaType, Problem> {
    let Some(accept) = list_header(headers, ACCEPT.as_str()) else {
        return Ok(MediaType::Json);
    };
    let (json, vendor) = (weight_of(&accept, JSON), weight_of(&accept, VENDOR));
    if json == 0 && vendor == 0 {
        let detail = format!("Answers are {JSON} or {VENDOR}.");
        return Err(Problem::new(ProblemType::NotAcceptable).with_detail(detail));
    }
    Ok(if vendor > json {
        MediaType::Versioned
    } else {
        MediaType::Json
    })
}

/// The weight of a media type in thousandths: that of the most specific range that covers it.
fn weight_of(accept: &str, media_type: &str) -> u16 {
    let mut best: Option<(u8, u16)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let specificity = match parts.next().unwrap_or("") {
            "*/*" => 0,
            "application/*" => 1,
            exact if exact.eq_ignore_ascii_case(media_type) => 2,
            _ => continue,
        };
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1000, parse_weight);
        if best.is_none_or(|(known, _)| specificity > known) {
            best = Some((specificity, weight));
        }
    }
    best.map_or(0, |(_, weight)| weight)
}

/// `0.8` as 800. What is not a weight counts as 0.
fn parse_weight(text: &str) -> u16 {
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

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    fn content(kind: BodyKind, value: &str) -> bool {
        check_content(kind, &with(CONTENT_TYPE, value)).is_ok()
    }

    #[test]
    fn a_body_is_json_in_utf8() {
        assert!(content(BodyKind::Json, "application/json"));
        assert!(content(BodyKind::Json, "Application/JSON; charset=\"UTF-8\""));
        assert!(content(BodyKind::MergePatch, "application/merge-patch+json"));
        assert!(content(BodyKind::MergePatch, "application/json"));
        assert!(content(BodyKind::None, "text/plain"));
        assert!(!content(BodyKind::Json, "application/merge-patch+json"));
        assert!(!content(BodyKind::Json, "application/json; charset=latin1"));
        assert!(!content(BodyKind::Json, "text/plain"));
        assert!(check_content(BodyKind::Json, &HeaderMap::new()).is_err());
    }

    #[test]
    fn a_coded_body_is_refused() {
        let mut headers = with(CONTENT_TYPE, JSON);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check_content(BodyKind::Json, &headers).is_err());
    }

    #[test]
    fn a_patch_tells_what_it_takes() {
        let problem = check_content(BodyKind::MergePatch, &HeaderMap::new()).unwrap_err();
        assert_eq!(problem.headers[0].1, MERGE_PATCH);
    }

    #[test]
    fn accept_chooses_between_the_names_of_the_same_document() {
        let of = |value: &str| accepted(&with(ACCEPT, value)).map_err(|problem| problem.kind);
        assert_eq!(accepted(&HeaderMap::new()), Ok(MediaType::Json));
        for json in [
            "*/*",
            "application/*",
            "text/html, */*;q=0.1",
            "application/json, text/plain",
        ] {
            assert_eq!(of(json), Ok(MediaType::Json), "{json}");
        }
        assert_eq!(of(VENDOR), Ok(MediaType::Versioned));
        assert_eq!(
            of("application/json;q=0.5, application/vnd.edgeboard.v1+json;q=0.9"),
            Ok(MediaType::Versioned)
        );
        for none in [
            "text/html",
            "application/vnd.edgeboard.v2+json",
            "application/json;q=0, application/vnd.edgeboard.v1+json;q=0",
            "*/*;q=0",
        ] {
            assert_eq!(of(none), Err(ProblemType::NotAcceptable), "{none}");
        }
    }
}
