//! Bounds on the size of JSON, checked before it is parsed.

use super::TokenProblem;

/// The most members and elements of a token's claims, including those of nested objects and arrays.
pub const MAX_CLAIMS: usize = 256;
/// How deep objects and arrays of a token's claims may be nested.
pub const MAX_CLAIMS_DEPTH: usize = 8;

/// Checks the bounds. Text that is not JSON may pass, because the parser checks it next.
pub(super) fn check(json: &[u8]) -> Result<(), TokenProblem> {
    let (mut depth, mut separators) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => separators += 1,
            _ => {}
        }
        if depth > MAX_CLAIMS_DEPTH || separators >= MAX_CLAIMS {
            return Err(TokenProblem::TooComplex);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_counted_outside_of_strings() {
        let list = |count: usize| format!(r#"{{"a":[{}]}}"#, vec!["0"; count].join(","));
        assert_eq!(check(list(MAX_CLAIMS).as_bytes()), Ok(()));
        assert_eq!(
            check(list(MAX_CLAIMS + 1).as_bytes()),
            Err(TokenProblem::TooComplex)
        );
        let text = format!(r#"{{"a":"\\\"{}{}"}}"#, "[".repeat(50), ",".repeat(1000));
        assert_eq!(check(text.as_bytes()), Ok(()));
    }

    #[test]
    fn the_depth_of_claims_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(nested(MAX_CLAIMS_DEPTH).as_bytes()), Ok(()));
        assert_eq!(
            check(nested(MAX_CLAIMS_DEPTH + 1).as_bytes()),
            Err(TokenProblem::TooComplex)
        );
        assert_eq!(check("[]".repeat(100).as_bytes()), Ok(()));
    }
}
