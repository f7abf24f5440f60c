//! Reads and writes the configuration of a leaderboard.

mod body;
pub mod cache;
pub mod standings;

pub use body::{LeaderboardBody, PublicBody};

use leaderboard_core::{
    Access, Column, Columns, Invalid, Leaderboard, LeaderboardId, Limits, LogPolicy, Order, ReadAccess,
    Reset, Schedule, Ties, WriteAccess, find_reset_faults,
};

use super::submission::OPERATORS;
use crate::json::{Errors, Field, Fields, Json, read_document};
use crate::problem::Problem;

const ORDERS: [(&str, Order); 2] = [("desc", Order::Descending), ("asc", Order::Ascending)];
const TIES: [(&str, Ties); 4] = [
    ("earliest", Ties::Earliest),
    ("latest", Ties::Latest),
    ("shared", Ties::Shared),
    ("dense", Ties::Dense),
];
const READERS: [(&str, ReadAccess); 2] = [("public", ReadAccess::Public), ("private", ReadAccess::Private)];
const WRITERS: [(&str, WriteAccess); 2] = [("server", WriteAccess::Server), ("player", WriteAccess::Player)];

words_schema!(
    OrderWord,
    "Order",
    "Which values are better: `desc` if larger values are better, `asc` if smaller values are better.",
    ORDERS
);
words_schema!(
    TiesWord,
    "Ties",
    "How entries with equal values are ranked. `earliest`: the player who reached the values first ranks higher. `latest`: the player who reached them last ranks higher. `shared`: the players share a rank, and the next rank is skipped (1224). `dense`: the players share a rank, and no rank is skipped (1223).",
    TIES
);
words_schema!(
    ReadersWord,
    "Readers",
    "Who may read a leaderboard. `public`: anyone, also without a credential. `private`: credentials of the tenant with the scope `scores:read`.",
    READERS
);
words_schema!(
    WritersWord,
    "Writers",
    "Who may submit scores. `server`: credentials of servers with the scope `scores:write`. `player`: also players with their own token, for their own scores.",
    WRITERS
);

request_fields! {
    /// A request that creates or replaces a leaderboard. A field that is left out gets its default.
    FIELDS = "LeaderboardWritten" {
        /// The id of the leaderboard. It may be left out; otherwise it must be the id in the path.
        optional id: slug(),
        /// The title of the leaderboard, for people.
        optional title: text_up_to(leaderboard_core::MAX_TITLE_CHARS),
        /// The columns. The first column decides the order; the next columns break its ties. Default: one column `score` with the
        /// order `desc`.
        optional columns: list_within(1, leaderboard_core::MAX_COLUMNS, reference("ColumnWritten")),
        /// How a submission changes an entry. Default: `best`.
        optional operator: reference("Operator"),
        /// Whether the submission of a server may name another operator. Default: `false`.
        optional operator_override: boolean(),
        /// How entries with equal values are ranked. Default: `earliest`.
        optional ties: reference("Ties"),
        /// When a new period begins; `null` for a leaderboard with a single period that never ends. A change takes effect at the
        /// end of the current period.
        optional reset: or_null(reference("Reset")),
        /// The service ignores this field. It is allowed so that a client can send back a document that it read.
        optional reset_takes_effect_at: or_null(text()),
        /// The number of periods that are kept. Default: 12.
        optional keep_periods: integer_within(1, leaderboard_core::MAX_KEEP_PERIODS),
        /// The service refuses scores that happened before this instant.
        optional starts_at: or_null(time()),
        /// The service refuses scores that happened at this instant or later.
        optional ends_at: or_null(time()),
        /// Bounds on the submissions that the leaderboard accepts.
        optional limits: or_null(reference("ScoreLimitsWritten")),
        /// Who may read the leaderboard and submit scores to it.
        optional access: or_null(reference("AccessWritten")),
        /// How long responses about the leaderboard are cached.
        optional cache: or_null(reference("CachePolicyWritten")),
        /// How much of the event log of the leaderboard is kept.
        optional log: or_null(reference("LogPolicyWritten")),
        /// What a score does that belongs to a period with final standings. Default: `refuse`.
        optional late_scores: or_null(reference("LateScores")),
        /// The prizes of a period. A rank has the first prize whose range contains it. Not allowed if `late_scores` is `reopen`.
        optional prizes: or_null(list_up_to(leaderboard_core::MAX_PRIZES, reference("PrizeWritten"))),
        /// For how many days a prize can be claimed after the standings became final. Default: 30.
        optional claim_days: or_null(integer_within(1, leaderboard_core::MAX_CLAIM_DAYS)),
    }
}

request_fields! {
    /// A column of a leaderboard.
    COLUMN_FIELDS = "ColumnWritten" {
        /// The name of the column.
        required name: column_name(),
        /// Which values are better: `desc` if larger values are better, `asc` if smaller values are better. Default: `desc`.
        optional order: reference("Order"),
    }
}

request_fields! {
    /// When a new period begins, as a schedule.
    RESET_FIELDS = "Reset" {
        /// The schedule as a cron expression with five fields.
        required cron: text_up_to(leaderboard_core::MAX_CRON_BYTES),
        /// The time zone of the schedule: a name of the IANA database, such as `Europe/Madrid`.
        required time_zone: text(),
    }
}

request_fields! {
    /// Bounds on the submissions that a leaderboard accepts. A field that is left out, or `null`, is no bound.
    LIMIT_FIELDS = "ScoreLimitsWritten" {
        /// The smallest value of the first column. For `increment` and `decrement`, the bound applies to the result.
        optional min: or_null(reference("Int64")),
        /// The largest value of the first column. For `increment` and `decrement`, the bound applies to the result.
        optional max: or_null(reference("Int64")),
        /// The largest amount by which one submission may change the first column of an entry.
        optional max_change: or_null(reference("Int64")),
        /// How many submissions of one player a period accepts.
        optional max_attempts: or_null(integer(0)),
        /// How many entries a period can have.
        optional max_entries: or_null(reference("Int64")),
    }
}

request_fields! {
    /// How much of an event log is kept: the newest events within both limits.
    LOG_FIELDS = "LogPolicyWritten" {
        /// How many events are kept at most. Default: 100,000.
        optional keep_events: integer_within(1, leaderboard_core::MAX_KEEP_EVENTS),
        /// For how many days an event is kept at most. Default: 30.
        optional keep_days: integer_within(1, leaderboard_core::MAX_KEEP_DAYS),
    }
}

request_fields! {
    /// Who may read a leaderboard and submit scores to it.
    ACCESS_FIELDS = "AccessWritten" {
        /// Who may read the leaderboard. Default: `public`.
        optional read: reference("Readers"),
        /// Who may submit scores to the leaderboard. Default: `server`.
        optional write: reference("Writers"),
    }
}

/// Reads a leaderboard's document. A missing field has its default.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, id: &LeaderboardId) -> Result<Leaderboard, Problem> {
    read_document(tree, &FIELDS, |fields, errors| {
        let board = board(fields, id, errors);
        errors.add_faults(&fields.pointer, board.find_faults());
        Some(board)
    })
}

/// Reads the fields of a leaderboard. If a field has an error, uses its default.
fn board(fields: &Fields<'_, '_>, id: &LeaderboardId, errors: &mut Errors) -> Leaderboard {
    let mut board = Leaderboard::new(id.clone());
    fields.match_path(id.as_str(), errors);
    let title = fields.read("title", Field::text, errors);
    board.title = title.unwrap_or_default().to_owned();
    let found = fields.read("columns", columns, errors);
    board.columns = found.unwrap_or(board.columns);
    let found = fields.choice("operator", &OPERATORS, errors);
    board.operator = found.unwrap_or(board.operator);
    let found = fields.read("operator_override", Field::boolean, errors);
    board.operator_override = found.unwrap_or(board.operator_override);
    let found = fields.choice("ties", &TIES, errors);
    board.ties = found.unwrap_or(board.ties);
    let found = fields.read("reset", schedule, errors);
    board.schedule = found.unwrap_or(board.schedule);
    let found = fields.read("keep_periods", Field::integer, errors);
    board.keep_periods = found.unwrap_or(board.keep_periods);
    board.starts_at = fields.read("starts_at", Field::time, errors);
    board.ends_at = fields.read("ends_at", Field::time, errors);
    let found = fields.read("limits", limits, errors);
    board.limits = found.unwrap_or(board.limits);
    let found = fields.read("access", access, errors);
    board.access = found.unwrap_or(board.access);
    let found = fields.read("log", log, errors);
    board.log = found.unwrap_or(board.log);
    let found = fields.read("cache", cache::read, errors);
    board.cache = found.unwrap_or(board.cache);
    board.standings = standings::read(fields, errors);
    board
}

fn columns(field: Field<'_, '_>, errors: &mut Errors) -> Option<Columns> {
    let columns = field.list(column, errors)?;
    // Columns with errors count, and their names must be unique, too.
    let names: Vec<_> = field.array(errors)?.iter().map(name_of).collect();
    errors.add_faults(&field.pointer, Columns::find_faults_of_names(&names));
    Columns::new(columns.into_iter().collect::<Option<_>>()?).ok()
}

/// Returns the name of a column, even when the column has errors.
fn name_of<'f>(column: &'f Json<'_>) -> Option<&'f str> {
    let Json::Object(object) = column else { return None };
    match object.get("name") {
        Some(Json::String(name)) => Some(name),
        _ => None,
    }
}

fn column(field: Field<'_, '_>, errors: &mut Errors) -> Option<Column> {
    let fields = field.object_with(&COLUMN_FIELDS, errors)?;
    let order = match fields.optional("order") {
        None => Some(Order::Descending),
        Some(field) => field.choice(&ORDERS, errors),
    };
    // The pointer is that of the field `name` already, so the field that the domain names is left out.
    let parse = |text: &str| {
        Column::new(text, order.unwrap_or(Order::Descending))
            .map_err(|invalid| Invalid::new("", invalid.detail))
    };
    let column = fields.required("name", errors)?.parsed(parse, errors);
    order.and(column)
}

fn schedule(field: Field<'_, '_>, errors: &mut Errors) -> Option<Schedule> {
    let fields = field.object_with(&RESET_FIELDS, errors)?;
    let cron = fields.read_required("cron", Field::text, errors);
    let time_zone = fields.read_required("time_zone", Field::text, errors);
    let reset = Reset {
        cron: cron.unwrap_or_default().into(),
        time_zone: time_zone.unwrap_or_default().into(),
    };
    errors.add_faults(&field.pointer, find_reset_faults(&reset));
    Schedule::new(reset).ok()
}

fn limits(field: Field<'_, '_>, errors: &mut Errors) -> Option<Limits> {
    let fields = field.object_with(&LIMIT_FIELDS, errors)?;
    Some(Limits {
        min: fields.read("min", Field::integer, errors),
        max: fields.read("max", Field::integer, errors),
        max_change: fields.read("max_change", Field::integer, errors),
        max_attempts: fields.read("max_attempts", Field::integer, errors),
        max_entries: fields.read("max_entries", Field::integer, errors),
    })
}

fn log(field: Field<'_, '_>, errors: &mut Errors) -> Option<LogPolicy> {
    let fields = field.object_with(&LOG_FIELDS, errors)?;
    let default = LogPolicy::default();
    let keep_events = fields.read("keep_events", Field::integer, errors);
    let keep_days = fields.read("keep_days", Field::integer, errors);
    Some(LogPolicy {
        keep_events: keep_events.unwrap_or(default.keep_events),
        keep_days: keep_days.unwrap_or(default.keep_days),
    })
}

fn access(field: Field<'_, '_>, errors: &mut Errors) -> Option<Access> {
    let fields = field.object_with(&ACCESS_FIELDS, errors)?;
    let default = Access::default();
    let read = fields.choice("read", &READERS, errors);
    let write = fields.choice("write", &WRITERS, errors);
    Some(Access {
        read: read.unwrap_or(default.read),
        write: write.unwrap_or(default.write),
    })
}

/// Adds the schemas of leaderboards.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<LeaderboardBody<'_>>();
    all.add::<PublicBody<'_>>();
    let about =
        "A leaderboard: the whole configuration for an administrator, a part of it for other callers.";
    let branches = [
        ("Leaderboard", "The response to an administrator."),
        (
            "PublicLeaderboard",
            "The response to any other caller who may read the entries.",
        ),
    ];
    all.insert("ReadableLeaderboard", crate::schema::one_of(about, branches));
    let about = [
        "A page of leaderboards.",
        "The leaderboards, in the order of their ids.",
    ];
    all.insert_list("Leaderboards", "leaderboards", "ReadableLeaderboard", about);
    all.add_requests(&[
        &FIELDS,
        &COLUMN_FIELDS,
        &RESET_FIELDS,
        &LIMIT_FIELDS,
        &LOG_FIELDS,
        &ACCESS_FIELDS,
    ]);
    cache::add_schemas(all);
    standings::add_schemas(all);
}

#[cfg(test)]
mod tests;
