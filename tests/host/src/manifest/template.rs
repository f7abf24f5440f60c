//! Texts of the manifest that name variables: `text {{ variable }} text`.

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

impl Template {
    /// Parses `text`. As on Spin, a template cannot contain `{{` as plain text.
    ///
    /// # Errors
    /// `{{` without `}}`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some((name, remainder)) = after.split_once("}}") else {
                return Err(format!("'{{{{' without '}}}}' in {text:?}"));
            };
            parts.push(Part::Name(name.trim().to_owned()));
            rest = remainder;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Returns whether the template names no variable.
    pub(crate) fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// Returns the names of the variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Replaces each name by the value of the variable.
    ///
    /// # Errors
    /// A variable has no value.
    pub(crate) fn render<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => {
                    out.push_str(value(name).ok_or_else(|| format!("unknown variable {name:?}"))?);
                }
            }
        }
        Ok(out)
    }
}

/// Checks a variable's name by Spin's rule: lower-case ASCII letters, digits and single underscores between
/// them.
///
/// # Errors
/// A text that says what is wrong.
pub(crate) fn check_variable_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let reason = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(other) = name.chars().find(|&c| !allowed(c)) {
        format!("invalid character {other:?}: only lower-case letters, digits and underscores are allowed")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lower-case letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a letter or a digit".to_owned()
    } else if name.contains("__") {
        "must not contain consecutive underscores".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("invalid variable name {name:?}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_names_follow_the_rule_of_spin() {
        for good in ["a", "redis_url", "a1_b2"] {
            assert_eq!(check_variable_name(good), Ok(()));
        }
        for bad in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "ä"] {
            assert!(check_variable_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn variables_in_a_template_are_replaced() {
        let value = |name: &str| match name {
            "a" => Some("1"),
            "b" => Some(""),
            _ => None,
        };
        for (text, expected) in [
            ("", ""),
            ("x", "x"),
            ("{{a}}", "1"),
            ("x{{ a }}y{{ b }}z", "x1yz"),
            ("}} {", "}} {"),
        ] {
            assert_eq!(Template::parse(text).unwrap().render(value).unwrap(), expected);
        }
        assert!(Template::parse("{{ a").is_err());
        assert!(Template::parse("{{ c }}").unwrap().render(value).is_err());
        assert!(Template::parse("plain").unwrap().is_literal());
        assert!(!Template::parse("{{ a }}").unwrap().is_literal());
    }
}
