//! Cursors, which are opaque to clients: base64url without padding.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::problem::{FieldError, Problem, ProblemType};

/// Writes bytes as a cursor.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor with `decode`, which gets the cursor's bytes and returns `None` when they are not valid.
///
/// # Errors
/// An `invalid-cursor` problem.
pub fn parse<T>(text: &str, decode: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, Problem> {
    parse_parameter("cursor", text, decode)
}

/// Does the same as [`parse`] for a cursor in another parameter.
///
/// # Errors
/// An `invalid-cursor` problem.
pub fn parse_parameter<T>(
    name: &str,
    text: &str,
    decode: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, Problem> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| decode(&bytes))
        .ok_or_else(|| {
            Problem::new(ProblemType::InvalidCursor)
                .with_error(FieldError::parameter(name, "is not a cursor of this list"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_cursor_is_parsed_and_malformed_text_is_refused() {
        let text = encode(&[0, 255, 62, 63]);
        assert_eq!(
            parse(&text, |bytes| Some(bytes.to_vec())).unwrap(),
            [0, 255, 62, 63]
        );
        for bad in ["AP8+Pw", "AP8-Pw==", "A", "é"] {
            let problem = parse(bad, |bytes| Some(bytes.to_vec())).unwrap_err();
            assert_eq!(problem.kind, ProblemType::InvalidCursor, "{bad}");
        }
        assert!(parse::<()>(&text, |_| None).is_err());
    }
}
