//! The `Prefer` header (RFC 7240). Unknown preferences are ignored, as the RFC allows.

use http::HeaderMap;

use leaderboard_api::headers::list_header;

/// Returns whether the client prefers `return=minimal`. The first `return` counts.
pub fn wants_minimal(headers: &HeaderMap) -> bool {
    let Some(text) = list_header(headers, "prefer") else {
        return false;
    };
    let first = text.split(',').find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("return")
            .then(|| value.trim().trim_matches('"'))
    });
    first.is_some_and(|value| value.eq_ignore_ascii_case("minimal"))
}

/// Returns whether the client prefers `respond-async`: a response before the request is carried out.
pub fn wants_async(headers: &HeaderMap) -> bool {
    let Some(text) = list_header(headers, "prefer") else {
        return false;
    };
    text.split(',').any(|preference| {
        let name = preference.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("respond-async")
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_first_return_preference_counts() {
        let is_minimal = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(value));
            wants_minimal(&headers)
        };
        for yes in [
            "return=minimal",
            "respond-async, Return = \"minimal\"; a=b",
            "wait=1,return=minimal,return=representation",
        ] {
            assert!(is_minimal(yes), "{yes}");
        }
        for no in [
            "",
            "return=representation, return=minimal",
            "respond-async",
            "minimal",
            "x;return=minimal",
        ] {
            assert!(!is_minimal(no), "{no}");
        }
        assert!(!wants_minimal(&HeaderMap::new()));
    }

    #[test]
    fn respond_async_is_a_preference_without_a_value() {
        for (value, expected) in [
            ("respond-async", true),
            ("return=minimal, Respond-Async; wait=10", true),
            ("respond-async=1", false),
            ("x-respond-async, return=respond-async", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(value));
            assert_eq!(wants_async(&headers), expected, "{value}");
        }
    }
}
