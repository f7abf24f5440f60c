//! The client's country, as a proxy or CDN reports it. A client that reaches the region directly can send any country.

use http::{HeaderMap, HeaderName};

/// Returns the two capital letters (ISO 3166) of the configured header, or `None` if it is absent or invalid.
pub fn read_country(headers: &HeaderMap, header: Option<&HeaderName>) -> Option<[u8; 2]> {
    let mut sent = headers.get_all(header?).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return None;
    };
    let letters: [u8; 2] = value.as_bytes().try_into().ok()?;
    letters
        .iter()
        .all(u8::is_ascii_alphabetic)
        .then(|| letters.map(|letter| letter.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_country_is_a_single_header_with_two_letters() {
        let header = HeaderName::from_static("x-country");
        let mut headers = HeaderMap::new();
        assert_eq!(read_country(&headers, Some(&header)), None);
        for (value, expected) in [("de", Some(*b"DE")), ("T1", None), ("POL", None), ("", None)] {
            headers.insert("x-country", HeaderValue::from_static(value));
            assert_eq!(read_country(&headers, Some(&header)), expected, "{value}");
            assert_eq!(read_country(&headers, None), None);
        }
        headers.insert("x-country", HeaderValue::from_static("DE"));
        headers.append("x-country", HeaderValue::from_static("PL"));
        assert_eq!(read_country(&headers, Some(&header)), None);
    }
}
