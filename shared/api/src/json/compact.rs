//! Compact JSON text.

/// Returns JSON text without the white space between its tokens. Strings and numbers stay the same, byte by byte. The text must be
/// valid JSON.
pub fn compact(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in raw.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if matches!(character, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = character == '"';
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_white_space_between_tokens_is_removed() {
        assert_eq!(
            compact("{ \"a b\" :\t[1.10, \"\\\" \\\\\" , \"é\\u00e9 \"]\r\n}"),
            "{\"a b\":[1.10,\"\\\" \\\\\",\"é\\u00e9 \"]}"
        );
        assert_eq!(compact("{}"), "{}");
    }
}
