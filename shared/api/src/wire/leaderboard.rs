//! A leaderboard's configuration, as clients write and read it.

mod body;
pub mod cache;
#[cfg(feature = "schema")]
mod schema;

pub use body::{LeaderboardBody, PublicBody};
#[cfg(feature = "schema")]
pub(super) use schema::add_schemas;

use leaderboard_core::{
    Access, Column, Columns, Invalid, Leaderboard, LeaderboardId, Limits, LogPolicy, Order, ReadAccess,
    Reset, Schedule, Ties, WriteAccess, find_reset_faults,
};

use super::submission::OPERATORS;
use crate::json::{Errors, Field, Fields, Json};
use crate::problem::Problem;

const FIELDS: [&str; 15] = [
    "id",
    "title",
    "columns",
    "operator",
    "operator_override",
    "ties",
    "reset",
    // Told by us. A document that was read can be sent back with it.
    "reset_takes_effect_at",
    "keep_periods",
    "starts_at",
    "ends_at",
    "limits",
    "access",
    "cache",
    "log",
];
const ORDERS: [(&str, Order); 2] = [("desc", Order::Descending), ("asc", Order::Ascending)];
const TIES: [(&str, Ties); 4] = [
    ("earliest", Ties::Earliest),
    ("latest", Ties::Latest),
    ("shared", Ties::Shared),
    ("dense", Ties::Dense),
];
const READERS: [(&str, ReadAccess); 2] = [("public", ReadAccess::Public), ("private", ReadAccess::Private)];
const WRITERS: [(&str, WriteAccess); 2] = [("server", WriteAccess::Server), ("player", WriteAccess::Player)];

words_schema!(OrderWord, "Order", "Which values are better.", ORDERS);
words_schema!(TiesWord, "Ties", "How entries of equal values are ranked.", TIES);
words_schema!(ReadersWord, "Readers", "Who may read.", READERS);
words_schema!(WritersWord, "Writers", "Who may write.", WRITERS);

/// Makes a leaderboard of its document; what is missing has its default.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, id: &LeaderboardId) -> Result<Leaderboard, Problem> {
    let mut errors = Errors::default();
    let board = Field::root(tree).object(&mut errors).map(|fields| {
        fields.only(&FIELDS, &mut errors);
        board(&fields, id, &mut errors)
    });
    if let Some(board) = &board {
        errors.add_faults(&Field::root(tree).pointer, board.find_faults());
    }
    errors.check()?;
    board.ok_or_else(|| Problem::internal("a document without errors was not understood"))
}

/// The fields of a leaderboard. Where one is wrong, the default stands for it beside the error.
fn board(fields: &Fields<'_, '_>, id: &LeaderboardId, errors: &mut Errors) -> Leaderboard {
    let mut board = Leaderboard::new(id.clone());
    if let Some(field) = fields.optional("id")
        && let Some(text) = field.text(errors)
        && text != id.as_str()
    {
        errors.add(&field.pointer, "must be the id in the path");
    }
    let title = fields.optional("title").and_then(|field| field.text(errors));
    board.title = title.unwrap_or_default().to_owned();
    let found = fields
        .optional("columns")
        .and_then(|field| columns(&field, errors));
    board.columns = found.unwrap_or(board.columns);
    let found = fields
        .optional("operator")
        .and_then(|field| field.choice(&OPERATORS, errors));
    board.operator = found.unwrap_or(board.operator);
    let found = fields
        .optional("operator_override")
        .and_then(|field| field.boolean(errors));
    board.operator_override = found.unwrap_or(board.operator_override);
    let found = fields
        .optional("ties")
        .and_then(|field| field.choice(&TIES, errors));
    board.ties = found.unwrap_or(board.ties);
    let found = fields.optional("reset").and_then(|field| schedule(field, errors));
    board.schedule = found.unwrap_or(board.schedule);
    let found = fields
        .optional("keep_periods")
        .and_then(|field| field.integer(errors));
    board.keep_periods = found.unwrap_or(board.keep_periods);
    board.starts_at = fields.optional("starts_at").and_then(|field| field.time(errors));
    board.ends_at = fields.optional("ends_at").and_then(|field| field.time(errors));
    let found = fields.optional("limits").and_then(|field| limits(field, errors));
    board.limits = found.unwrap_or(board.limits);
    let found = fields.optional("access").and_then(|field| access(field, errors));
    board.access = found.unwrap_or(board.access);
    let found = fields.optional("log").and_then(|field| log(field, errors));
    board.log = found.unwrap_or(board.log);
    let found = fields
        .optional("cache")
        .and_then(|field| cache::read(field, errors));
    board.cache = found.unwrap_or(board.cache);
    board
}

fn columns(field: &Field<'_, '_>, errors: &mut Errors) -> Option<Columns> {
    let values = field.array(errors)?;
    let (mut names, mut columns) = (Vec::with_capacity(values.len()), Vec::new());
    for (at, value) in values.iter().enumerate() {
        names.push(name_of(value));
        columns.extend(
            field
                .item(at, value)
                .object(errors)
                .and_then(|fields| column(&fields, errors)),
        );
    }
    // Malformed columns count, and their names are names.
    errors.add_faults(&field.pointer, Columns::find_faults_of_names(&names));
    if columns.len() < values.len() {
        return None;
    }
    Columns::new(columns).ok()
}

/// The name of a column, whatever else is wrong with it.
fn name_of<'f>(column: &'f Json<'_>) -> Option<&'f str> {
    let Json::Object(object) = column else { return None };
    match object.get("name") {
        Some(Json::String(name)) => Some(name),
        _ => None,
    }
}

fn column(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<Column> {
    fields.only(&["name", "order"], errors);
    let order = match fields.optional("order") {
        None => Some(Order::Descending),
        Some(field) => field.choice(&ORDERS, errors),
    };
    // The domain names the field itself; here its place is that of the name already.
    let parse = |text: &str| {
        Column::new(text, order.unwrap_or(Order::Descending))
            .map_err(|invalid| Invalid::new("", invalid.detail))
    };
    let column = fields.required("name", errors)?.parsed(parse, errors);
    order.and(column)
}

fn schedule(field: Field<'_, '_>, errors: &mut Errors) -> Option<Schedule> {
    let fields = field.object(errors)?;
    fields.only(&["cron", "time_zone"], errors);
    let cron = fields
        .required("cron", errors)
        .and_then(|field| field.text(errors));
    let time_zone = fields
        .required("time_zone", errors)
        .and_then(|field| field.text(errors));
    let reset = Reset {
        cron: cron.unwrap_or_default().into(),
        time_zone: time_zone.unwrap_or_default().into(),
    };
    errors.add_faults(&field.pointer, find_reset_faults(&reset));
    Schedule::new(reset).ok()
}

fn limits(field: Field<'_, '_>, errors: &mut Errors) -> Option<Limits> {
    let fields = field.object(errors)?;
    fields.only(
        &["min", "max", "max_change", "max_attempts", "max_entries"],
        errors,
    );
    Some(Limits {
        min: fields.optional("min").and_then(|field| field.integer(errors)),
        max: fields.optional("max").and_then(|field| field.integer(errors)),
        max_change: fields
            .optional("max_change")
            .and_then(|field| field.integer(errors)),
        max_attempts: fields
            .optional("max_attempts")
            .and_then(|field| field.integer(errors)),
        max_entries: fields
            .optional("max_entries")
            .and_then(|field| field.integer(errors)),
    })
}

fn log(field: Field<'_, '_>, errors: &mut Errors) -> Option<LogPolicy> {
    let fields = field.object(errors)?;
    fields.only(&["keep_events", "keep_days"], errors);
    let default = LogPolicy::default();
    let keep_events = fields
        .optional("keep_events")
        .and_then(|field| field.integer(errors));
    let keep_days = fields
        .optional("keep_days")
        .and_then(|field| field.integer(errors));
    Some(LogPolicy {
        keep_events: keep_events.unwrap_or(default.keep_events),
        keep_days: keep_days.unwrap_or(default.keep_days),
    })
}

fn access(field: Field<'_, '_>, errors: &mut Errors) -> Option<Access> {
    let fields = field.object(errors)?;
    fields.only(&["read", "write"], errors);
    let default = Access::default();
    let read = fields
        .optional("read")
        .and_then(|field| field.choice(&READERS, errors));
    let write = fields
        .optional("write")
        .and_then(|field| field.choice(&WRITERS, errors));
    Some(Access {
        read: read.unwrap_or(default.read),
        write: write.unwrap_or(default.write),
    })
}

/// The word for a choice. The tables above have one for each.
fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], choice: T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| *known == choice)
        .map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests;
