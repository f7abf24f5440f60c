//! Sends a batch until the server has accepted or refused each of its rows.

use reqwest::Method;
use serde::Serialize;

use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::import::batch::{BatchRow, ImportBatch};
use crate::import::checkpoint::AcknowledgedBatch;
use crate::problem::{ApiProblem, InvalidField};
use crate::retry::is_transient;
use crate::wire::{ScoreOutcome, parse_body};

/// The header that asks for outcomes without ranks. An import does not need ranks, and computing them takes time.
const MINIMAL: (&str, &str) = ("prefer", "return=minimal");

/// The result of sending a batch.
#[derive(Debug, Default)]
pub(crate) struct BatchDelivery {
    /// The record for the checkpoint.
    pub(crate) acknowledged: AcknowledgedBatch,
    /// How many rows the server had accepted before and so did not apply again.
    pub(crate) replayed: u64,
    /// The refused rows.
    pub(crate) refused: Vec<RefusedRow>,
    /// Why the import cannot continue; `None` if it can.
    pub(crate) failure: Option<CliError>,
}

/// A row that the server refused.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedRow {
    /// The line of the row in the file, from 1.
    pub(crate) line: u64,
    /// Why the server refused it.
    pub(crate) problem: ApiProblem,
}

/// The server's decision on a row.
#[derive(Debug)]
enum RowResult {
    Accepted { replayed: bool },
    Refused(ApiProblem),
}

/// A row, and its result if the server has decided.
type PendingRow = (BatchRow, Option<RowResult>);

/// When the next request can be sent.
#[derive(Debug)]
enum RoundResult {
    /// The next request can be sent at once.
    Continue,
    /// The server asks to send some rows later, for this reason.
    RetryLater(String),
}

/// Sends a batch. If the server asks to send a row later, or skips it because another row of the request is malformed, sends the
/// row again. The ids of the rows prevent a row from counting twice.
pub(crate) async fn send_batch(client: &ApiClient, batch: ImportBatch) -> BatchDelivery {
    let partition = batch.partition;
    let mut rows: Vec<PendingRow> = batch.rows.into_iter().map(|row| (row, None)).collect();
    let mut failure = None;
    let mut retry = 0;
    while failure.is_none() && rows.iter().any(|(_row, result)| result.is_none()) {
        let waited = match send_round(client, &mut rows).await {
            Ok(RoundResult::Continue) => Ok(()),
            Ok(RoundResult::RetryLater(reason)) => {
                retry += 1;
                client.wait_before_retry(retry, &reason, None).await
            }
            Err(failure) => Err(failure),
        };
        failure = waited.err();
    }
    BatchDelivery {
        failure,
        ..summarise_rows(partition, rows)
    }
}

/// Sends one request with the rows that have no result yet.
async fn send_round(client: &ApiClient, rows: &mut [PendingRow]) -> Result<RoundResult, CliError> {
    let mut open: Vec<&mut PendingRow> = rows
        .iter_mut()
        .filter(|(_row, result)| result.is_none())
        .collect();
    let request = ApiRequest {
        method: Method::POST,
        url: client.build_url(&["scores"], &[])?,
        headers: vec![(MINIMAL.0, MINIMAL.1.to_owned())],
        body: Some(ImportBatch::body(open.iter().map(|(row, _result)| row))),
    };
    let reply = client.send(&request).await?;
    match reply.status {
        200..300 => {
            let answer: ScoreOutcome = parse_body(&reply.body)?;
            apply_results(&mut open, answer.results)
        }
        400 | 422 => {
            let problem = ApiProblem::from_response(reply.status, &reply.body);
            if refuse_named_rows(&mut open, &problem) == 0 {
                return Err(CliError::Refused(Box::new(problem)));
            }
            Ok(RoundResult::Continue)
        }
        _ => {
            reply.into_success_body()?;
            Ok(RoundResult::Continue)
        }
    }
}

/// Stores the server's result of every row.
fn apply_results(open: &mut [&mut PendingRow], outcomes: Vec<ScoreOutcome>) -> Result<RoundResult, CliError> {
    if outcomes.len() != open.len() {
        let (sent, answered) = (open.len(), outcomes.len());
        return Err(CliError::Protocol(format!(
            "{sent} submissions were sent, but {answered} results came back"
        )));
    }
    let mut round = RoundResult::Continue;
    for ((_row, result), outcome) in open.iter_mut().map(|pending| &mut **pending).zip(outcomes) {
        if outcome.is_success() {
            *result = Some(RowResult::Accepted {
                replayed: outcome.is_replay(),
            });
            continue;
        }
        let problem = outcome.into_problem();
        match problem.status {
            status if is_transient(status) => round = RoundResult::RetryLater(problem.to_line()),
            // A wrong key or an unknown leaderboard: every row would fail in the same way.
            401 | 403 | 404 => return Err(CliError::Refused(Box::new(problem))),
            _ => *result = Some(RowResult::Refused(shorten_pointers(problem))),
        }
    }
    Ok(round)
}

/// Marks rows as refused if a problem about the whole request names them. Returns the number of these rows.
fn refuse_named_rows(open: &mut [&mut PendingRow], problem: &ApiProblem) -> usize {
    let mut named = 0;
    for error in &problem.errors {
        let Some((_row, result)) = error
            .submission_position()
            .and_then(|position| open.get_mut(position))
            .map(|row| &mut **row)
        else {
            continue;
        };
        match result {
            Some(RowResult::Refused(known)) => known.errors.push(shorten_pointer(error)),
            _ => {
                named += 1;
                let errors = vec![shorten_pointer(error)];
                *result = Some(RowResult::Refused(ApiProblem {
                    errors,
                    ..problem.clone()
                }));
            }
        }
    }
    named
}

/// Makes the pointers of a problem relative to the submission, because a user does not know the positions in the batch.
fn shorten_pointers(mut problem: ApiProblem) -> ApiProblem {
    problem.errors = problem.errors.iter().map(shorten_pointer).collect();
    problem
}

fn shorten_pointer(error: &InvalidField) -> InvalidField {
    let field = error
        .submission_position()
        .and_then(|_position| error.pointer.trim_start_matches('#').splitn(4, '/').nth(3))
        .map(|field| format!("#/{field}"));
    InvalidField {
        pointer: field.unwrap_or_else(|| error.pointer.clone()),
        ..error.clone()
    }
}

fn summarise_rows(partition: usize, rows: Vec<PendingRow>) -> BatchDelivery {
    let mut delivery = BatchDelivery::default();
    let acknowledged = &mut delivery.acknowledged;
    acknowledged.partition = partition;
    for (row, result) in rows {
        acknowledged.through = acknowledged.through.max(row.row);
        match result {
            Some(RowResult::Accepted { replayed }) => {
                acknowledged.accepted += 1;
                delivery.replayed += u64::from(replayed);
                if row.is_resent {
                    acknowledged.closed.insert(row.row);
                }
            }
            Some(RowResult::Refused(problem)) => {
                acknowledged.open.insert(row.row);
                delivery.refused.push(RefusedRow {
                    line: row.line,
                    problem,
                });
            }
            None => {
                acknowledged.open.insert(row.row);
            }
        }
    }
    delivery
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_pending_rows(count: u64) -> Vec<PendingRow> {
        let row = |row| BatchRow {
            row,
            line: row + 2,
            is_resent: row == 0,
            json: String::new(),
        };
        (0..count).map(|number| (row(number), None)).collect()
    }

    fn parse_results(json: &str) -> Vec<ScoreOutcome> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_row_gets_its_own_result_and_refused_rows_stay_open() {
        let mut rows = create_pending_rows(4);
        let answer = parse_results(
            r##"[{"status_code":200,"results":[{"replayed":true},{"replayed":true}]},
            {"status_code":422,"problem":{"title":"Invalid","errors":[{"pointer":"#/scores/1/score","detail":"too high"}]}},
            {"status_code":503,"problem":{"title":"Busy"}},
            {"status_code":200,"leaderboard":"goals","status":"created"}]"##,
        );
        let round = apply_results(&mut rows.iter_mut().collect::<Vec<_>>(), answer).unwrap();
        assert!(matches!(round, RoundResult::RetryLater(reason) if reason == "503 Busy"));
        let delivery = summarise_rows(2, rows);
        let expected = AcknowledgedBatch {
            partition: 2,
            through: 3,
            accepted: 2,
            open: [1, 2].into(),
            closed: [0].into(),
        };
        assert_eq!(delivery.acknowledged, expected);
        assert_eq!(delivery.replayed, 1);
        assert_eq!(delivery.refused.len(), 1);
        assert_eq!(delivery.refused[0].line, 3);
        assert_eq!(
            delivery.refused[0].problem.to_line(),
            "422 Invalid: #/score: too high"
        );
    }

    #[test]
    fn a_refused_request_refuses_only_the_rows_that_its_problem_names() {
        let mut rows = create_pending_rows(3);
        let body = br##"{"title":"Invalid","errors":[{"pointer":"#/scores/2/player","detail":"too long"},
            {"pointer":"#/scores/2/score","detail":"too high"},{"pointer":"#/scores/9","detail":"?"}]}"##;
        let problem = ApiProblem::from_response(422, body);
        assert_eq!(
            refuse_named_rows(&mut rows.iter_mut().collect::<Vec<_>>(), &problem),
            1
        );
        assert!(
            rows[0].1.is_none() && rows[1].1.is_none(),
            "the other rows are sent again without the refused row"
        );
        let delivery = summarise_rows(0, rows);
        assert_eq!(
            delivery.refused[0].problem.to_line(),
            "422 Invalid: #/player: too long; #/score: too high"
        );
    }

    #[test]
    fn an_unknown_leaderboard_or_a_wrong_number_of_results_ends_the_import() {
        let mut rows = create_pending_rows(1);
        let answer = parse_results(r#"[{"status_code":404,"problem":{"title":"No such leaderboard"}}]"#);
        let failure = apply_results(&mut rows.iter_mut().collect::<Vec<_>>(), answer).unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        let failure = apply_results(&mut rows.iter_mut().collect::<Vec<_>>(), Vec::new()).unwrap_err();
        assert!(failure.to_string().contains("1 submissions were sent, but 0"));
    }
}
