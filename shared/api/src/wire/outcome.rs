//! What submissions did, as clients read it.

use leaderboard_core::{Columns, Outcome, Previous, Status};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::{NamedValues, Names};
use crate::json::ExactUnsigned;
use crate::problem::Problem;
use crate::version::ApiVersion;

/// One outcome.
pub struct OutcomeBody<'a> {
    /// In a batch, each result has its own status.
    pub status_code: Option<u16>,
    /// In the shape of which version.
    pub version: ApiVersion,
    /// The outcome.
    pub outcome: &'a Outcome,
    /// The names of its values when it has none itself; `None` leaves values and ranks out.
    pub names: Option<&'a Names>,
}

impl Serialize for OutcomeBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outcome = self.outcome;
        let mut map = serializer.serialize_map(None)?;
        if let Some(status_code) = self.status_code {
            map.serialize_entry("status_code", &status_code)?;
        }
        map.serialize_entry("leaderboard", outcome.leaderboard.as_str())?;
        map.serialize_entry("period", outcome.period.as_str())?;
        match self.version {
            ApiVersion::V1 => map.serialize_entry("player", outcome.player.as_str())?,
            ApiVersion::V2 => map.serialize_entry(
                "player",
                &PlayerV2 {
                    id: outcome.player.as_str(),
                },
            )?,
        }
        map.serialize_entry("status", status_word(outcome.status))?;
        if let Some(names) = self.names {
            let columns = match &outcome.columns {
                Some(columns) => columns,
                None => names.of(&outcome.leaderboard),
            };
            let values = &outcome.values;
            map.serialize_entry("values", &NamedValues { columns, values })?;
            map.serialize_entry("rank", &outcome.rank)?;
            let previous = outcome.previous.as_ref();
            map.serialize_entry(
                "previous",
                &previous.map(|previous| PreviousBody { columns, previous }),
            )?;
        }
        map.serialize_entry("version", &ExactUnsigned(outcome.version))?;
        map.serialize_entry("replayed", &outcome.replayed)?;
        map.end()
    }
}

/// A player in version 2. The metadata of the entry is not told: an outcome is about numbers.
#[derive(Serialize)]
struct PlayerV2<'a> {
    id: &'a str,
}

struct PreviousBody<'a> {
    columns: &'a Columns,
    previous: &'a Previous,
}

impl Serialize for PreviousBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (columns, values) = (self.columns, &self.previous.values);
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("values", &NamedValues { columns, values })?;
        map.serialize_entry("rank", &self.previous.rank)?;
        map.end()
    }
}

/// The outcomes of one submission on its leaderboards.
pub struct OutcomeList<'a> {
    /// In the shape of which version.
    pub version: ApiVersion,
    /// In the order of its leaderboards.
    pub outcomes: &'a [Outcome],
    /// The names of their values, as for one.
    pub names: Option<&'a Names>,
}

impl Serialize for OutcomeList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.outcomes.len()))?;
        for outcome in self.outcomes {
            list.serialize_element(&OutcomeBody {
                status_code: None,
                version: self.version,
                outcome,
                names: self.names,
            })?;
        }
        list.end()
    }
}

/// `{"results": …}`.
#[derive(Serialize)]
pub struct Results<T> {
    /// One for each submission, or for each leaderboard of the only one.
    pub results: T,
}

/// What became of one submission of a batch.
pub enum BatchResult<'a> {
    /// It was applied to the one leaderboard of the path.
    One(OutcomeBody<'a>),
    /// It was applied to the leaderboards it names.
    Several(OutcomeList<'a>),
    /// It was refused.
    Refused {
        /// Why.
        problem: Problem,
        /// The request's trace id.
        trace_id: &'a str,
    },
}

impl Serialize for BatchResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(outcome) => outcome.serialize(serializer),
            Self::Several(outcomes) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("status_code", &200)?;
                map.serialize_entry("results", outcomes)?;
                map.end()
            }
            Self::Refused { problem, trace_id } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("status_code", &problem.kind.status().as_u16())?;
                map.serialize_entry("problem", &problem.document(trace_id))?;
                map.end()
            }
        }
    }
}

const fn status_word(status: Status) -> &'static str {
    match status {
        Status::Created => "created",
        Status::Improved => "improved",
        Status::Changed => "changed",
        Status::Kept => "kept",
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use leaderboard_core::{
        Column, Leaderboard, LeaderboardId, Order, PeriodId, PlayerId, Values, Versioned,
    };

    use super::*;
    use crate::problem::{FieldError, ProblemType};

    fn outcome() -> Outcome {
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

    fn written(body: &impl Serialize) -> String {
        crate::json::text(body)
    }

    #[test]
    fn an_outcome_has_the_fields_of_the_contract_in_their_order() {
        let mut names = Names::default();
        names.learn(Rc::new(Versioned {
            version: 1,
            value: Leaderboard::new(LeaderboardId::new("goals").unwrap()),
        }));
        let mut outcome = outcome();
        let body = |status_code, outcome: &Outcome| {
            written(&OutcomeBody {
                status_code,
                version: ApiVersion::V1,
                outcome,
                names: Some(&names),
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
        // Its own names come first.
        let points = Column::new("points", Order::Descending).unwrap();
        outcome.columns = Some(Columns::new(vec![points]).unwrap());
        assert!(body(None, &outcome).contains(r#""previous":{"values":{"points":3},"rank":2}"#));
        assert!(body(None, &outcome).contains(r#""values":{"points":"9223372036854775807"}"#));
    }

    #[test]
    fn a_player_is_an_object_in_version_2() {
        let body = OutcomeBody {
            status_code: None,
            version: ApiVersion::V2,
            outcome: &outcome(),
            names: None,
        };
        assert_eq!(
            written(&body),
            r#"{"leaderboard":"goals","period":"all","player":{"id":"José Piendibene"},"status":"created","version":17,"replayed":false}"#
        );
    }

    #[test]
    fn a_minimal_outcome_has_no_values_and_no_ranks() {
        let body = OutcomeBody {
            status_code: Some(200),
            version: ApiVersion::V1,
            outcome: &outcome(),
            names: None,
        };
        assert_eq!(
            written(&body),
            r#"{"status_code":200,"leaderboard":"goals","period":"all","player":"José Piendibene","status":"created","version":17,"replayed":false}"#
        );
    }

    #[test]
    fn a_batch_says_what_became_of_each() {
        let outcomes = [outcome()];
        let several = BatchResult::Several(OutcomeList {
            version: ApiVersion::V1,
            outcomes: &outcomes,
            names: None,
        });
        let refused = BatchResult::Refused {
            problem: Problem::new(ProblemType::Validation)
                .with_detail("No.")
                .with_error(FieldError::body("#/scores/1/score", "above")),
            trace_id: "t",
        };
        let text = written(&Results {
            results: vec![several, refused],
        });
        assert!(text.starts_with(r#"{"results":[{"status_code":200,"results":[{"leaderboard":"goals","#));
        assert!(text.ends_with(
            r##"{"status_code":422,"problem":{"type":"/problems/validation","title":"A value is not valid","status":422,"detail":"No.","instance":"t","errors":[{"pointer":"#/scores/1/score","detail":"above"}]}}]}"##
        ));
    }
}
