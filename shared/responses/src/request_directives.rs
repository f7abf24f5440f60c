//! What a request says about caches (RFC 9111, section 5.2.1).

use http::HeaderMap;
use http::header::CACHE_CONTROL;

use leaderboard_api::headers::list_header;

/// Whether a client asks for the store's own answer (RFC 9111, section 5.2.1.4).
pub(crate) fn wants_the_truth(headers: &HeaderMap) -> bool {
    headers.contains_key(CACHE_CONTROL)
        && list_header(headers, CACHE_CONTROL.as_str()).is_some_and(|list| {
            list.split(',')
                .any(|item| item.trim().eq_ignore_ascii_case("no-cache"))
        })
}
