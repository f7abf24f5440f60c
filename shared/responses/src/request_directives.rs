//! The cache directives of a request (RFC 9111, section 5.2.1).

use http::HeaderMap;
use http::header::CACHE_CONTROL;

use leaderboard_api::headers::list_header;

/// Returns whether a request has `Cache-Control: no-cache`: the client wants a response that is newer than its request (RFC 9111,
/// section 5.2.1.4).
pub(crate) fn has_no_cache_directive(headers: &HeaderMap) -> bool {
    headers.contains_key(CACHE_CONTROL)
        && list_header(headers, CACHE_CONTROL.as_str()).is_some_and(|list| {
            list.split(',')
                .any(|item| item.trim().eq_ignore_ascii_case("no-cache"))
        })
}
