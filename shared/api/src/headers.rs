//! Reading request headers.

use http::HeaderMap;

use crate::problem::{FieldError, Problem, ProblemType};

/// The header that names the tenant of a request.
pub const TENANT: &str = "X-Tenant-ID";

/// Returns the trimmed value of a header that may come only once.
///
/// # Errors
/// A 400 problem that names the header when it comes twice or is not ASCII.
pub fn one_header<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid_header(name, "is sent more than once"));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(invalid_header(name, "must be ASCII")),
    }
}

/// Returns all values of a list header, joined with commas (RFC 9110, section 5.3). Values that are not ASCII are left out.
pub fn list_header(headers: &HeaderMap, name: &'static str) -> Option<String> {
    let mut values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut joined = values.next()?.to_owned();
    for value in values {
        joined.push_str(", ");
        joined.push_str(value);
    }
    Some(joined)
}

/// Returns all values of a list header as bytes, joined with commas (RFC 9110, section 5.3).
pub fn list_bytes(headers: &HeaderMap, name: &'static str) -> Option<Vec<u8>> {
    let mut values = headers.get_all(name).iter();
    let mut joined = values.next()?.as_bytes().to_vec();
    for value in values {
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(value.as_bytes());
    }
    Some(joined)
}

/// Returns a 400 problem that names a header.
pub fn invalid_header(name: &'static str, detail: &str) -> Problem {
    Problem::new(ProblemType::InvalidHeader).with_error(FieldError::header(name, detail))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_repeated_header_is_refused() {
        let mut headers = HeaderMap::new();
        assert_eq!(one_header(&headers, "x-a"), Ok(None));
        headers.append("x-a", HeaderValue::from_static(" b "));
        assert_eq!(one_header(&headers, "x-a"), Ok(Some("b")));
        headers.append("x-a", HeaderValue::from_static("c"));
        assert!(one_header(&headers, "x-a").is_err());
        assert_eq!(list_header(&headers, "x-a").as_deref(), Some(" b , c"));
    }
}
