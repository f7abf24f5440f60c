//! Standard output, and text that is safe to show on a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::error::CliError;

/// Writes bytes and a final newline. A closed pipe (`| head`) counts as success.
pub(crate) fn print_line(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let end: &[u8] = if bytes.ends_with(b"\n") { b"" } else { b"\n" };
    accept_closed_pipe(
        out.write_all(bytes)
            .and_then(|()| out.write_all(end))
            .and_then(|()| out.flush()),
    )
}

/// Converts the result of a write. A closed pipe counts as success, because its reader needs no more output.
pub(crate) fn accept_closed_pipe(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

/// Escapes all characters that could move the cursor or reorder a line: control characters, and invisible characters that change
/// the direction of writing.
pub(crate) fn escape_unprintable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            // Writing to a string cannot fail.
            let _written = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_stay_and_control_characters_are_escaped() {
        for name in ["José Piendibene (Uruguay)", "محمد صلاح", "三浦 知良", "Łukasz 👩‍🚀"]
        {
            assert_eq!(escape_unprintable(name), name);
        }
        assert_eq!(
            escape_unprintable("a\u{1b}[2Jb\u{202e}c\n"),
            "a\\u{1b}[2Jb\\u{202e}c\\u{a}"
        );
    }
}
