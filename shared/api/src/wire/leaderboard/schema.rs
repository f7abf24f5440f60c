//! Schemas of a leaderboard's configuration as clients write it: the fields that [`super::read`] reads one by one.
#![expect(dead_code, reason = "these types are schemas")]

use serde::Serialize;
use utoipa::ToSchema;

use super::body::{LeaderboardBody, PublicBody, ResetBody};
use super::{OrderWord, ReadersWord, TiesWord, WritersWord, cache};
use crate::schema::{Int64, Schemas};
use crate::wire::submission::OperatorWord;

/// Adds the schemas of leaderboards.
pub(crate) fn add_schemas(all: &mut Schemas) {
    all.add_list::<ReadableLeaderboard>("Leaderboards", "leaderboards", "A page of leaderboards.");
    all.add::<LeaderboardWritten>();
}

/// A leaderboard: all of it for an administrator, what may be known of it for others.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ReadableLeaderboard {
    /// For an administrator.
    Leaderboard(Box<LeaderboardBody<'static>>),
    /// For others who may read its entries.
    Public(PublicBody<'static>),
}

/// A leaderboard as it is written: what is left out has its default.
#[derive(ToSchema)]
struct LeaderboardWritten {
    /// The id in the path, if at all.
    #[schema(nullable = false, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    id: Option<String>,
    /// Its name for people.
    #[schema(max_length = 200, nullable = false)]
    title: Option<String>,
    /// One column `score`, `desc`, unless said.
    #[schema(min_items = 1, max_items = 3, nullable = false)]
    columns: Option<Vec<ColumnWritten>>,
    /// `best` unless said.
    #[schema(nullable = false)]
    operator: Option<OperatorWord>,
    /// Whether a submission may name another operator.
    #[schema(nullable = false)]
    operator_override: Option<bool>,
    /// `earliest` unless said.
    #[schema(nullable = false)]
    ties: Option<TiesWord>,
    /// When a new period begins; `null`: never. A change takes effect at the end of the current period.
    reset: Option<ResetBody<'static>>,
    /// As it was read, if at all; it changes nothing.
    reset_takes_effect_at: Option<String>,
    /// 12 unless said.
    #[schema(minimum = 1, maximum = 1000, nullable = false)]
    keep_periods: Option<u16>,
    /// Scores from before are refused.
    #[schema(format = "date-time")]
    starts_at: Option<String>,
    /// Scores from then on are refused.
    #[schema(format = "date-time")]
    ends_at: Option<String>,
    /// What is accepted.
    limits: Option<ScoreLimitsWritten>,
    /// Who may read and write.
    access: Option<AccessWritten>,
    /// How long finished answers are used again.
    cache: Option<cache::CacheWritten>,
    /// How much of its event log is kept.
    log: Option<LogPolicyWritten>,
}

/// How much of an event log is kept, as it is written.
#[derive(ToSchema)]
struct LogPolicyWritten {
    /// The most events; 100,000 unless said.
    #[schema(minimum = 1, maximum = 1_000_000, nullable = false)]
    keep_events: Option<u32>,
    /// The oldest event, in days; 30 unless said.
    #[schema(minimum = 1, maximum = 3650, nullable = false)]
    keep_days: Option<u16>,
}

/// A column as it is written.
#[derive(ToSchema)]
struct ColumnWritten {
    /// Its name.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,31}$")]
    name: String,
    /// `desc` unless said.
    #[schema(nullable = false)]
    order: Option<OrderWord>,
}

/// What is accepted, as it is written.
#[derive(ToSchema)]
struct ScoreLimitsWritten {
    /// The least value.
    min: Option<Int64>,
    /// The greatest value.
    max: Option<Int64>,
    /// The most that a submission changes an entry.
    max_change: Option<Int64>,
    /// The most submissions of a player in a period.
    max_attempts: Option<u32>,
    /// The most entries in a period.
    max_entries: Option<Int64>,
}

/// Who may read and write, as it is written.
#[derive(ToSchema)]
struct AccessWritten {
    /// `public` unless said.
    #[schema(nullable = false)]
    read: Option<ReadersWord>,
    /// `server` unless said.
    #[schema(nullable = false)]
    write: Option<WritersWord>,
}
