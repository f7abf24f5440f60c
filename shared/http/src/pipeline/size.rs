//! The size of a request: address, headers, body.

use bytes::Bytes;
use http::request;

use crate::problem::{Problem, ProblemType};

/// The largest body, in bytes: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The longest address (path and query), in bytes: 8 KiB.
pub(super) const MAX_ADDRESS_BYTES: usize = 8 << 10;
/// The most bytes of all headers, names and values: 32 KiB. Hosts may have lower limits of their own.
pub(crate) const MAX_HEADER_BYTES: usize = 32 << 10;

/// Checks what comes before the body.
pub(super) fn check_head(head: &request::Parts) -> Result<(), Problem> {
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
    Ok(())
}

/// A request's body, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// All of it.
    Bytes(Bytes),
    /// More than [`MAX_BODY_BYTES`]: reading stopped.
    TooLarge,
}

/// The body's bytes.
pub(super) fn within_limit(body: &Body) -> Result<&[u8], Problem> {
    match body {
        Body::Bytes(bytes) if bytes.len() <= MAX_BODY_BYTES => Ok(bytes),
        Body::Bytes(_) | Body::TooLarge => Err(Problem::new(ProblemType::BodyTooLarge)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(path: &str, header: &str) -> Result<(), ProblemType> {
        let request = http::Request::get(path).header("x-a", header).body(()).unwrap();
        check_head(&request.into_parts().0).map_err(|problem| problem.kind)
    }

    #[test]
    fn addresses_and_headers_have_limits() {
        let long = |bytes| format!("/{}", "a".repeat(bytes - 1));
        assert_eq!(head(&long(MAX_ADDRESS_BYTES), ""), Ok(()));
        assert_eq!(
            head(&long(MAX_ADDRESS_BYTES + 1), ""),
            Err(ProblemType::AddressTooLong)
        );
        assert_eq!(head("/", &"a".repeat(MAX_HEADER_BYTES - 3)), Ok(()));
        assert_eq!(
            head("/", &"a".repeat(MAX_HEADER_BYTES - 2)),
            Err(ProblemType::HeadersTooLarge)
        );
    }

    #[test]
    fn a_mebibyte_is_the_limit() {
        let exact = Body::Bytes(Bytes::from(vec![b' '; MAX_BODY_BYTES]));
        assert_eq!(within_limit(&exact).map(<[u8]>::len), Ok(MAX_BODY_BYTES));
        let larger = Body::Bytes(Bytes::from(vec![b' '; MAX_BODY_BYTES + 1]));
        for body in [larger, Body::TooLarge] {
            assert_eq!(
                within_limit(&body).map_err(|problem| problem.kind),
                Err(ProblemType::BodyTooLarge)
            );
        }
    }
}
