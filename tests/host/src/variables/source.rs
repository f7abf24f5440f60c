//! The forms of `--variable`: `name=value`, `name=@file`, `@file.json`, `@file.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The source of a variable on the command line.
#[derive(Clone, PartialEq, Eq)]
pub enum VariableSource {
    /// `name=value`.
    Value {
        /// The variable's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// `name=@file`: the file's content.
    File {
        /// The variable's name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// `@file.json` or `@file.toml`: a flat table of strings.
    Table(PathBuf),
}

/// Leaves out the values, which can be secrets.
impl std::fmt::Debug for VariableSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VariableSource")
    }
}

impl FromStr for VariableSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix('@') {
            return Ok(Self::Table(path.into()));
        }
        let Some((name, value)) = text.split_once('=') else {
            return Err("expected name=value, name=@file, @file.json or @file.toml".to_owned());
        };
        crate::manifest::check_variable_name(name)?;
        let name = name.to_owned();
        Ok(match value.strip_prefix('@') {
            Some(path) => Self::File {
                name,
                path: path.into(),
            },
            None => Self::Value {
                name,
                value: value.to_owned(),
            },
        })
    }
}

impl VariableSource {
    /// Adds the variables of this source to `values`.
    ///
    /// # Errors
    /// A file cannot be read, or is not a flat table of strings.
    pub(crate) fn add_to(&self, values: &mut BTreeMap<String, String>) -> Result<(), String> {
        match self {
            Self::Value { name, value } => drop(values.insert(name.clone(), value.clone())),
            Self::File { name, path } => drop(values.insert(name.clone(), read_file(path)?)),
            Self::Table(path) => values.extend(read_table(path)?),
        }
        Ok(())
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("--variable: {}: {error}", path.display()))
}

fn read_table(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = read_file(path)?;
    // The error leaves out the reason, which could quote a secret.
    let malformed = || format!("--variable: {}: not a flat table of strings", path.display());
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).map_err(|_| malformed()),
        Some("toml") => toml::from_str(&text).map_err(|_| malformed()),
        _ => Err(format!(
            "--variable: {}: expected a .json or .toml file",
            path.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_variable_source_are_parsed() {
        let value = |name: &str, value: &str| VariableSource::Value {
            name: name.into(),
            value: value.into(),
        };
        assert_eq!("a=b=c".parse(), Ok(value("a", "b=c")));
        assert_eq!("a=".parse(), Ok(value("a", "")));
        assert_eq!(
            "a=@f".parse(),
            Ok(VariableSource::File {
                name: "a".into(),
                path: "f".into()
            })
        );
        assert_eq!("@f.json".parse(), Ok(VariableSource::Table("f.json".into())));
        assert!("a".parse::<VariableSource>().is_err());
        assert!("A=b".parse::<VariableSource>().is_err());
    }
}
