//! Converts a byte range of a text to a line and a column.

use std::ops::Range;

/// A place in a text, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    /// Returns the place where `span` begins, or the first character if `span` is `None`.
    pub(super) fn of(text: &str, span: Option<Range<usize>>) -> Self {
        let start = span.map_or(0, |range| range.start.min(text.len()));
        let before = text.get(..start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Self { line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_becomes_line_and_column() {
        let text = "ab\ncdé f\n";
        assert_eq!(Place::of(text, None), Place { line: 1, column: 1 });
        assert_eq!(Place::of(text, Some(8..9)), Place { line: 2, column: 5 });
        assert_eq!(Place::of(text, Some(99..100)), Place { line: 3, column: 1 });
    }
}
