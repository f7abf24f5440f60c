//! Reads lists page by page.

use clap::ArgMatches;
use serde_json::Value;

use super::arguments::{CURSOR, DEFAULT_LIMIT, LIMIT};
use super::operation::ListPaging;
use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::wire::parse_body;

/// Reads pages of the list in `member` up to `--limit`, and returns them as one document of the server's form. When there
/// are more items, a line on standard error says how to continue.
///
/// # Errors
/// A request fails, or a response contains no such list.
pub(super) async fn read_list(
    client: &ApiClient,
    request: &ApiRequest,
    paged: ListPaging,
    matches: &ArgMatches,
    member: &str,
) -> Result<Vec<u8>, CliError> {
    let limit = matches.get_one::<u64>(LIMIT).copied().unwrap_or(DEFAULT_LIMIT);
    let mut cursor = matches.get_one::<String>(CURSOR).cloned();
    let mut found: Vec<Value> = Vec::new();
    loop {
        let wanted = limit.saturating_sub(found.len() as u64).min(paged.page_limit);
        let mut page_request = request.clone();
        let mut query = page_request.url.query_pairs_mut();
        query.append_pair("limit", &wanted.to_string());
        if let Some(cursor) = &cursor {
            query.append_pair(paged.cursor, cursor);
        }
        drop(query);
        let body = client.send(&page_request).await?.into_success_body()?;
        let mut page: Value = parse_body(&body)?;
        let items = page
            .get_mut(member)
            .and_then(Value::as_array_mut)
            .map(std::mem::take)
            .ok_or_else(|| CliError::Protocol(format!("the answer has no list `{member}`")))?;
        let is_empty = items.is_empty();
        found.extend(items);
        cursor = next_cursor(&page);
        if is_empty || cursor.is_none() || found.len() as u64 >= limit {
            if let Some(cursor) = &cursor {
                eprintln!(
                    "edgeboard: there are more items: --cursor {cursor} continues the list, --limit shows more at once"
                );
            }
            if let Some(list) = page.get_mut(member) {
                *list = Value::Array(found);
            }
            return Ok(page.to_string().into_bytes());
        }
    }
}

/// Returns the cursor of the next page (a text, or a position in digits); `None` on the last page.
pub(super) fn next_cursor(page: &Value) -> Option<String> {
    match page.get("next")? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
