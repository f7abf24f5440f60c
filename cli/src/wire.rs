//! The JSON of the API that this tool reads and writes. Reading is lenient: unknown fields are ignored.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::CliError;
use crate::number::{Integer, NamedIntegers};
use crate::problem::ApiProblem;

/// One submission.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SubmissionBody<'a> {
    /// The target leaderboards; empty when the path names the leaderboard.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) leaderboards: &'a [String],
    /// The player.
    pub(crate) player: &'a str,
    /// The value, for a leaderboard with one column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<Integer>,
    /// The values by the names of their columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) values: Option<&'a NamedIntegers>,
    /// Any JSON to store with the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<&'a RawValue>,
    /// When the score happened (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) occurred_at: Option<&'a str>,
    /// The id that makes the submission idempotent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
}

/// A page of entries, a window around a player, or a single entry.
#[derive(Debug, Deserialize)]
pub(crate) struct EntryPage {
    /// The leaderboard's id.
    pub(crate) leaderboard: String,
    /// The period that was read.
    pub(crate) period: PagePeriod,
    /// The leaderboard's version at the time of reading.
    #[serde(default)]
    pub(crate) version: Option<Integer>,
    /// The number of entries in the period.
    #[serde(default)]
    pub(crate) count: Option<Integer>,
    /// The entries, each exactly as the server wrote it.
    #[serde(default)]
    pub(crate) entries: Vec<Box<RawValue>>,
    /// The entry, in the response for a single player.
    #[serde(default)]
    pub(crate) entry: Option<Box<RawValue>>,
    /// The cursor of the next page.
    #[serde(default)]
    pub(crate) next: Option<String>,
    /// Whether the leaderboard changed since the first page of this cursor.
    #[serde(default)]
    pub(crate) drifted: bool,
}

/// A period. In a list it has its bounds; in an outcome it is only an id.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum PagePeriod {
    /// Only the id.
    Id(String),
    /// The id and the bounds.
    Bounds {
        /// The id, such as `all`.
        id: String,
        /// When the period starts; `None` if it has no start.
        starts_at: Option<String>,
        /// When the period ends; `None` if it has no end.
        ends_at: Option<String>,
    },
}

impl PagePeriod {
    /// Returns the period's id, in the form that `--period` accepts.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Id(id) | Self::Bounds { id, .. } => id,
        }
    }
}

/// An entry of a page.
#[derive(Debug, Deserialize)]
pub(crate) struct PageEntry {
    /// The rank, from 1.
    pub(crate) rank: Integer,
    /// The player.
    pub(crate) player: String,
    /// The values by column.
    pub(crate) values: NamedIntegers,
    /// The metadata of the submission that set the values.
    #[serde(default)]
    pub(crate) metadata: Option<Box<RawValue>>,
    /// When these values were reached.
    #[serde(default)]
    pub(crate) reached_at: Option<String>,
}

/// The outcome of one submission, of one submission on one leaderboard, or of a batch.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ScoreOutcome {
    /// The status of this submission; absent when the status of the response applies.
    pub(crate) status_code: Option<u16>,
    /// One outcome per leaderboard or per submission; empty for a single leaderboard.
    pub(crate) results: Vec<Self>,
    /// Why the server refused the submission; `None` if it accepted it.
    pub(crate) problem: Option<Box<ApiProblem>>,
    /// The leaderboard.
    pub(crate) leaderboard: Option<String>,
    /// The period's id.
    pub(crate) period: Option<String>,
    /// `created`, `improved`, `changed` or `kept`.
    pub(crate) status: Option<String>,
    /// The values after the submission.
    pub(crate) values: Option<NamedIntegers>,
    /// The rank after the submission.
    pub(crate) rank: Option<Integer>,
    /// The entry before the submission.
    pub(crate) previous: Option<PreviousEntry>,
    /// Whether the server had applied a submission with this id before, and so changed nothing.
    pub(crate) replayed: bool,
}

/// The entry before the submission.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PreviousEntry {
    /// The values before the submission.
    pub(crate) values: Option<NamedIntegers>,
    /// The rank before the submission.
    pub(crate) rank: Option<Integer>,
}

impl ScoreOutcome {
    /// Returns whether the server accepted the submission.
    pub(crate) fn is_success(&self) -> bool {
        self.problem.is_none() && self.status_code.is_none_or(|code| (200..300).contains(&code))
    }

    /// Returns whether the server changed nothing because it had applied all parts of the submission before.
    pub(crate) fn is_replay(&self) -> bool {
        if self.results.is_empty() {
            self.replayed
        } else {
            self.results.iter().all(Self::is_replay)
        }
    }

    /// Returns the problem of a refusal. If the server sent no problem document, creates the problem from the status.
    pub(crate) fn into_problem(self) -> ApiProblem {
        let status = self.status_code.unwrap_or_default();
        let mut problem = self
            .problem
            .map_or_else(|| ApiProblem::from_response(status, b""), |problem| *problem);
        if problem.status == 0 {
            problem.status = status;
        }
        problem
    }

    /// Returns the innermost outcomes: one for each leaderboard.
    pub(crate) fn leaves(&self) -> Vec<&Self> {
        if self.results.is_empty() {
            vec![self]
        } else {
            self.results.iter().flat_map(Self::leaves).collect()
        }
    }
}

/// Parses a response body.
///
/// # Errors
/// The body is not JSON in the expected form.
pub(crate) fn parse_body<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, CliError> {
    serde_json::from_slice(body)
        .map_err(|error| CliError::Protocol(format!("the answer is not as the Edgeboard API says: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_of_one_and_of_several_leaderboards_are_parsed() {
        let one: ScoreOutcome = serde_json::from_str(
            r#"{"status_code":200,"leaderboard":"goals","status":"created","rank":null,"replayed":true}"#,
        )
        .unwrap();
        assert!(one.is_success() && one.is_replay());
        let several: ScoreOutcome = serde_json::from_str(
            r#"{"status_code":200,"results":[{"leaderboard":"a","replayed":true},{"leaderboard":"b","replayed":false}]}"#,
        )
        .unwrap();
        assert!(several.is_success() && !several.is_replay());
        assert_eq!(several.leaves().len(), 2);
        let refused: ScoreOutcome =
            serde_json::from_str(r#"{"status_code":422,"problem":{"title":"Invalid","detail":"too long"}}"#)
                .unwrap();
        assert!(!refused.is_success());
        assert_eq!(refused.into_problem().to_line(), "422 Invalid: too long");
    }
}
