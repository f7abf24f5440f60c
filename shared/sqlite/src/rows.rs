//! Passes many rows to one statement, because each statement is a call to the host, and because a statement whose text does not
//! depend on the number of rows stays prepared.

use leaderboard_core::StoreError;
use serde_json::Value as Json;

use crate::connection::Value;
use crate::session::Session;

/// Rows as a JSON array of arrays, which a statement reads as `json_each(?1)`: the column `n` of a row is `value ->> n`, and
/// `unhex(value ->> n)` if it has bytes.
#[derive(Debug, Default)]
pub(crate) struct JsonRows(Vec<Json>);

impl JsonRows {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: &[Value<'_>]) {
        self.0.push(row.iter().map(to_json).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text for the parameter.
    pub(crate) fn to_text(&self) -> String {
        Json::from(self.0.as_slice()).to_string()
    }

    /// Runs a statement with these rows as its only parameter, unless there are none.
    pub(crate) fn run(&self, session: &Session<'_>, sql: &str) -> Result<(), StoreError> {
        if self.is_empty() {
            return Ok(());
        }
        session.run(sql, &[Value::Text(&self.to_text())])
    }
}

fn to_json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => Json::from(*number),
        Value::Text(text) => Json::from(*text),
        Value::Blob(bytes) => Json::from(base16ct::lower::encode_string(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_json_arrays() {
        let mut rows = JsonRows::default();
        rows.push(&[
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Text("say \"hi\"\\ 日本"),
            Value::Blob(&[0, 255]),
        ]);
        rows.push(&[Value::Integer(1)]);
        let expected = r#"[[null,-9223372036854775808,"say \"hi\"\\ 日本","00ff"],[1]]"#;
        assert_eq!(rows.to_text(), expected);
    }
}
