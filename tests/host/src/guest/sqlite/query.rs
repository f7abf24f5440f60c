//! Runs a statement, and converts its rows for a guest.

use rusqlite::types::{Value as Parameter, ValueRef};
use rusqlite::{Row, Rows, Statement, params_from_iter};
use tokio::sync::mpsc;

use super::super::check_size;
use crate::bindings::spin::sqlite::sqlite::{QueryResult, RowResult, Value};

/// The most rows of a batch.
const ROWS_PER_BATCH: usize = 512;

/// The beginning of a result. The rest follows on a channel.
pub(super) struct ResultHead {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<RowResult>,
    /// Whether `rows` is the whole result.
    pub(super) complete: bool,
}

/// Runs a statement and collects its whole result.
pub(super) fn collect(
    connection: &rusqlite::Connection,
    statement: &str,
    parameters: Vec<Value>,
) -> Result<QueryResult, String> {
    let mut statement = connection.prepare_cached(statement).map_err(io_error)?;
    let columns = column_names_of(&statement);
    let mut source = statement
        .query(params_from_iter(parameters.into_iter().map(convert_parameter)))
        .map_err(io_error)?;
    let mut rows = Vec::new();
    let mut bytes = 0;
    while let Some(row) = read_row(&mut source, columns.len())? {
        bytes += size_of_row(&row);
        check_size(bytes)?;
        rows.push(row);
    }
    Ok(QueryResult { columns, rows })
}

/// Runs a statement. Passes the first rows to `head`, and sends the others on `rest`. Blocks while the guest
/// does not read.
pub(super) fn stream(
    connection: &rusqlite::Connection,
    statement: &str,
    parameters: Vec<Value>,
    head: impl FnOnce(ResultHead),
    rest: &mpsc::Sender<Vec<RowResult>>,
) -> Result<(), String> {
    let mut statement = connection.prepare_cached(statement).map_err(io_error)?;
    let columns = column_names_of(&statement);
    let width = columns.len();
    let mut source = statement
        .query(params_from_iter(parameters.into_iter().map(convert_parameter)))
        .map_err(io_error)?;
    let (first, mut complete) = read_batch(&mut source, width)?;
    head(ResultHead {
        columns,
        rows: first,
        complete,
    });
    while !complete {
        let (rows, last) = read_batch(&mut source, width)?;
        complete = last;
        rest.blocking_send(rows)
            .map_err(|_| "the stream of rows was closed".to_owned())?;
    }
    Ok(())
}

fn column_names_of(statement: &Statement<'_>) -> Vec<String> {
    let names = statement.column_names().into_iter();
    names.map(ToOwned::to_owned).collect()
}

/// Reads up to a batch of rows. Returns them, and whether they are the last.
fn read_batch(source: &mut Rows<'_>, width: usize) -> Result<(Vec<RowResult>, bool), String> {
    let mut rows = Vec::new();
    while rows.len() < ROWS_PER_BATCH {
        let Some(row) = read_row(source, width)? else {
            return Ok((rows, true));
        };
        check_size(size_of_row(&row))?;
        rows.push(row);
    }
    Ok((rows, false))
}

fn read_row(source: &mut Rows<'_>, width: usize) -> Result<Option<RowResult>, String> {
    let row = source.next().map_err(io_error)?;
    row.map(|row| convert_row(row, width)).transpose()
}

fn convert_row(row: &Row<'_>, width: usize) -> Result<RowResult, String> {
    let mut values = Vec::with_capacity(width);
    for index in 0..width {
        values.push(match row.get_ref(index).map_err(io_error)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => {
                Value::Text(String::from_utf8(text.to_vec()).map_err(|_| "a text is not UTF-8".to_owned())?)
            }
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        });
    }
    Ok(RowResult { values })
}

fn convert_parameter(value: Value) -> Parameter {
    match value {
        Value::Null => Parameter::Null,
        Value::Integer(number) => Parameter::Integer(number),
        Value::Real(number) => Parameter::Real(number),
        Value::Text(text) => Parameter::Text(text),
        Value::Blob(bytes) => Parameter::Blob(bytes),
    }
}

fn size_of_row(row: &RowResult) -> usize {
    let content = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        Value::Null | Value::Integer(_) | Value::Real(_) => 0,
    };
    row.values
        .iter()
        .map(|value| size_of::<Value>() + content(value))
        .sum()
}

/// Returns the message of SQLite, which the guest gets as the text of its error.
#[expect(clippy::needless_pass_by_value, reason = "used as a function on errors")]
fn io_error(error: rusqlite::Error) -> String {
    error.to_string()
}
