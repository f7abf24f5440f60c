//! Escapes CSV cells that a spreadsheet would read as a formula, and unescapes them.
//!
//! The escaped cell begins with an apostrophe, as OWASP advises ("CSV Injection"). A cell that has apostrophes before such a
//! beginning gets one more apostrophe, so that unescaping restores every cell.

use std::borrow::Cow;

const APOSTROPHE: char = '\'';
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Escapes a cell for writing.
pub(crate) fn escape(cell: &str) -> Cow<'_, str> {
    if is_like_a_formula(cell) {
        Cow::Owned(format!("{APOSTROPHE}{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Returns the original text of a cell that [`escape`] returned.
pub(crate) fn unescape(cell: &str) -> &str {
    cell.strip_prefix(APOSTROPHE)
        .filter(|rest| is_like_a_formula(rest))
        .unwrap_or(cell)
}

fn is_like_a_formula(cell: &str) -> bool {
    cell.trim_start_matches(APOSTROPHE).starts_with(FORMULA_STARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_get_an_apostrophe_and_other_cells_stay_unchanged() {
        for (cell, written) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+49", "'+49"),
            ("-", "'-"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("\r", "'\r"),
            ("'=1", "''=1"),
        ] {
            assert_eq!(escape(cell), written);
        }
        for cell in ["", "a=1", "'", "'abc", "O'Neill", "1-2", " =1"] {
            assert_eq!(escape(cell), cell);
        }
    }

    #[test]
    fn unescaping_restores_every_escaped_cell() {
        for cell in ["=1", "'=1", "''=1", "'", "'a", "-5", "", "a"] {
            assert_eq!(unescape(&escape(cell)), cell);
        }
        assert_eq!(
            unescape("-5"),
            "-5",
            "a number without an apostrophe stays unchanged"
        );
    }
}
