//! Application variables: where their values come from.

mod source;

use std::collections::BTreeMap;

pub use source::VariableSource;

use crate::manifest::{Template, Variable};

/// The prefix of an environment variable that sets an application variable: `SPIN_VARIABLE_REDIS_URL` sets
/// `redis_url`.
const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// The values of the application variables.
#[derive(Debug, Default)]
pub(crate) struct VariableValues(BTreeMap<String, String>);

impl VariableValues {
    /// Resolves each declared variable. A value in `given` comes before the environment, and the environment
    /// before the default.
    ///
    /// # Errors
    /// One line with the names of all required variables without a value.
    pub(crate) fn resolve(
        declared: &BTreeMap<String, Variable>,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in declared {
            let from_environment = || environment(&environment_name(name));
            let value = given
                .get(name)
                .cloned()
                .or_else(from_environment)
                .or_else(|| variable.default.clone());
            match value {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => missing.push(name.as_str()),
            }
        }
        match missing.first() {
            None => Ok(Self(values)),
            Some(first) => Err(format!(
                "no value for the required variable(s) {}: set {}, or pass --variable {first}=…",
                missing.join(", "),
                environment_name(first),
            )),
        }
    }

    /// Returns the text of a template with the values of its variables.
    ///
    /// # Errors
    /// The template names a variable that is not declared.
    pub(crate) fn render(&self, template: &Template) -> Result<String, String> {
        template.render(|name| self.0.get(name).map(String::as_str))
    }

    /// Parses and renders a template.
    ///
    /// # Errors
    /// The template is malformed, or names a variable that is not declared.
    pub(crate) fn render_text(&self, text: &str) -> Result<String, String> {
        self.render(&Template::parse(text)?)
    }
}

fn environment_name(variable: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", variable.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_variables(text: &str) -> BTreeMap<String, Variable> {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_given_value_beats_the_environment_which_beats_the_default() {
        let declared =
            parse_variables("a = { default = \"d\" }\nb = { default = \"d\" }\nc = { default = \"d\" }");
        let given = BTreeMap::from([("a".to_owned(), "given".to_owned())]);
        let environment = |name: &str| {
            matches!(name, "SPIN_VARIABLE_A" | "SPIN_VARIABLE_B").then(|| "environment".to_owned())
        };
        let values = VariableValues::resolve(&declared, &given, environment).unwrap();
        assert_eq!(
            values.render_text("{{ a }} {{b}} {{ c }}").unwrap(),
            "given environment d"
        );
    }

    #[test]
    fn missing_required_variables_are_named_in_one_line() {
        let declared = parse_variables("admin_key = { required = true }\nother = { required = true }");
        let error = VariableValues::resolve(&declared, &BTreeMap::new(), |_| None).unwrap_err();
        assert_eq!(
            error,
            "no value for the required variable(s) admin_key, other: set SPIN_VARIABLE_ADMIN_KEY, or pass --variable admin_key=…"
        );
    }
}
