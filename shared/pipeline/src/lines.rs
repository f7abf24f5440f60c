//! The lines of a header, in the host's form of headers or in a `HeaderMap`.

use http::HeaderMap;

/// The headers of a request as they were sent, names in lower case.
pub type RawHeaders = Vec<(String, Vec<u8>)>;

/// Headers by name.
pub trait HeaderLines {
    /// Returns the lines of a header in the order they were sent; `None` for a line that is not visible ASCII.
    fn lines(&self, name: &'static str) -> impl DoubleEndedIterator<Item = Option<&str>>;
}

impl HeaderLines for HeaderMap {
    fn lines(&self, name: &'static str) -> impl DoubleEndedIterator<Item = Option<&str>> {
        self.get_all(name).iter().map(|value| value.to_str().ok())
    }
}

impl HeaderLines for RawHeaders {
    fn lines(&self, name: &'static str) -> impl DoubleEndedIterator<Item = Option<&str>> {
        self.iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| std::str::from_utf8(value).ok().filter(|text| is_visible(text)))
    }
}

/// Returns whether [`http::HeaderValue::to_str`] accepts the text.
fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn both_types_of_headers_have_the_same_lines() {
        let raw: RawHeaders = [("x-a", "1\t2"), ("x-b", "3"), ("x-a", "\u{e9}"), ("x-a", "~ ")]
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .to_vec();
        let mut map = HeaderMap::new();
        for (name, value) in &raw {
            let name: http::HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        for name in ["x-a", "x-b", "x-c"] {
            let lines: Vec<_> = raw.lines(name).collect();
            assert_eq!(lines, map.lines(name).collect::<Vec<_>>());
        }
        assert_eq!(
            raw.lines("x-a").collect::<Vec<_>>(),
            [Some("1\t2"), None, Some("~ ")]
        );
    }
}
