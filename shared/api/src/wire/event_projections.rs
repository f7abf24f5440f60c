//! The documents of named projections: the activity of a leaderboard, and the personal bests of a player.

use leaderboard_core::event_projections::ActivityDay;
use leaderboard_core::usecase::{Activity, BestsOfPlayer, LogProgress};
use leaderboard_core::{LeaderboardId, PlayerId};
use serde::Serialize;

use super::values::NamedValues;
use super::versioned::VersionedPlayer;
use crate::json::ExactUnsigned;
use crate::version::ApiVersion;

/// How far a projection has read the event log.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct ProgressBody {
    /// The position of the last event that the projection has.
    read_to: ExactUnsigned,
    /// The position of the newest event. If it is greater than `read_to`, a further request reads on.
    last: ExactUnsigned,
    /// The number of events that the log had removed before the projection read them.
    missed: ExactUnsigned,
    /// When the oldest event of the log becomes too old to be kept. Events that are read later than that are missed.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    retained_until: Option<String>,
}

impl From<LogProgress> for ProgressBody {
    fn from(progress: LogProgress) -> Self {
        Self {
            read_to: ExactUnsigned(progress.read_to),
            last: ExactUnsigned(progress.last),
            missed: ExactUnsigned(progress.missed),
            retained_until: progress.retained_until.map(|at| at.to_string()),
        }
    }
}

/// A day of a leaderboard (UTC), by the times at which the service accepted submissions.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ActivityDay))]
struct DayBody {
    /// The date.
    #[cfg_attr(feature = "schema", schema(format = "date"))]
    day: String,
    /// The number of accepted submissions.
    submissions: ExactUnsigned,
    /// The number of submissions that changed an entry.
    changes: ExactUnsigned,
    /// The number of different players who submitted.
    players: ExactUnsigned,
    /// Whether `players` is exact. With about 4,000 players or more, it is an estimate with a standard error of 1.6 %.
    players_exact: bool,
}

impl From<&ActivityDay> for DayBody {
    fn from(day: &ActivityDay) -> Self {
        let mut date = day.begins_at.to_string();
        date.truncate("2026-11-09".len());
        Self {
            day: date,
            submissions: ExactUnsigned(day.submissions),
            changes: ExactUnsigned(day.changes),
            players: ExactUnsigned(day.players),
            players_exact: day.players_exact,
        }
    }
}

/// The activity of a leaderboard.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Activity))]
pub struct ActivityBody<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    #[serde(flatten)]
    progress: ProgressBody,
    /// The days with submissions, oldest first.
    days: Vec<DayBody>,
}

impl<'a> ActivityBody<'a> {
    /// Creates the document.
    #[must_use]
    pub fn new(leaderboard: &'a LeaderboardId, activity: &Activity) -> Self {
        Self {
            leaderboard: leaderboard.as_str(),
            progress: activity.progress.into(),
            days: activity.days.iter().map(DayBody::from).collect(),
        }
    }
}

/// Values that were better than all earlier ones of the player.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PersonalBest))]
struct BestBody<'a> {
    /// The position of the event.
    position: ExactUnsigned,
    /// The period.
    period: &'a str,
    /// The values of the entry.
    values: NamedValues<'a>,
    /// When the score happened.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    occurred_at: String,
    /// When the service accepted the submission.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    recorded_at: String,
}

/// The personal bests of a player on a leaderboard.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PersonalBests))]
pub struct BestsBody<'a> {
    /// The player.
    player: VersionedPlayer<'a>,
    /// The id of the leaderboard.
    leaderboard: &'a str,
    #[serde(flatten)]
    progress: ProgressBody,
    /// The personal bests, oldest first.
    bests: Vec<BestBody<'a>>,
}

impl<'a> BestsBody<'a> {
    /// Creates the document.
    #[must_use]
    pub fn new(version: ApiVersion, player: &'a PlayerId, found: &'a BestsOfPlayer) -> Self {
        let bests = found.bests.iter().map(|best| BestBody {
            position: ExactUnsigned(best.position),
            period: best.period.as_str(),
            values: NamedValues {
                columns: &found.leaderboard.columns,
                values: &best.values,
            },
            occurred_at: best.occurred_at.to_string(),
            recorded_at: best.recorded_at.to_string(),
        });
        Self {
            player: VersionedPlayer {
                version,
                id: player.as_str(),
            },
            leaderboard: found.leaderboard.id.as_str(),
            progress: found.progress.into(),
            bests: bests.collect(),
        }
    }
}

/// Adds the schemas of named projections.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<ActivityBody<'_>>();
    all.add::<BestsBody<'_>>();
}
