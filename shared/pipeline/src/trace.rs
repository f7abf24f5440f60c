//! The trace id: the client's own if it is valid (W3C Trace Context), otherwise a new one. The response has it as `X-Request-Id`, and a
//! problem as `instance`.

use http::HeaderName;

use super::lines::HeaderLines;
use leaderboard_identity::hex::encode as hex;

/// The response header with the trace id, so that a client can report it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The digits of a trace id.
const TRACE_ID_DIGITS: usize = 32;
/// The digits of a parent id.
const PARENT_ID_DIGITS: usize = 16;

/// Returns the request's trace id: 32 lower-case hexadecimal digits, from the client or from `new`.
pub fn trace_id(headers: &impl HeaderLines, new: impl FnOnce() -> [u8; 16]) -> String {
    find_sent_trace_id(headers).map_or_else(|| hex(&new()), str::to_owned)
}

/// Returns the trace id of a request. If the client chose it, also returns a new request id, because a client can send the same
/// trace id with every request.
pub(crate) fn choose_ids(headers: &impl HeaderLines, new: impl Fn() -> [u8; 16]) -> (String, Option<String>) {
    match find_sent_trace_id(headers) {
        Some(id) => (id.to_owned(), Some(hex(&new()))),
        None => (hex(&new()), None),
    }
}

/// Returns the trace id of the request's `traceparent`, or `None` if the header is missing, invalid, or there more than once.
pub(crate) fn find_sent_trace_id(headers: &impl HeaderLines) -> Option<&str> {
    let mut sent = headers.lines("traceparent");
    let id = sent.next().flatten().and_then(parse_traceparent)?;
    sent.next().is_none().then_some(id)
}

/// Returns the trace id of a `traceparent` (version, trace id, parent id and flags, joined by hyphens), or `None` if the text is
/// invalid. A version later than 00 may have more text after the flags.
fn parse_traceparent(text: &str) -> Option<&str> {
    let mut parts = text.trim().splitn(5, '-');
    let version = parts.next().filter(|part| is_hex(part, 2) && *part != "ff")?;
    let id = parts.next().filter(|part| is_id(part, TRACE_ID_DIGITS))?;
    parts.next().filter(|part| is_id(part, PARENT_ID_DIGITS))?;
    parts.next().filter(|part| is_hex(part, 2))?;
    (version != "00" || parts.next().is_none()).then_some(id)
}

fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|digit| digit != b'0')
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    /// A valid trace id.
    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    fn find_trace_id(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("traceparent", HeaderValue::from_str(value).unwrap());
        }
        trace_id(&headers, || [0xab; 16])
    }

    #[test]
    fn a_valid_traceparent_is_continued() {
        assert_eq!(find_trace_id(&[&format!("00-{ID}-b7ad6b7169203331-01")]), ID);
        assert_eq!(
            find_trace_id(&[&format!("cc-{ID}-b7ad6b7169203331-01-what-comes-next")]),
            ID
        );
    }

    #[test]
    fn an_invalid_traceparent_begins_a_new_trace() {
        let new = "ab".repeat(16);
        let valid = format!("00-{ID}-b7ad6b7169203331-01");
        for bad in [
            String::new(),
            format!("00-{ID}-b7ad6b7169203331-01-more"),
            format!("ff-{ID}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{ID}-{}-01", "0".repeat(16)),
            format!("00-{}-b7ad6b7169203331-01", ID.to_uppercase()),
            format!("00-{ID}-b7ad6b7169203331"),
        ] {
            assert_eq!(find_trace_id(&[&bad]), new, "{bad}");
        }
        assert_eq!(find_trace_id(&[]), new);
        assert_eq!(find_trace_id(&[&valid, &valid]), new);
    }
}
