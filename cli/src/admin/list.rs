//! Lists: pages are asked for until there are as many as were asked for.

use clap::ArgMatches;
use serde_json::Value;

use super::arguments::{CURSOR, DEFAULT_LIMIT, LIMIT};
use super::operation::ListPaging;
use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::wire::parse_body;

/// A whole list.
pub(super) struct List {
    /// One document, as the server would have written it in one page.
    pub(super) body: Vec<u8>,
}

/// Reads pages of the list in `member`; says on standard error how to go on when there are more.
///
/// # Errors
/// A call fails, or an answer is no such list.
pub(super) async fn read(
    client: &ApiClient,
    call: &ApiRequest,
    paged: ListPaging,
    matches: &ArgMatches,
    member: &str,
) -> Result<List, CliError> {
    let limit = matches.get_one::<u64>(LIMIT).copied().unwrap_or(DEFAULT_LIMIT);
    let mut cursor = matches.get_one::<String>(CURSOR).cloned();
    let mut found: Vec<Value> = Vec::new();
    loop {
        let wanted = limit.saturating_sub(found.len() as u64).min(paged.page_limit);
        let mut page_call = call.clone();
        let mut query = page_call.url.query_pairs_mut();
        query.append_pair("limit", &wanted.to_string());
        if let Some(cursor) = &cursor {
            query.append_pair(paged.cursor, cursor);
        }
        drop(query);
        let body = client.call(&page_call).await?.success()?;
        let mut page: Value = parse_body(&body)?;
        let items = page
            .get_mut(member)
            .and_then(Value::as_array_mut)
            .map(std::mem::take)
            .ok_or_else(|| CliError::Protocol(format!("the answer has no list `{member}`")))?;
        let is_empty = items.is_empty();
        found.extend(items);
        cursor = next(&page);
        if is_empty || cursor.is_none() || found.len() as u64 >= limit {
            if let Some(cursor) = &cursor {
                eprintln!("edgeboard: there are more; --cursor {cursor} goes on, --limit shows more at once");
            }
            if let Some(list) = page.get_mut(member) {
                *list = Value::Array(found);
            }
            return Ok(List {
                body: page.to_string().into_bytes(),
            });
        }
    }
}

/// What the next page is asked for with: text, or a position.
fn next(page: &Value) -> Option<String> {
    match page.get("next")? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
