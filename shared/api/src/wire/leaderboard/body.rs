//! Writes the configuration of a leaderboard.

use leaderboard_core::{Leaderboard, Period};
use serde::Serialize;

#[cfg(feature = "schema")]
use super::standings::LateScoresWord;
use super::standings::{LATE_SCORES, PrizeBody};
use super::{ORDERS, READERS, TIES, WRITERS, cache};
#[cfg(feature = "schema")]
use super::{OrderWord, ReadersWord, TiesWord, WritersWord};
use crate::json::{Exact, ExactUnsigned};
use crate::wire::entries::PeriodBody;
use crate::wire::submission::OPERATORS;
#[cfg(feature = "schema")]
use crate::wire::submission::OperatorWord;
use crate::wire::word;

/// The whole configuration of a leaderboard.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Leaderboard))]
pub struct LeaderboardBody<'a> {
    /// The id of the leaderboard.
    id: &'a str,
    /// The title of the leaderboard, for people.
    title: &'a str,
    /// The 1 to 3 columns. The first column decides the order; the next columns break its ties.
    columns: Vec<ColumnBody<'a>>,
    /// How a submission changes an entry.
    #[cfg_attr(feature = "schema", schema(value_type = OperatorWord))]
    operator: &'static str,
    /// Whether the submission of a server may name another operator. A server may always name `set`. If this field is `false`, such
    /// a submission is a correction, and the audit log records it.
    operator_override: bool,
    /// How entries with equal values are ranked.
    #[cfg_attr(feature = "schema", schema(value_type = TiesWord))]
    ties: &'static str,
    /// When a new period begins; `null` for a leaderboard with a single period that never ends.
    reset: Option<ResetBody<'a>>,
    /// When the current value of `reset` takes effect, which can be in the future: at the end of the period in which it was set.
    /// `null` if `reset` was never changed.
    reset_takes_effect_at: Option<String>,
    /// The number of periods that are kept.
    keep_periods: u16,
    /// The service refuses scores that happened before this instant.
    starts_at: Option<String>,
    /// The service refuses scores that happened at this instant or later.
    ends_at: Option<String>,
    /// Bounds on the submissions that the leaderboard accepts.
    limits: LimitsBody,
    /// Who may read the leaderboard and submit scores to it.
    access: AccessBody,
    /// How long responses about the leaderboard are cached.
    cache: cache::CacheBody,
    /// How much of the event log of the leaderboard is kept.
    log: LogBody,
    /// What a score does that belongs to a period with final standings.
    #[cfg_attr(feature = "schema", schema(value_type = LateScoresWord))]
    late_scores: &'static str,
    /// The prizes of a period. A rank has the first prize whose range contains it.
    prizes: Vec<PrizeBody<'a>>,
    /// For how many days a prize can be claimed after the standings became final.
    claim_days: u16,
}

/// A column of a leaderboard.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Column))]
struct ColumnBody<'a> {
    /// The name of the column.
    name: &'a str,
    /// Which values are better: `desc` if larger values are better, `asc` if smaller values are better.
    #[cfg_attr(feature = "schema", schema(value_type = OrderWord))]
    order: &'static str,
}

/// When a new period begins, as a schedule.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Reset))]
struct ResetBody<'a> {
    /// The schedule as a cron expression with five fields.
    #[cfg_attr(feature = "schema", schema(max_length = 100))]
    cron: &'a str,
    /// The time zone of the schedule: a name of the IANA database, such as `Europe/Madrid`.
    time_zone: &'a str,
}

/// Bounds on the submissions that a leaderboard accepts; `null` is no bound.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ScoreLimits))]
struct LimitsBody {
    /// The smallest value of the first column. For `increment` and `decrement`, the bound applies to the result.
    min: Option<Exact>,
    /// The largest value of the first column. For `increment` and `decrement`, the bound applies to the result.
    max: Option<Exact>,
    /// The largest amount by which one submission may change the first column of an entry.
    max_change: Option<ExactUnsigned>,
    /// How many submissions of one player a period accepts.
    max_attempts: Option<u32>,
    /// How many entries a period can have.
    max_entries: Option<ExactUnsigned>,
}

/// How much of an event log is kept: the newest events within both limits.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = LogPolicy))]
struct LogBody {
    /// How many events are kept at most.
    keep_events: u32,
    /// For how many days an event is kept at most.
    keep_days: u16,
}

/// Who may read a leaderboard and submit scores to it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Access))]
struct AccessBody {
    /// Who may read the leaderboard.
    #[cfg_attr(feature = "schema", schema(value_type = ReadersWord))]
    read: &'static str,
    /// Who may submit scores to the leaderboard.
    #[cfg_attr(feature = "schema", schema(value_type = WritersWord))]
    write: &'static str,
}

/// The part of a leaderboard that every caller sees who may read its entries.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PublicLeaderboard))]
pub struct PublicBody<'a> {
    /// The id of the leaderboard.
    id: &'a str,
    /// The title of the leaderboard, for people.
    title: &'a str,
    /// The 1 to 3 columns. The first column decides the order; the next columns break its ties.
    columns: Vec<ColumnBody<'a>>,
    /// How entries with equal values are ranked.
    #[cfg_attr(feature = "schema", schema(value_type = TiesWord))]
    ties: &'static str,
    /// The current period.
    current_period: PeriodBody<'a>,
    /// When the next period begins; `null` if the current period never ends.
    next_reset: Option<String>,
}

impl<'a> PublicBody<'a> {
    /// Returns the document for callers who do not administer. `current` is the current period.
    pub fn new(board: &'a Leaderboard, current: &'a Period) -> Self {
        Self {
            id: board.id.as_str(),
            title: &board.title,
            columns: columns_of(board),
            ties: word(&TIES, board.ties),
            current_period: current.into(),
            next_reset: current.ends_at.map(|at| at.to_string()),
        }
    }
}

fn columns_of(board: &Leaderboard) -> Vec<ColumnBody<'_>> {
    let columns = board.columns.iter();
    columns
        .map(|column| ColumnBody {
            name: column.name(),
            order: word(&ORDERS, column.order()),
        })
        .collect()
}

impl<'a> From<&'a Leaderboard> for LeaderboardBody<'a> {
    fn from(board: &'a Leaderboard) -> Self {
        let limits = &board.limits;
        Self {
            id: board.id.as_str(),
            title: &board.title,
            columns: columns_of(board),
            operator: word(&OPERATORS, board.operator),
            operator_override: board.operator_override,
            ties: word(&TIES, board.ties),
            reset: board.schedule.reset().map(|reset| ResetBody {
                cron: &reset.cron,
                time_zone: &reset.time_zone,
            }),
            reset_takes_effect_at: board.schedule.takes_effect_at().map(|at| at.to_string()),
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
            log: LogBody {
                keep_events: board.log.keep_events,
                keep_days: board.log.keep_days,
            },
            late_scores: word(&LATE_SCORES, board.standings.late_scores),
            prizes: board.standings.prizes.iter().map(PrizeBody::from).collect(),
            claim_days: board.standings.claim_days,
        }
    }
}
