//! The command `submit`.

use reqwest::Method;
use serde_json::value::RawValue;

use crate::args::Global;
use crate::args::submit::SubmitArgs;
use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::number::NamedIntegers;
use crate::retry::generate_id;
use crate::table::{self, format_optional, number_column, text_column};
use crate::wire::{ScoreOutcome, SubmissionBody, parse_body};
use crate::{instant, output};

/// Runs the command `submit`.
pub(crate) async fn run(global: &Global, args: &SubmitArgs) -> Result<(), CliError> {
    let client = global.create_client()?;
    let request = call(&client, args)?;
    let body = client.send(&request).await?.into_success_body()?;
    let outcome: ScoreOutcome = parse_body(&body)?;
    if global.json {
        output::print_line(&body)?;
    } else {
        output::print_line(render(&outcome).as_bytes())?;
    }
    match outcome.leaves().into_iter().find(|leaf| !leaf.is_success()) {
        Some(_refused) => Err(CliError::Incomplete("the submission was refused".into())),
        None => Ok(()),
    }
}

fn call(client: &ApiClient, args: &SubmitArgs) -> Result<ApiRequest, CliError> {
    let metadata = args
        .metadata
        .as_deref()
        .map(|json| RawValue::from_string(json.trim().to_owned()))
        .transpose()
        .map_err(|error| CliError::Usage(format!("--metadata is not JSON: {error}")))?;
    let occurred_at = args
        .occurred_at
        .as_deref()
        .map(instant::normalise_instant)
        .transpose()
        .map_err(|error| CliError::Usage(format!("--occurred-at: {error}")))?;
    let values = NamedIntegers(args.values.clone());
    let id = args.id.clone().map_or_else(generate_id, Ok)?;
    let mut submission = SubmissionBody {
        player: &args.player,
        score: args.score,
        values: (!values.0.is_empty()).then_some(&values),
        metadata: metadata.as_deref(),
        occurred_at: occurred_at.as_deref(),
        id: Some(&id),
        ..SubmissionBody::default()
    };
    let url = match args.leaderboards.as_slice() {
        [leaderboard] => client.build_url(&["leaderboards", leaderboard, "scores"], &[])?,
        leaderboards => {
            submission.leaderboards = leaderboards;
            client.build_url(&["scores"], &[])?
        }
    };
    let body = serde_json::to_string(&submission)
        .map_err(|error| CliError::Usage(format!("the submission cannot be written as JSON: {error}")))?;
    Ok(ApiRequest {
        body: Some(body),
        ..ApiRequest::new(Method::POST, url)
    })
}

fn render(outcome: &ScoreOutcome) -> String {
    let leaves = outcome.leaves();
    let mut columns: Vec<&str> = Vec::new();
    for (name, _value) in leaves
        .iter()
        .filter_map(|leaf| leaf.values.as_ref())
        .flat_map(|values| &values.0)
    {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let mut headings = vec![
        text_column("leaderboard"),
        text_column("period"),
        text_column("status"),
    ];
    headings.extend(columns.iter().map(|name| number_column(*name)));
    headings.extend([number_column("rank"), number_column("before")]);
    let rows = leaves.iter().map(|leaf| {
        let mut row = vec![
            leaf.leaderboard.clone().unwrap_or_default(),
            leaf.period.clone().unwrap_or_default(),
            status(leaf),
        ];
        row.extend(
            columns
                .iter()
                .map(|name| format_optional(leaf.values.as_ref().and_then(|values| values.get(name)))),
        );
        row.push(format_optional(leaf.rank));
        row.push(format_optional(
            leaf.previous.as_ref().and_then(|previous| previous.rank),
        ));
        row
    });
    table::render_table(&headings, rows.collect())
}

fn status(leaf: &ScoreOutcome) -> String {
    if let Some(problem) = &leaf.problem {
        return problem.to_line();
    }
    let status = leaf.status.clone().unwrap_or_default();
    if leaf.replayed {
        format!("{status} (before: this id was seen)")
    } else {
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_of_several_leaderboards_make_one_table() {
        let outcome: ScoreOutcome = serde_json::from_str(
            r#"{"results":[
            {"leaderboard":"goals","period":"all","status":"improved","values":{"score":2},"rank":1,"previous":{"values":{"score":1},"rank":3}},
            {"leaderboard":"goals-by-year","period":"1916","status":"created","values":{"score":1},"rank":12,"previous":null}]}"#,
        )
        .unwrap();
        let expected = " leaderboard    period  status    score  rank  before
───────────────────────────────────────────────────────
 goals          all     improved      2     1       3
 goals-by-year  1916    created       1    12       –";
        assert_eq!(render(&outcome), expected);
    }
}
