//! Suggestions for misspelled names.

/// The longest word that is compared, in bytes. The work grows with the square of the length.
const MAX_WORD_BYTES: usize = 64;
/// A name is near a word if at most one in this many letters differs.
const LETTERS_PER_TYPO: usize = 3;

/// Returns the name in `names` that differs least from `word`, ignoring case. Returns `None` if no name is near.
pub fn find_nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_WORD_BYTES {
        return None;
    }
    let word = word.to_lowercase();
    // A different word differs in every letter.
    let most = (word.chars().count() / LETTERS_PER_TYPO)
        .max(1)
        .min(word.chars().count().saturating_sub(1));
    names
        .into_iter()
        .map(|name| (strsim::osa_distance(&word, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Returns `; did you mean x?` for the nearest of `names`, or an empty text if no name is near.
pub fn suggest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    find_nearest(word, names).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_corrected_and_another_word_is_not() {
        let names = ["scores:read", "scores:write", "admin"];
        assert_eq!(find_nearest("score:read", names), Some("scores:read"));
        assert_eq!(find_nearest("Admni", names), Some("admin"));
        assert_eq!(find_nearest("everything", names), None);
        assert_eq!(find_nearest(&"a".repeat(65), names), None);
        assert_eq!(suggest("scores:raed", names), "; did you mean scores:read?");
        assert_eq!(
            (suggest("x", names), suggest("x", ["y"])),
            (String::new(), String::new())
        );
    }
}
