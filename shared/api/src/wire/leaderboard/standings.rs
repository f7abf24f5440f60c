//! Reads and writes what happens at the end of a period: late scores, and prizes.

use leaderboard_core::{LateScores, Prize, PrizeRange, StandingsPolicy};
use serde::Serialize;

use crate::json::{Errors, Field, Fields};

pub(super) const LATE_SCORES: [(&str, LateScores); 2] =
    [("refuse", LateScores::Refuse), ("reopen", LateScores::Reopen)];

words_schema!(
    LateScoresWord,
    "LateScores",
    "What a score does that belongs to a period with final standings. `refuse`: the score is refused. `reopen`: the score is accepted; if it changes an entry, the standings are no longer final, and the next request for them makes them final again.",
    LATE_SCORES
);

request_fields! {
    /// A prize. It has either `from_rank` and `to_rank`, or `top_percent`.
    PRIZE_FIELDS = "PrizeWritten" {
        /// The name of the prize.
        required name: text_within(leaderboard_core::MAX_PRIZE_NAME_CHARS),
        /// The best rank that has the prize.
        optional from_rank: or_null(integer(1)),
        /// The worst rank that has the prize.
        optional to_rank: or_null(integer(1)),
        /// The best percentage of the entries that has the prize. A fraction of an entry counts as one.
        optional top_percent: or_null(integer_within(1, 100_u32)),
    }
}

/// Reads the fields of a leaderboard about the end of a period. A missing field has its default.
pub(super) fn read(fields: &Fields<'_, '_>, errors: &mut Errors) -> StandingsPolicy {
    let default = StandingsPolicy::default();
    let late_scores = fields.choice("late_scores", &LATE_SCORES, errors);
    let prizes = fields.read("prizes", prizes, errors);
    let claim_days = fields.read("claim_days", Field::integer, errors);
    StandingsPolicy {
        late_scores: late_scores.unwrap_or(default.late_scores),
        prizes: prizes.unwrap_or(default.prizes),
        claim_days: claim_days.unwrap_or(default.claim_days),
    }
}

fn prizes(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<Prize>> {
    field.list(prize, errors)?.into_iter().collect()
}

fn prize(field: Field<'_, '_>, errors: &mut Errors) -> Option<Prize> {
    let fields = field.object_with(&PRIZE_FIELDS, errors)?;
    let name = fields.read_required("name", Field::text, errors);
    let from_rank: Option<u32> = fields.read("from_rank", Field::integer, errors);
    let to_rank: Option<u32> = fields.read("to_rank", Field::integer, errors);
    let top_percent: Option<u32> = fields.read("top_percent", Field::integer, errors);
    let has = |name| fields.optional(name).is_some();
    let range = match (has("from_rank"), has("to_rank"), has("top_percent")) {
        (true, true, false) => PrizeRange::Ranks {
            from: from_rank?,
            to: to_rank?,
        },
        // A number above the largest percentage is a fault of the domain.
        (false, false, true) => PrizeRange::TopPercent(u8::try_from(top_percent?).unwrap_or(u8::MAX)),
        _ => {
            errors.add(
                &field.pointer,
                "must have either from_rank and to_rank, or top_percent",
            );
            return None;
        }
    };
    Some(Prize {
        name: name?.to_owned(),
        range,
    })
}

/// A prize. It has either `from_rank` and `to_rank`, or `top_percent`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Prize))]
pub(super) struct PrizeBody<'a> {
    /// The name of the prize.
    name: &'a str,
    /// The best rank that has the prize.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    from_rank: Option<u32>,
    /// The worst rank that has the prize.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    to_rank: Option<u32>,
    /// The best percentage of the entries that has the prize.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    top_percent: Option<u8>,
}

impl<'a> From<&'a Prize> for PrizeBody<'a> {
    fn from(prize: &'a Prize) -> Self {
        let (from_rank, to_rank, top_percent) = match prize.range {
            PrizeRange::Ranks { from, to } => (Some(from), Some(to), None),
            PrizeRange::TopPercent(percent) => (None, None, Some(percent)),
        };
        Self {
            name: &prize.name,
            from_rank,
            to_rank,
            top_percent,
        }
    }
}

/// Adds the schemas of prizes.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add_requests(&[&PRIZE_FIELDS]);
}
