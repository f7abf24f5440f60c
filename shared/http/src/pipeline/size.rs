//! The size of a body.

use bytes::Bytes;

use crate::problem::{Problem, ProblemType};

/// The largest body, in bytes: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

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
