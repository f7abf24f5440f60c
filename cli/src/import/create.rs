//! Creates the leaderboards of a mapping file, and finds leaderboards that are missing.

use std::collections::BTreeMap;

use crate::client::{ApiClient, ApiRequest};
use crate::document::convert_toml_table;
use crate::error::CliError;
use reqwest::Method;

/// The header with which a `PUT` creates a leaderboard only if it does not exist.
const WHEN_MISSING: (&str, &str) = ("if-none-match", "*");

/// Creates the leaderboards that do not exist, and returns their ids.
pub(crate) async fn create_missing(
    client: &ApiClient,
    wanted: &BTreeMap<String, toml::Table>,
) -> Result<Vec<String>, CliError> {
    let mut created = Vec::new();
    for (id, configuration) in wanted {
        let request = ApiRequest {
            method: Method::PUT,
            url: client.build_url(&["leaderboards", id], &[])?,
            headers: vec![(WHEN_MISSING.0, WHEN_MISSING.1.to_owned())],
            body: Some(convert_toml_table(configuration).to_string()),
        };
        let reply = client.send(&request).await?;
        // Status 412 means that the leaderboard exists already.
        if reply.status != 412 {
            reply.into_success_body()?;
            created.push(id.clone());
        }
    }
    Ok(created)
}

/// Returns the leaderboards that do not exist. A leaderboard that this key may not read counts as existing.
pub(crate) async fn find_missing<'a>(
    client: &ApiClient,
    ids: &'a [String],
) -> Result<Vec<&'a str>, CliError> {
    let mut missing = Vec::new();
    for id in ids {
        let url = client.build_url(&["leaderboards", id], &[])?;
        let reply = client.send(&ApiRequest::new(Method::GET, url)).await?;
        match reply.status {
            404 => missing.push(id.as_str()),
            401 | 403 => {}
            _ => drop(reply.into_success_body()?),
        }
    }
    Ok(missing)
}
