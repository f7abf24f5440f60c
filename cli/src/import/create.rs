//! Leaderboards that a mapping file asks for, and whether a checkpoint can still be true of the server.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::client::{Call, Client};
use crate::failure::Failure;
use crate::number::Integer;

/// Only when there is no such leaderboard yet.
const WHEN_MISSING: (&str, &str) = ("if-none-match", "*");

/// Creates the leaderboards that do not exist; gives the ids of those it created.
pub(crate) async fn create_missing(
    client: &Client,
    wanted: &BTreeMap<String, toml::Table>,
) -> Result<Vec<String>, Failure> {
    let mut created = Vec::new();
    for (id, configuration) in wanted {
        let call = Call {
            method: Method::PUT,
            url: client.url(&["leaderboards", id], &[])?,
            headers: vec![(WHEN_MISSING.0, WHEN_MISSING.1.to_owned())],
            body: Some(to_json(configuration)?.to_string()),
        };
        let reply = client.call(&call).await?;
        // 412: it exists, which is all that is wanted.
        if reply.status != 412 {
            reply.success()?;
            created.push(id.clone());
        }
    }
    Ok(created)
}

/// Which of the leaderboards do not exist. One that this key may not look at counts as existing.
pub(crate) async fn missing<'a>(client: &Client, ids: &'a [String]) -> Result<Vec<&'a str>, Failure> {
    let mut missing = Vec::new();
    for id in ids {
        let url = client.url(&["leaderboards", id], &[])?;
        let reply = client.call(&Call::new(Method::GET, url)).await?;
        match reply.status {
            404 => missing.push(id.as_str()),
            401 | 403 => {}
            _ => drop(reply.success()?),
        }
    }
    Ok(missing)
}

/// A document in TOML as the API wants it; integers keep their value whatever their size.
pub(crate) fn to_json(table: &toml::Table) -> Result<Value, Failure> {
    table
        .iter()
        .map(|(key, value)| Ok((key.clone(), value_to_json(value)?)))
        .collect::<Result<_, _>>()
        .map(Value::Object)
}

fn value_to_json(value: &toml::Value) -> Result<Value, Failure> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => {
            serde_json::to_value(Integer(*number)).map_err(|error| Failure::Usage(error.to_string()))?
        }
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(truth) => Value::Bool(*truth),
        toml::Value::Datetime(instant) => Value::String(instant.to_string()),
        toml::Value::Array(items) => Value::Array(items.iter().map(value_to_json).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => to_json(table)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_in_toml_is_the_same_in_json() {
        let table = "title = 'Goals'\nkeep_periods = 120\nstarts_at = 1916-07-02T00:00:00Z\n\
                     columns = [{ name = 'score', order = 'desc' }]\n[reset]\ncron = '0 0 1 1 *'\n\
                     [limits]\nmax = 9223372036854775807\n";
        let expected = serde_json::json!({
            "title": "Goals", "keep_periods": 120, "starts_at": "1916-07-02T00:00:00Z",
            "columns": [{"name": "score", "order": "desc"}], "reset": {"cron": "0 0 1 1 *"},
            "limits": {"max": "9223372036854775807"},
        });
        assert_eq!(to_json(&toml::from_str(table).unwrap()).unwrap(), expected);
    }
}
