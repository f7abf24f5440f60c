//! Suggestions for misspelt names.

/// The minimum similarity of a suggested name to the misspelt name, from 0 to 1.
const ALIKE: f64 = 0.6;

/// Returns the text to append to "there is no such …": the most similar name, or else all names after the words `are`. Returns an
/// empty text if there are no names.
pub(crate) fn format_suggestion<'a>(wrong: &str, are: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match find_nearest(wrong, &names) {
        Some(name) => format!("; did you mean `{name}`?"),
        None if names.is_empty() => String::new(),
        None => format!("; {are}: {}", names.join(", ")),
    }
}

fn find_nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let alike = |name: &str| strsim::normalized_damerau_levenshtein(&wrong, &name.to_lowercase());
    names
        .iter()
        .map(|name| (alike(name), *name))
        .filter(|(alike, _name)| *alike > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_alike, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_is_suggested_or_all_names_are_listed() {
        let suggest =
            |wrong| format_suggestion(wrong, "the columns are", ["date", "scorer", "team"].into_iter());
        assert_eq!(suggest("scorrer"), "; did you mean `scorer`?");
        assert_eq!(suggest("Team"), "; did you mean `team`?");
        assert_eq!(suggest("tema"), "; did you mean `team`?");
        assert_eq!(suggest("player"), "; the columns are: date, scorer, team");
        assert_eq!(super::format_suggestion("x", "none", std::iter::empty()), "");
    }
}
