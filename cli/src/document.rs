//! Documents that users write: JSON or TOML files.

use std::path::Path;

use serde_json::Value;

use crate::error::CliError;
use crate::number::Integer;

/// The file name that means standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Reads a document: TOML when the file name ends in `.toml`, JSON otherwise; `-` is standard input.
///
/// # Errors
/// The file is unreadable, empty or malformed.
pub(crate) fn read_document(path: &Path) -> Result<Value, CliError> {
    let text = if path == Path::new(STANDARD_INPUT) {
        std::io::read_to_string(std::io::stdin()).map_err(|error| CliError::file(path, error))?
    } else {
        std::fs::read_to_string(path).map_err(|error| CliError::file(path, error))?
    };
    if text.trim().is_empty() {
        return Err(CliError::file(path, "is empty"));
    }
    let wrong = |error: &dyn std::fmt::Display| CliError::Usage(format!("{}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension == "toml") {
        let table = toml::from_str(&text).map_err(|error| wrong(&error))?;
        return Ok(convert_toml_table(&table));
    }
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

/// Converts a TOML table to the JSON that the API expects. Integers of any size keep their exact value.
pub(crate) fn convert_toml_table(table: &toml::Table) -> Value {
    let convert = |(key, value): (&String, &toml::Value)| (key.clone(), convert_toml_value(value));
    table.iter().map(convert).collect()
}

fn convert_toml_value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => Integer(*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(instant) => instant.to_string().into(),
        toml::Value::Array(items) => items.iter().map(convert_toml_value).collect(),
        toml::Value::Table(table) => convert_toml_table(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toml_configuration_becomes_the_same_json() {
        let table = "title = 'Goals'\nkeep_periods = 120\nstarts_at = 1916-07-02T00:00:00Z\n\
                     columns = [{ name = 'score', order = 'desc' }]\n[reset]\ncron = '0 0 1 1 *'\n\
                     [limits]\nmax = 9223372036854775807\n";
        let expected = serde_json::json!({
            "title": "Goals", "keep_periods": 120, "starts_at": "1916-07-02T00:00:00Z",
            "columns": [{"name": "score", "order": "desc"}], "reset": {"cron": "0 0 1 1 *"},
            "limits": {"max": "9223372036854775807"},
        });
        assert_eq!(convert_toml_table(&toml::from_str(table).unwrap()), expected);
    }
}
