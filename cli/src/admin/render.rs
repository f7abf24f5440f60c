//! Renders responses of any shape as tables for people.

use serde_json::{Map, Value};

use crate::error::CliError;
use crate::output::escape_unprintable;
use crate::table::{ABSENT, number_column, render_table, shorten_time, text_column};

/// Renders the members of a document, the id first. Members of nested objects have dots between their names.
pub(super) fn render_fields(document: &Value, etag: Option<&str>) -> String {
    let mut rows = Vec::new();
    flatten(document, "", &mut rows);
    rows.sort_by_key(|(name, _value)| name != "id");
    rows.extend(etag.map(|etag| ("(etag)".to_owned(), etag.to_owned())));
    let rows = rows.into_iter().map(|(name, value)| vec![name, value]).collect();
    render_table(&[text_column("field"), text_column("value")], rows)
}

/// Renders the list in `member` as a table, below a line with the other members of the document.
pub(super) fn render_rows(document: &Value, member: &str, columns: &str) -> String {
    let columns: Vec<&str> = columns.split(' ').collect();
    let items = document.get(member).and_then(Value::as_array);
    let items: Vec<Vec<Option<&Value>>> = items
        .into_iter()
        .flatten()
        .map(|item| columns.iter().map(|column| find_member(item, column)).collect())
        .collect();
    with_caption(document, member, &render_columns(&columns, &items))
}

/// Renders the object in `member` as a table of its names and values.
pub(super) fn render_named(document: &Value, member: &str, columns: &str) -> String {
    let names: Vec<(Value, &Value)> = document
        .get(member)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (Value::from(name.as_str()), value))
        .collect();
    let items: Vec<Vec<Option<&Value>>> = names
        .iter()
        .map(|(name, value)| {
            let cells = columns.split(' ').map(|column| find_member(value, column));
            std::iter::once(Some(name)).chain(cells).collect()
        })
        .collect();
    let headings: Vec<&str> = std::iter::once("name").chain(columns.split(' ')).collect();
    with_caption(document, member, &render_columns(&headings, &items))
}

/// Splits a document into its secret and the rendered rest.
///
/// # Errors
/// The response contains no secret.
pub(super) fn split_secret(mut document: Value, member: &str) -> Result<(String, String), CliError> {
    let secret = document
        .as_object_mut()
        .and_then(|document| document.remove(member))
        .and_then(|secret| secret.as_str().map(str::to_owned))
        .ok_or_else(|| CliError::Protocol(format!("the answer has no `{member}`")))?;
    Ok((secret, render_fields(&document, None)))
}

fn render_columns(columns: &[&str], items: &[Vec<Option<&Value>>]) -> String {
    let headings: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(position, column)| {
            let mut cells = items
                .iter()
                .filter_map(|item| item.get(position).copied().flatten())
                .filter(|value| !value.is_null())
                .peekable();
            let is_numeric = cells.peek().is_some() && cells.all(Value::is_number);
            if is_numeric {
                number_column(*column)
            } else {
                text_column(*column)
            }
        })
        .collect();
    let rows = items.iter().map(|item| {
        let cells = columns.iter().zip(item);
        cells
            .map(|(column, value)| {
                value.map_or_else(|| ABSENT.to_owned(), |value| format_cell(column, value))
            })
            .collect()
    });
    render_table(&headings, rows.collect())
}

/// Puts a line with the other members of the document above the table of its list.
fn with_caption(document: &Value, member: &str, table: &str) -> String {
    let mut rest = document.as_object().cloned().unwrap_or_default();
    rest.remove(member);
    rest.remove("next");
    if rest.is_empty() {
        return table.to_owned();
    }
    let mut fields = Vec::new();
    flatten(&Value::Object(rest), "", &mut fields);
    let caption: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{} {}", escape_unprintable(name), escape_unprintable(value)))
        .collect();
    format!("{}\n\n{table}", caption.join(" · "))
}

/// Returns the value at a path with dots between its names.
fn find_member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

fn flatten(value: &Value, name: &str, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (member, value) in members {
                let name = if name.is_empty() {
                    member.clone()
                } else {
                    format!("{name}.{member}")
                };
                flatten(value, &name, into);
            }
        }
        value => into.push((name.to_owned(), format_cell(name, value))),
    }
}

/// Formats a value in one line.
fn format_cell(column: &str, value: &Value) -> String {
    match value {
        Value::Null => ABSENT.to_owned(),
        Value::String(time) if column == "at" || column.ends_with("_at") => shorten_time(time),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(is_plain) => {
            let items: Vec<String> = items.iter().map(format_plain).collect();
            items.join(", ")
        }
        value if is_plain(value) => format_plain(value),
        value => value.to_string(),
    }
}

/// Returns whether a value may be part of a list within one cell: it is not a list, and not an object with nested values.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(members) => is_flat(members),
        value => !value.is_array(),
    }
}

fn is_flat(members: &Map<String, Value>) -> bool {
    !members.is_empty()
        && members
            .values()
            .all(|value| value.is_string() || value.is_number())
}

fn format_plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let values: Vec<String> = members.values().map(format_plain).collect();
            values.join(" ")
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_becomes_a_table_below_a_line_with_the_other_members() {
        let document = json!({"tenant": "acme", "holdings": {"entries": 3}, "next": null, "days": [
            {"day": "2026-11-21", "requests": 1207, "scores": "9007199254740993"},
            {"day": "2026-11-20", "requests": 5, "scores": null}]});
        let expected = "\
holdings.entries 3 · tenant acme

 day         requests  scores            nothing
──────────────────────────────────────────────────
 2026-11-21      1207  9007199254740993  –
 2026-11-20         5  –                 –";
        assert_eq!(
            render_rows(&document, "days", "day requests scores nothing"),
            expected
        );
    }

    #[test]
    fn objects_and_lists_in_a_cell_are_shortened() {
        let board = json!({"columns": [{"name": "laps", "order": "desc"}, {"name": "ms", "order": "asc"}],
            "reset": {"cron": "0 4 * * 1", "time_zone": "Europe/Madrid"}, "scopes": ["a", "b"], "warm": [{"x": [1]}],
            "created_at": "2026-11-21T00:00:00.000Z", "none": [], "on": true});
        let cell = |name: &str| format_cell(name, &board[name]);
        assert_eq!(cell("columns"), "laps desc, ms asc");
        assert_eq!(cell("reset"), "0 4 * * 1 Europe/Madrid");
        assert_eq!(cell("scopes"), "a, b");
        assert_eq!(cell("warm"), r#"[{"x":[1]}]"#);
        assert_eq!(cell("created_at"), "2026-11-21");
        assert_eq!((cell("none").as_str(), cell("on").as_str()), ("", "true"));
    }

    #[test]
    fn a_document_is_shown_member_by_member_with_its_id_first() {
        let document = json!({"access": {"read": "public"}, "id": "race", "ends_at": null});
        let text = render_fields(&document, Some("\"17\""));
        let lines: Vec<&str> = text.lines().skip(2).map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "id           race",
                "access.read  public",
                "ends_at      –",
                "(etag)       \"17\""
            ]
        );
    }

    #[test]
    fn an_object_of_documents_becomes_a_table_sorted_by_name() {
        let flags = json!({"flags": {"b": {"state": "ENABLED"}, "a": {"state": "DISABLED"}}});
        let text = render_named(&flags, "flags", "state");
        let lines: Vec<&str> = text.lines().skip(2).map(str::trim).collect();
        assert_eq!(lines, ["a     DISABLED", "b     ENABLED"]);
    }

    #[test]
    fn a_secret_is_split_from_the_rest_of_the_document() {
        let (key, rest) = split_secret(json!({"id": "1", "key": "eb_secret"}), "key").unwrap();
        assert_eq!(key, "eb_secret");
        assert!(rest.contains("id") && !rest.contains("eb_secret"), "{rest}");
        assert_eq!(
            split_secret(json!({"id": "1"}), "key").unwrap_err().exit_code(),
            3
        );
    }
}
