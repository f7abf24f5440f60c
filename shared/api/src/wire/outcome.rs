//! Writes the outcomes of submissions.

use leaderboard_core::{Columns, Outcome, Previous, Status};
use serde::{Serialize, Serializer};

use super::versioned::VersionedPlayer;
use super::{NamedValues, Names, word};
use crate::json::ExactUnsigned;
use crate::problem::Problem;
use crate::version::ApiVersion;

const STATUSES: [(&str, Status); 4] = [
    ("created", Status::Created),
    ("improved", Status::Improved),
    ("changed", Status::Changed),
    ("kept", Status::Kept),
];

words_schema!(
    StatusWord,
    "Status",
    "What a submission did to the entry of the player. `created`: the player had no entry before. `improved`: the values are better than before. `changed`: the entry changed, but its values are not better. `kept`: the entry did not change.",
    STATUSES
);

/// What a submission did on a leaderboard. With `Prefer: return=minimal`, the values and ranks are left out.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Outcome))]
pub struct OutcomeBody<'a> {
    /// The status of this submission. Only the outcomes of a batch have this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    status_code: Option<u16>,
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// The id of the period of the score.
    period: &'a str,
    /// The player.
    player: VersionedPlayer<'a>,
    /// What the submission did to the entry.
    #[cfg_attr(feature = "schema", schema(value_type = StatusWord))]
    status: &'static str,
    /// Its values and ranks; `None` leaves them out.
    #[serde(flatten)]
    numbers: Option<NumbersBody<'a>>,
    /// The version of the period after the submission: the position of the last event that changed one of its entries.
    version: ExactUnsigned,
    /// Whether an earlier submission with the same `id` was applied. Then this is its outcome, and this submission changed nothing.
    replayed: bool,
}

/// The values and ranks of an outcome.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct NumbersBody<'a> {
    /// The values of the entry after the submission.
    values: NamedValues<'a>,
    /// The rank of the entry after the submission.
    rank: Option<u64>,
    /// The entry before the submission; `null` if the player had no entry.
    previous: Option<PreviousBody<'a>>,
}

/// The entry of a player before a submission.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Previous))]
struct PreviousBody<'a> {
    /// The values of that entry.
    values: NamedValues<'a>,
    /// The rank of that entry.
    rank: Option<u64>,
}

impl<'a> OutcomeBody<'a> {
    /// Returns the body of an outcome in an API version. `names` has the column names of leaderboards, for an outcome without
    /// columns. If `names` is `None`, the body has no values and no ranks.
    pub fn new(version: ApiVersion, outcome: &'a Outcome, names: Option<&'a Names>) -> Self {
        let numbers = names.map(|names| {
            let columns = outcome.columns.as_ref();
            NumbersBody::new(outcome, columns.unwrap_or_else(|| names.of(&outcome.leaderboard)))
        });
        Self {
            status_code: None,
            leaderboard: outcome.leaderboard.as_str(),
            period: outcome.period.as_str(),
            player: VersionedPlayer {
                version,
                id: outcome.player.as_str(),
            },
            status: word(&STATUSES, outcome.status),
            numbers,
            version: ExactUnsigned(outcome.version),
            replayed: outcome.replayed,
        }
    }

    /// Returns the outcomes of one submission, in the order of its leaderboards.
    pub fn list(version: ApiVersion, outcomes: &'a [Outcome], names: Option<&'a Names>) -> Vec<Self> {
        let outcomes = outcomes.iter();
        outcomes
            .map(|outcome| Self::new(version, outcome, names))
            .collect()
    }
}

impl<'a> NumbersBody<'a> {
    fn new(outcome: &'a Outcome, columns: &'a Columns) -> Self {
        let previous = |previous: &'a Previous| PreviousBody {
            values: NamedValues {
                columns,
                values: &previous.values,
            },
            rank: previous.rank,
        };
        Self {
            values: NamedValues {
                columns,
                values: &outcome.values,
            },
            rank: outcome.rank,
            previous: outcome.previous.as_ref().map(previous),
        }
    }
}

/// The status code of an applied submission of a batch.
const APPLIED: u16 = 200;

/// The outcomes of a submission on several leaderboards, or the results of a batch.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Results<T> {
    /// The outcomes in the order of the leaderboards, or the results in the order of the submissions.
    pub results: Vec<T>,
}

/// The result of one submission of a batch.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BatchResult))]
pub enum BatchResult<'a> {
    /// The submission was applied to the leaderboard of the path.
    One(OutcomeBody<'a>),
    /// The submission was applied to the leaderboards that it names.
    Several(SeveralBody<'a>),
    /// The submission was refused.
    Refused(RefusedBody<'a>),
}

/// The result of a submission of a batch that was applied to several leaderboards.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Several))]
pub struct SeveralBody<'a> {
    /// The status of this submission: 200.
    status_code: u16,
    /// The outcomes, in the order of the leaderboards of the submission.
    results: Vec<OutcomeBody<'a>>,
}

/// The result of a submission of a batch that was refused.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Refused))]
pub struct RefusedBody<'a> {
    /// The status that a request with this submission alone would have.
    status_code: u16,
    /// Why the submission was refused.
    #[serde(serialize_with = "write_problem")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::problem::ProblemBody<'a>))]
    problem: (Problem, &'a str),
}

/// Writes a problem and its trace id as a problem document.
fn write_problem<S: Serializer>(problem: &(Problem, &str), serializer: S) -> Result<S::Ok, S::Error> {
    problem.0.document(problem.1).serialize(serializer)
}

impl<'a> BatchResult<'a> {
    /// Returns the result of a submission to the leaderboard of the path.
    pub fn one(mut outcome: OutcomeBody<'a>) -> Self {
        outcome.status_code = Some(APPLIED);
        Self::One(outcome)
    }

    /// Returns the result of a submission to the leaderboards that it names.
    pub const fn several(results: Vec<OutcomeBody<'a>>) -> Self {
        Self::Several(SeveralBody {
            status_code: APPLIED,
            results,
        })
    }

    /// Returns the result of a submission that was refused.
    pub fn refused(problem: Problem, trace_id: &'a str) -> Self {
        Self::Refused(RefusedBody {
            status_code: problem.kind.status().as_u16(),
            problem: (problem, trace_id),
        })
    }
}

/// Adds the schemas of outcomes.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<OutcomeBody<'_>>();
    all.add::<BatchResult<'_>>();
    all.add_as::<Results<OutcomeBody<'_>>>("Outcomes");
    all.add_as::<Results<BatchResult<'_>>>("BatchResults");
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use leaderboard_core::{
        Column, Leaderboard, LeaderboardId, Order, PeriodId, PlayerId, Values, Versioned,
    };

    use super::*;
    use crate::problem::{FieldError, ProblemType};

    fn create_outcome() -> Outcome {
        Outcome {
            leaderboard: LeaderboardId::new("goals").unwrap(),
            period: PeriodId::all_time(),
            player: PlayerId::new("José Piendibene").unwrap(),
            status: Status::Created,
            columns: None,
            values: Values::new(vec![i64::MAX]),
            rank: Some(1),
            previous: None,
            version: 17,
            replayed: false,
        }
    }

    fn write_body(body: &impl Serialize) -> String {
        crate::json::text(body)
    }

    #[test]
    fn an_outcome_has_the_fields_of_the_api_in_their_order() {
        let mut names = Names::default();
        names.learn(Rc::new(Versioned {
            version: 1,
            value: Leaderboard::new(LeaderboardId::new("goals").unwrap()),
        }));
        let mut outcome = create_outcome();
        let body = |status_code, outcome: &Outcome| {
            write_body(&OutcomeBody {
                status_code,
                ..OutcomeBody::new(ApiVersion::V1, outcome, Some(&names))
            })
        };
        assert_eq!(
            body(None, &outcome),
            r#"{"leaderboard":"goals","period":"all","player":"José Piendibene","status":"created","values":{"score":"9223372036854775807"},"rank":1,"previous":null,"version":17,"replayed":false}"#
        );
        outcome.previous = Some(Previous {
            values: Values::new(vec![3]),
            rank: Some(2),
        });
        assert!(body(Some(200), &outcome).starts_with(r#"{"status_code":200,"leaderboard""#));
        assert!(body(None, &outcome).contains(r#""previous":{"values":{"score":3},"rank":2}"#));
        // The column names of the outcome have precedence over the learned names.
        let points = Column::new("points", Order::Descending).unwrap();
        outcome.columns = Some(Columns::new(vec![points]).unwrap());
        assert!(body(None, &outcome).contains(r#""previous":{"values":{"points":3},"rank":2}"#));
        assert!(body(None, &outcome).contains(r#""values":{"points":"9223372036854775807"}"#));
    }

    #[test]
    fn a_player_is_an_object_in_version_2() {
        let outcome = create_outcome();
        assert_eq!(
            write_body(&OutcomeBody::new(ApiVersion::V2, &outcome, None)),
            r#"{"leaderboard":"goals","period":"all","player":{"id":"José Piendibene"},"status":"created","version":17,"replayed":false}"#
        );
    }

    #[test]
    fn a_minimal_outcome_has_no_values_and_no_ranks() {
        let outcome = create_outcome();
        assert_eq!(
            write_body(&BatchResult::one(OutcomeBody::new(
                ApiVersion::V1,
                &outcome,
                None
            ))),
            r#"{"status_code":200,"leaderboard":"goals","period":"all","player":"José Piendibene","status":"created","version":17,"replayed":false}"#
        );
    }

    #[test]
    fn a_batch_has_a_result_for_each_submission() {
        let outcomes = [create_outcome()];
        let several = BatchResult::several(OutcomeBody::list(ApiVersion::V1, &outcomes, None));
        let problem = Problem::new(ProblemType::Validation)
            .with_detail("No.")
            .with_error(FieldError::body("#/scores/1/score", "above"));
        let refused = BatchResult::refused(problem, "t");
        let text = write_body(&Results {
            results: vec![several, refused],
        });
        assert!(text.starts_with(r#"{"results":[{"status_code":200,"results":[{"leaderboard":"goals","#));
        assert!(text.ends_with(
            r##"{"status_code":422,"problem":{"type":"/problems/validation","title":"A value is not valid","status":422,"detail":"No.","instance":"t","errors":[{"pointer":"#/scores/1/score","detail":"above"}]}}]}"##
        ));
    }
}
