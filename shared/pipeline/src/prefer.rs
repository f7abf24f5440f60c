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
}
