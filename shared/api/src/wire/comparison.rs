//! The document of a comparison of entries with the event log.

use leaderboard_core::LeaderboardId;
use leaderboard_core::usecase::{Comparison, DifferenceKind};
use serde::Serialize;

use super::cursor;
use super::entries::PeriodBody;
use super::versioned::VersionedPlayer;
use crate::json::ExactUnsigned;
use crate::version::ApiVersion;

/// How an entry differs from the replay. `missing`: there is no entry. `unexpected`: no event made the entry. `changed`: it is another
/// entry, or cannot be read.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DifferenceKind))]
enum KindBody {
    Missing,
    Unexpected,
    Changed,
}

impl From<DifferenceKind> for KindBody {
    fn from(kind: DifferenceKind) -> Self {
        match kind {
            DifferenceKind::Missing => Self::Missing,
            DifferenceKind::Unexpected => Self::Unexpected,
            DifferenceKind::Changed => Self::Changed,
        }
    }
}

/// An entry that differs from the replay of the event log.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Difference))]
struct DifferenceBody<'a> {
    /// The player.
    player: VersionedPlayer<'a>,
    /// How the entry differs.
    kind: KindBody,
}

/// The result of a comparison of the entries of a period with a replay of the event log.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Comparison))]
struct ComparisonBody<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// The period.
    period: PeriodBody<'a>,
    /// The position of the last event in the replay.
    position: ExactUnsigned,
    /// How many entries the period has by the replay.
    entries: u64,
    /// How many of them have been compared, in this request and in those before it.
    compared: u64,
    /// How many entries differed in this request.
    differences: u64,
    /// How many of them were corrected.
    corrected: u64,
    /// How many places of the list had no entry. They are removed with `swap=true`.
    strays: u64,
    /// The first differences, at most 20.
    named: Vec<DifferenceBody<'a>>,
    /// The `after` of the next request; `null` if all entries have been compared.
    next: Option<String>,
}

#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<ComparisonBody<'_>>();
}

/// Returns the document of a comparison.
pub fn comparison<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a Comparison,
) -> impl Serialize + 'a {
    let named = found.named.iter().map(|(player, kind)| DifferenceBody {
        player: VersionedPlayer {
            version,
            id: player.as_str(),
        },
        kind: (*kind).into(),
    });
    ComparisonBody {
        leaderboard: leaderboard.as_str(),
        period: (&found.period).into(),
        position: ExactUnsigned(found.position),
        entries: found.entries,
        compared: found.compared,
        differences: found.differences,
        corrected: found.corrected,
        strays: found.strays,
        named: named.collect(),
        next: found.next.as_ref().map(|next| cursor::encode(&next.encode())),
    }
}
