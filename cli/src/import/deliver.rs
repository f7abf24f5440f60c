//! One batch to the server, until every row of it was taken or refused.

use reqwest::Method;
use serde::Serialize;

use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::import::batch::{BatchRow, ImportBatch};
use crate::import::checkpoint::AcknowledgedBatch;
use crate::problem::{ApiProblem, InvalidField};
use crate::retry::is_transient;
use crate::wire::ScoreOutcome;
use crate::wire::parse_body;

/// Ranks are of no use here and cost the server time.
const MINIMAL: (&str, &str) = ("prefer", "return=minimal");

/// What a batch came to.
#[derive(Debug, Default)]
pub(crate) struct BatchDelivery {
    /// What the checkpoint notes.
    pub(crate) acknowledged: AcknowledgedBatch,
    /// The rows that the server had taken before, and did not apply again.
    pub(crate) replayed: u64,
    /// The rows it refused.
    pub(crate) refused: Vec<RefusedRow>,
    /// Why the import cannot go on.
    pub(crate) failure: Option<CliError>,
}

/// A row that the server refused.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedRow {
    /// Its line in the file, from 1.
    pub(crate) line: u64,
    /// Why.
    pub(crate) problem: ApiProblem,
}

/// What the server said of a row.
#[derive(Debug)]
enum RowResult {
    Taken { replayed: bool },
    Refused(ApiProblem),
}

/// A row and what is known of it so far.
type PendingRow = (BatchRow, Option<RowResult>);

/// What a round came to, apart from its verdicts.
#[derive(Debug)]
enum RoundResult {
    /// Every row has its verdict, or gets it in another round at once.
    GoOn,
    /// Some rows were told to come later, for this reason.
    Later(String),
}

/// Sends a batch. Rows that are told to come later, or were not reached because another row of the
/// request was malformed, are sent again; everything has its id, so none counts twice.
pub(crate) async fn send_batch(client: &ApiClient, batch: ImportBatch) -> BatchDelivery {
    let partition = batch.partition;
    let mut rows: Vec<PendingRow> = batch.rows.into_iter().map(|row| (row, None)).collect();
    let mut failure = None;
    let mut retry = 0;
    while failure.is_none() && rows.iter().any(|(_row, verdict)| verdict.is_none()) {
        let waited = match send_round(client, &mut rows).await {
            Ok(RoundResult::GoOn) => Ok(()),
            Ok(RoundResult::Later(reason)) => {
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

/// One request with the rows that have no verdict yet.
async fn send_round(client: &ApiClient, rows: &mut [PendingRow]) -> Result<RoundResult, CliError> {
    let mut open: Vec<&mut PendingRow> = rows
        .iter_mut()
        .filter(|(_row, verdict)| verdict.is_none())
        .collect();
    let request = ApiRequest {
        method: Method::POST,
        url: client.build_url(&["scores"], &[])?,
        headers: vec![(MINIMAL.0, MINIMAL.1.to_owned())],
        body: Some(ImportBatch::body(open.iter().map(|(row, _verdict)| row))),
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
            Ok(RoundResult::GoOn)
        }
        _ => {
            reply.into_success_body()?;
            Ok(RoundResult::GoOn)
        }
    }
}

/// Takes over the server's verdict on every row.
fn apply_results(open: &mut [&mut PendingRow], results: Vec<ScoreOutcome>) -> Result<RoundResult, CliError> {
    if results.len() != open.len() {
        let (sent, answered) = (open.len(), results.len());
        return Err(CliError::Protocol(format!(
            "{sent} submissions were sent, but {answered} results came back"
        )));
    }
    let mut round = RoundResult::GoOn;
    for ((_row, verdict), result) in open.iter_mut().map(|pending| &mut **pending).zip(results) {
        if result.is_success() {
            *verdict = Some(RowResult::Taken {
                replayed: result.is_replay(),
            });
            continue;
        }
        let problem = result.into_problem();
        match problem.status {
            status if is_transient(status) => round = RoundResult::Later(problem.to_line()),
            // A wrong key or an unknown leaderboard: every other row would fail the same way.
            401 | 403 | 404 => return Err(CliError::Refused(Box::new(problem))),
            _ => *verdict = Some(RowResult::Refused(shorten_pointers(problem))),
        }
    }
    Ok(round)
}

/// Refuses the rows that a problem about the whole request names, and says how many they are.
fn refuse_named_rows(open: &mut [&mut PendingRow], problem: &ApiProblem) -> usize {
    let mut named = 0;
    for error in &problem.errors {
        let Some((_row, verdict)) = error
            .submission_position()
            .and_then(|position| open.get_mut(position))
            .map(|row| &mut **row)
        else {
            continue;
        };
        match verdict {
            Some(RowResult::Refused(known)) => known.errors.push(shorten_pointer(error)),
            _ => {
                named += 1;
                let errors = vec![shorten_pointer(error)];
                *verdict = Some(RowResult::Refused(ApiProblem {
                    errors,
                    ..problem.clone()
                }));
            }
        }
    }
    named
}

/// A problem whose pointers are into the submission and not into the batch, whose numbers mean nothing
/// to a reader of the file.
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
    for (row, verdict) in rows {
        acknowledged.through = acknowledged.through.max(row.row);
        match verdict {
            Some(RowResult::Taken { replayed }) => {
                acknowledged.accepted += 1;
                delivery.replayed += u64::from(replayed);
                if row.again {
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

    fn pending(count: u64) -> Vec<PendingRow> {
        let row = |row| BatchRow {
            row,
            line: row + 2,
            again: row == 0,
            json: String::new(),
        };
        (0..count).map(|number| (row(number), None)).collect()
    }

    fn results(json: &str) -> Vec<ScoreOutcome> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_row_gets_its_own_verdict_and_refused_ones_stay_open() {
        let mut rows = pending(4);
        let answer = results(
            r##"[{"status_code":200,"results":[{"replayed":true},{"replayed":true}]},
            {"status_code":422,"problem":{"title":"Invalid","errors":[{"pointer":"#/scores/1/score","detail":"too high"}]}},
            {"status_code":503,"problem":{"title":"Busy"}},
            {"status_code":200,"leaderboard":"goals","status":"created"}]"##,
        );
        let round = apply_results(&mut rows.iter_mut().collect::<Vec<_>>(), answer).unwrap();
        assert!(matches!(round, RoundResult::Later(reason) if reason == "503 Busy"));
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
    fn a_refusal_of_the_whole_request_is_put_down_to_the_rows_it_names() {
        let mut rows = pending(3);
        let body = br##"{"title":"Invalid","errors":[{"pointer":"#/scores/2/player","detail":"too long"},
            {"pointer":"#/scores/2/score","detail":"too high"},{"pointer":"#/scores/9","detail":"?"}]}"##;
        let problem = ApiProblem::from_response(422, body);
        assert_eq!(
            refuse_named_rows(&mut rows.iter_mut().collect::<Vec<_>>(), &problem),
            1
        );
        assert!(
            rows[0].1.is_none() && rows[1].1.is_none(),
            "the others are sent again without it"
        );
        let delivery = summarise_rows(0, rows);
        assert_eq!(
            delivery.refused[0].problem.to_line(),
            "422 Invalid: #/player: too long; #/score: too high"
        );
    }

    #[test]
    fn an_unknown_leaderboard_or_a_wrong_number_of_results_ends_the_import() {
        let mut rows = pending(1);
        let answer = results(r#"[{"status_code":404,"problem":{"title":"No such leaderboard"}}]"#);
        let failure = apply_results(&mut rows.iter_mut().collect::<Vec<_>>(), answer).unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        let failure = apply_results(&mut rows.iter_mut().collect::<Vec<_>>(), Vec::new()).unwrap_err();
        assert!(failure.to_string().contains("1 submissions were sent, but 0"));
    }
}
