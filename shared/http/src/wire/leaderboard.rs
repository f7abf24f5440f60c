//! A leaderboard's configuration, as clients write and read it.

mod cache;

use leaderboard_core::{
    Access, Column, Columns, Invalid, Leaderboard, LeaderboardId, Limits, Order, ReadAccess, Reset, Schedule,
    Ties, WriteAccess,
};
use serde::Serialize;

use super::submission::OPERATORS;
use crate::json::{Errors, Exact, ExactUnsigned, Field, Fields, Json};
use crate::problem::Problem;

const FIELDS: [&str; 13] = [
    "id",
    "title",
    "columns",
    "operator",
    "operator_override",
    "ties",
    "reset",
    "keep_periods",
    "starts_at",
    "ends_at",
    "limits",
    "access",
    "cache",
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

/// Makes a leaderboard of its document; what is missing has its default.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub(crate) fn read(tree: &Json<'_>, id: &LeaderboardId) -> Result<Leaderboard, Problem> {
    let mut errors = Errors::default();
    let board = Field::root(tree).object(&mut errors).map(|fields| {
        fields.only(&FIELDS, &mut errors);
        board(&fields, id, &mut errors)
    });
    errors.check()?;
    let board = board.ok_or_else(|| Problem::internal("a document without errors was not understood"))?;
    let mut errors = Errors::default();
    if let Err(invalid) = board.check() {
        errors.add_invalid(&Field::root(tree).pointer, &invalid);
    }
    errors.check()?;
    Ok(board)
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
    let found = fields
        .optional("cache")
        .and_then(|field| cache::read(field, errors));
    board.cache = found.unwrap_or(board.cache);
    board
}

fn columns(field: &Field<'_, '_>, errors: &mut Errors) -> Option<Columns> {
    let values = field.array(errors)?;
    let mut columns = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        columns.extend(
            field
                .item(at, value)
                .object(errors)
                .and_then(|fields| column(&fields, errors)),
        );
    }
    if columns.len() < values.len() {
        return None;
    }
    noted(Columns::new(columns), field, errors)
}

fn column(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<Column> {
    fields.only(&["name", "order"], errors);
    let name = fields.required("name", errors)?;
    let order = match fields.optional("order") {
        None => Order::Descending,
        Some(field) => field.choice(&ORDERS, errors)?,
    };
    // The domain names the field itself; here its place is that of the name already.
    let parse = |text: &str| Column::new(text, order).map_err(|invalid| Invalid::new("", invalid.detail));
    name.parsed(parse, errors)
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
        cron: cron?.into(),
        time_zone: time_zone?.into(),
    };
    noted(Schedule::new(reset), &field, errors)
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

/// The value; what the domain finds wrong with it is noted below the field.
fn noted<T>(result: Result<T, Invalid>, field: &Field<'_, '_>, errors: &mut Errors) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(invalid) => {
            errors.add_invalid(&field.pointer, &invalid);
            None
        }
    }
}

/// A leaderboard's document.
#[derive(Debug, Serialize)]
pub(crate) struct LeaderboardBody<'a> {
    id: &'a str,
    title: &'a str,
    columns: Vec<ColumnBody<'a>>,
    operator: &'static str,
    operator_override: bool,
    ties: &'static str,
    reset: Option<ResetBody<'a>>,
    keep_periods: u16,
    starts_at: Option<String>,
    ends_at: Option<String>,
    limits: LimitsBody,
    access: AccessBody,
    cache: cache::CacheBody,
}

#[derive(Debug, Serialize)]
struct ColumnBody<'a> {
    name: &'a str,
    order: &'static str,
}

#[derive(Debug, Serialize)]
struct ResetBody<'a> {
    cron: &'a str,
    time_zone: &'a str,
}

#[derive(Debug, Serialize)]
struct LimitsBody {
    min: Option<Exact>,
    max: Option<Exact>,
    max_change: Option<ExactUnsigned>,
    max_attempts: Option<u32>,
    max_entries: Option<ExactUnsigned>,
}

#[derive(Debug, Serialize)]
struct AccessBody {
    read: &'static str,
    write: &'static str,
}

impl<'a> From<&'a Leaderboard> for LeaderboardBody<'a> {
    fn from(board: &'a Leaderboard) -> Self {
        let limits = &board.limits;
        Self {
            id: board.id.as_str(),
            title: &board.title,
            columns: board
                .columns
                .iter()
                .map(|column| ColumnBody {
                    name: column.name(),
                    order: word(&ORDERS, column.order()),
                })
                .collect(),
            operator: word(&OPERATORS, board.operator),
            operator_override: board.operator_override,
            ties: word(&TIES, board.ties),
            reset: board.schedule.reset().map(|reset| ResetBody {
                cron: &reset.cron,
                time_zone: &reset.time_zone,
            }),
            keep_periods: board.keep_periods,
            starts_at: board.starts_at.map(|at| at.to_string()),
            ends_at: board.ends_at.map(|at| at.to_string()),
            limits: LimitsBody {
                min: limits.min.map(Exact),
                max: limits.max.map(Exact),
                max_change: limits.max_change.map(ExactUnsigned),
                max_attempts: limits.max_attempts,
                max_entries: limits.max_entries.map(ExactUnsigned),
            },
            access: AccessBody {
                read: word(&READERS, board.access.read),
                write: word(&WRITERS, board.access.write),
            },
            cache: (&board.cache).into(),
        }
    }
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
