//! What came of a queued request, as bytes.

use leaderboard_api::{FieldError, Location, Problem, ProblemType};
use leaderboard_core::codec::{Malformed, Reader, Writer, decode_outcome, encode_outcome};
use leaderboard_core::{LeaderboardId, Outcome};
use leaderboard_pipeline::idempotency;

/// The first byte of an encoded result.
const RESULT_V1: u8 = 1;

/// What came of a queued request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestResult {
    /// Each submission was applied or refused.
    Done {
        /// Whether the path named the leaderboard, so that each submission has one outcome.
        has_path: bool,
        /// The outcomes or the problem of each submission, in order.
        answers: Vec<Result<Vec<Outcome>, Problem>>,
    },
    /// Some submissions could not be applied, and are dead letters.
    Dead {
        /// Why they could not be applied.
        reason: String,
    },
}

impl RequestResult {
    /// Returns the result as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(RESULT_V1);
        match self {
            Self::Dead { reason } => {
                w.byte(0);
                w.text(reason);
            }
            Self::Done { has_path, answers } => {
                w.byte(1);
                w.byte(u8::from(*has_path));
                w.unsigned(answers.len() as u64);
                for answer in answers {
                    match answer {
                        Ok(outcomes) => write_outcomes(&mut w, outcomes),
                        Err(problem) => write_problem(&mut w, problem),
                    }
                }
            }
        }
        w.finish()
    }

    /// Reads the bytes of [`RequestResult::encode`].
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not a result.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != RESULT_V1 {
            return Err(Malformed("result code"));
        }
        if !r.flag()? {
            let reason = r.text()?.to_owned();
            return Ok(Self::Dead { reason });
        }
        let has_path = r.flag()?;
        let mut answers = Vec::new();
        for _ in 0..r.unsigned()? {
            answers.push(if r.flag()? {
                Ok(read_outcomes(&mut r)?)
            } else {
                Err(read_problem(&mut r)?)
            });
        }
        r.end()?;
        Ok(Self::Done { has_path, answers })
    }
}

fn write_outcomes(w: &mut Writer, outcomes: &[Outcome]) {
    w.byte(1);
    w.unsigned(outcomes.len() as u64);
    for outcome in outcomes {
        w.text(outcome.leaderboard.as_str());
        w.text(outcome.player.as_str());
        w.byte(u8::from(outcome.replayed));
        w.bytes(&encode_outcome(outcome));
    }
}

fn read_outcomes(r: &mut Reader<'_>) -> Result<Vec<Outcome>, Malformed> {
    let mut outcomes = Vec::new();
    for _ in 0..r.unsigned()? {
        let leaderboard = LeaderboardId::new(r.text()?).map_err(|_| Malformed("leaderboard"))?;
        let player = r.player()?;
        let replayed = r.flag()?;
        outcomes.push(Outcome {
            replayed,
            ..decode_outcome(r.bytes()?, leaderboard, player)?
        });
    }
    Ok(outcomes)
}

/// Writes the type, the detail and the errors of a problem. An error that is not in the body is the idempotency key's: no other header
/// and no parameter concerns a single submission.
fn write_problem(w: &mut Writer, problem: &Problem) {
    w.byte(0);
    w.text(problem.kind.uri());
    w.option(problem.detail.as_deref(), Writer::text);
    w.unsigned(problem.errors.len() as u64);
    for error in &problem.errors {
        let pointer = match &error.location {
            Location::Body(pointer) => Some(pointer.as_str()),
            Location::Parameter(_) | Location::Header(_) => None,
        };
        w.option(pointer, Writer::text);
        w.text(&error.detail);
    }
}

fn read_problem(r: &mut Reader<'_>) -> Result<Problem, Malformed> {
    let uri = r.text()?;
    let kind = ProblemType::ALL.iter().find(|kind| kind.uri() == uri);
    let mut problem = Problem::new(*kind.ok_or(Malformed("problem type"))?);
    if let Some(detail) = r.option(Reader::text)? {
        problem = problem.with_detail(detail);
    }
    for _ in 0..r.unsigned()? {
        let pointer = r.option(Reader::text)?;
        let detail = r.text()?;
        problem = problem.with_error(match pointer {
            Some(pointer) => FieldError::body(pointer, detail),
            None => FieldError::header(idempotency::NAME, detail),
        });
    }
    Ok(problem)
}

#[cfg(test)]
mod tests {
    use leaderboard_core::{PeriodId, PlayerId, Status, Values};

    use super::*;

    #[test]
    fn a_result_survives_its_encoding() {
        let outcome = Outcome {
            leaderboard: LeaderboardId::new("goals").unwrap(),
            period: PeriodId::all_time(),
            player: PlayerId::new("José").unwrap(),
            status: Status::Created,
            columns: None,
            values: Values::new(vec![i64::MIN]),
            rank: None,
            previous: None,
            version: 17,
            replayed: false,
        };
        let problem = Problem::new(ProblemType::IdConflict)
            .with_detail("No.")
            .with_error(FieldError::body("#/scores/1/id", "was used"))
            .with_error(FieldError::header(idempotency::NAME, "was used"));
        for result in [
            RequestResult::Dead {
                reason: "Why.".into(),
            },
            RequestResult::Done {
                has_path: true,
                answers: vec![Ok(vec![outcome]), Err(problem), Ok(Vec::new())],
            },
        ] {
            let bytes = result.encode();
            assert_eq!(RequestResult::decode(&bytes), Ok(result));
            for end in 0..bytes.len() {
                assert!(RequestResult::decode(&bytes[..end]).is_err(), "{end}");
            }
        }
    }
}
