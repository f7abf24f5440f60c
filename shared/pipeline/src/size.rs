//! The size of a request: address, headers, body.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, request};

use leaderboard_api::headers::invalid_header;
use leaderboard_api::{Problem, ProblemType};

/// The largest body, in bytes: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The longest address (path and query), in bytes: 8 KiB.
pub(crate) const MAX_ADDRESS_BYTES: usize = 8 << 10;
/// The most bytes of all headers, names and values: 32 KiB. Hosts may have lower limits of their own.
pub const MAX_HEADER_BYTES: usize = 32 << 10;

/// Checks the size of the address and of the headers.
pub(crate) fn check_head(head: &request::Parts) -> Result<(), Problem> {
    let address = head.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if address > MAX_ADDRESS_BYTES {
        return Err(Problem::new(ProblemType::AddressTooLong));
    }
    let header_bytes: usize = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if header_bytes > MAX_HEADER_BYTES {
        return Err(Problem::new(ProblemType::HeadersTooLarge));
    }
    check_framing(&head.headers)
}

/// Refuses a request with both `Transfer-Encoding` and `Content-Length`. Two servers can disagree where the body of such a request
/// ends, which allows request smuggling (RFC 9112, section 11.2).
fn check_framing(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return Err(invalid_header(
            "Content-Length",
            "comes with Transfer-Encoding; send one of them",
        ));
    }
    Ok(())
}

/// A request's body that is not read yet. The pipeline reads it after the rate limits.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait RequestBody {
    /// Reads the body.
    async fn read(self) -> Body;

    /// Discards the body of a refused request. The response does not wait for it.
    fn discard(self);
}

/// The result of reading a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The whole body.
    Bytes(Bytes),
    /// The body is longer than [`MAX_BODY_BYTES`]; reading stopped.
    TooLarge,
    /// The body stopped arriving, or arrived too slowly; reading stopped.
    TooSlow,
    /// The body ended too early, or was malformed. The text is for the log. The client has probably gone away.
    Broken(String),
}

/// A body that is already in memory.
impl RequestBody for Body {
    async fn read(self) -> Body {
        self
    }

    fn discard(self) {}
}

/// Returns the bytes of a body, or the problem why there are none.
pub(crate) fn within_limit(body: Body) -> Result<Bytes, Problem> {
    match body {
        Body::Bytes(bytes) if bytes.len() <= MAX_BODY_BYTES => Ok(bytes),
        Body::Bytes(_) | Body::TooLarge => Err(Problem::new(ProblemType::BodyTooLarge)),
        Body::TooSlow => Err(Problem::new(ProblemType::BodyTooSlow)),
        Body::Broken(why) => Err(Problem::new(ProblemType::Malformed)
            .with_detail("The body ended before its time.")
            .with_cause(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_request_head(path: &str, header: &str) -> Result<(), ProblemType> {
        let request = http::Request::get(path).header("x-a", header).body(()).unwrap();
        check_head(&request.into_parts().0).map_err(|problem| problem.kind)
    }

    #[test]
    fn the_sizes_of_addresses_and_headers_are_limited() {
        let long = |bytes| format!("/{}", "a".repeat(bytes - 1));
        assert_eq!(check_request_head(&long(MAX_ADDRESS_BYTES), ""), Ok(()));
        assert_eq!(
            check_request_head(&long(MAX_ADDRESS_BYTES + 1), ""),
            Err(ProblemType::AddressTooLong)
        );
        assert_eq!(check_request_head("/", &"a".repeat(MAX_HEADER_BYTES - 3)), Ok(()));
        assert_eq!(
            check_request_head("/", &"a".repeat(MAX_HEADER_BYTES - 2)),
            Err(ProblemType::HeadersTooLarge)
        );
    }

    #[test]
    fn a_body_with_two_kinds_of_framing_is_refused() {
        let check = |names: &[&'static str]| {
            let headers = names
                .iter()
                .map(|name| (http::HeaderName::from_static(name), 1.into()));
            check_framing(&headers.collect()).map_err(|problem| problem.kind)
        };
        assert_eq!(
            (check(&["content-length"]), check(&["transfer-encoding"])),
            (Ok(()), Ok(()))
        );
        assert_eq!(
            check(&["content-length", "transfer-encoding"]),
            Err(ProblemType::InvalidHeader)
        );
    }

    #[test]
    fn the_size_of_a_body_is_limited_to_one_mebibyte() {
        let exact = Body::Bytes(Bytes::from(vec![b' '; MAX_BODY_BYTES]));
        assert_eq!(within_limit(exact).map(|bytes| bytes.len()), Ok(MAX_BODY_BYTES));
        let larger = Body::Bytes(Bytes::from(vec![b' '; MAX_BODY_BYTES + 1]));
        for (body, kind) in [
            (larger, ProblemType::BodyTooLarge),
            (Body::TooLarge, ProblemType::BodyTooLarge),
            (Body::TooSlow, ProblemType::BodyTooSlow),
            (Body::Broken("reset".to_owned()), ProblemType::Malformed),
        ] {
            assert_eq!(within_limit(body).map_err(|problem| problem.kind), Err(kind));
        }
    }
}
