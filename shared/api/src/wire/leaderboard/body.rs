//! Writes the configuration of a leaderboard.

use leaderboard_core::{Leaderboard, Period};
use serde::Serialize;

use super::{ORDERS, READERS, TIES, WRITERS, cache};
#[cfg(feature = "schema")]
use super::{OrderWord, ReadersWord, TiesWord, WritersWord};
use crate::json::{Exact, ExactUnsigned};
use crate::wire::entries::PeriodBody;
use crate::wire::submission::OPERATORS;
#[cfg(feature = "schema")]
use crate::wire::submission::OperatorWord;
use crate::wire::word;

/// A leaderboard, all fields there.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Leaderboard))]
pub struct LeaderboardBody<'a> {
    /// Its id.
    id: &'a str,
    /// Its name for people.
    title: &'a str,
    /// 1 to 3; the first decides, the next ones break its ties.
    columns: Vec<ColumnBody<'a>>,
    /// What a submission does to an entry.
    #[cfg_attr(feature = "schema", schema(value_type = OperatorWord))]
    operator: &'static str,
    /// Whether a server's submission may name another operator. A server may always `set`; where this is `false`, that is a correction and is recorded.
    operator_override: bool,
    /// How entries of equal values are ranked.
    #[cfg_attr(feature = "schema", schema(value_type = TiesWord))]
    ties: &'static str,
    /// When a new period begins; `null`: never.
    reset: Option<ResetBody<'a>>,
    /// Since when this `reset` holds, or from when on it will: the period that it found ends then. `null`: since ever.
    reset_takes_effect_at: Option<String>,
    /// How many periods are kept.
    keep_periods: u16,
    /// Scores from before are refused.
    starts_at: Option<String>,
    /// Scores from then on are refused.
    ends_at: Option<String>,
    /// What is accepted.
    limits: LimitsBody,
    /// Who may read and write.
    access: AccessBody,
    /// How long finished answers are used again.
    cache: cache::CacheBody,
    /// How much of its event log is kept.
    log: LogBody,
}

/// A column.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Column))]
struct ColumnBody<'a> {
    /// Its name.
    name: &'a str,
    /// Which values are better.
    #[cfg_attr(feature = "schema", schema(value_type = OrderWord))]
    order: &'static str,
}

/// When a new period begins.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Reset))]
struct ResetBody<'a> {
    /// Five fields of cron.
    #[cfg_attr(feature = "schema", schema(max_length = 100))]
    cron: &'a str,
    /// The name of a zone of the IANA database.
    time_zone: &'a str,
}

/// What is accepted; `null` is no limit.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ScoreLimits))]
struct LimitsBody {
    /// The least value.
    min: Option<Exact>,
    /// The greatest value.
    max: Option<Exact>,
    /// The most that a submission changes an entry.
    max_change: Option<ExactUnsigned>,
    /// The most submissions of a player in a period.
    max_attempts: Option<u32>,
    /// The most entries in a period.
    max_entries: Option<ExactUnsigned>,
}

/// How much of an event log is kept: the newest events that are within both bounds.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = LogPolicy))]
struct LogBody {
    /// The most events.
    keep_events: u32,
    /// The oldest event, in days.
    keep_days: u16,
}

/// Who may read and write.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Access))]
struct AccessBody {
    /// Who may read.
    #[cfg_attr(feature = "schema", schema(value_type = ReadersWord))]
    read: &'static str,
    /// Who may write.
    #[cfg_attr(feature = "schema", schema(value_type = WritersWord))]
    write: &'static str,
}

/// A leaderboard as those know it who may read its entries.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PublicLeaderboard))]
pub struct PublicBody<'a> {
    /// Its id.
    id: &'a str,
    /// Its name for people.
    title: &'a str,
    /// 1 to 3; the first decides, the next ones break its ties.
    columns: Vec<ColumnBody<'a>>,
    /// How entries of equal values are ranked.
    #[cfg_attr(feature = "schema", schema(value_type = TiesWord))]
    ties: &'static str,
    /// The period that holds now.
    current_period: PeriodBody<'a>,
    /// When the next period begins; `null`: never.
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
        }
    }
}
