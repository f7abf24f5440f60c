//! Tests of reading submissions.

use super::*;
use crate::problem::{Location, ProblemType};

fn create_leaderboard_id() -> LeaderboardId {
    LeaderboardId::new("goals").unwrap()
}

/// Parses the body of a single submission.
fn parse_one(body: &str) -> Submission {
    let board = create_leaderboard_id();
    let scores = scores(body.as_bytes(), SubmissionTarget::Path(&board), Sender::Server).unwrap();
    assert!(!scores.batch);
    scores.items[0].submission.clone()
}

/// Returns the location and the text of each error of a body.
fn find_errors(body: &str, destination: SubmissionTarget<'_>) -> Vec<String> {
    let problem = scores(body.as_bytes(), destination, Sender::Server).unwrap_err();
    assert_eq!(problem.kind, ProblemType::Validation, "{body}");
    problem
        .errors
        .iter()
        .map(|error| match &error.location {
            Location::Body(pointer) => format!("{pointer} {}", error.detail),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn every_field_is_read() {
    let found = parse_one(
        r#"{"player": "José Piendibene", "values": {"score": 10, "time_ms": "5321"}, "metadata": {"team": "Uruguay", "big": 1.10e99},
            "occurred_at": "1916-07-02T00:00:00Z", "id": "1916-07-02/3", "operator": "set"}"#,
    );
    assert_eq!(found.leaderboards, [create_leaderboard_id()]);
    assert_eq!(found.player.as_str(), "José Piendibene");
    assert_eq!(
        found.values,
        SubmittedValues::Named(vec![("score".into(), 10), ("time_ms".into(), 5321)])
    );
    assert_eq!(
        found.metadata.unwrap().as_json_text(),
        r#"{"team":"Uruguay","big":1.10e99}"#
    );
    assert_eq!(found.occurred_at.unwrap().to_string(), "1916-07-02T00:00:00.000Z");
    assert_eq!(found.id.unwrap().as_str(), "1916-07-02/3");
    assert_eq!(found.operator, Some(Operator::Set));
    assert_eq!(found.request, None);
}

#[test]
fn a_null_field_equals_a_missing_field() {
    let found = parse_one(
        r#"{"player":"p","score":"-9223372036854775808","values":null,"metadata":null,"occurred_at":null,"id":null,"operator":null}"#,
    );
    assert_eq!(found.values, SubmittedValues::Score(i64::MIN));
    assert_eq!(
        (found.metadata, found.occurred_at, found.id, found.operator),
        (None, None, None, None)
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, a row for each error")]
fn every_error_names_its_field() {
    let board = create_leaderboard_id();
    let path = SubmissionTarget::Path(&board);
    for (body, expected) in [
        ("[]", "# must be an object, not an array"),
        ("null", "# must be an object, not null"),
        (r#""text""#, "# must be an object, not a string"),
        ("7", "# must be an object, not a number"),
        (r#"{"score":1}"#, "#/player is required"),
        (
            r#"{"player":null,"score":1}"#,
            "#/player must be a string, not null",
        ),
        (r#"{"player":"","score":1}"#, "#/player must not be empty"),
        (
            r#"{"player":"a\u0000","score":1}"#,
            "#/player must not contain control characters",
        ),
        (
            r#"{"player":7,"score":1}"#,
            "#/player must be a string, not a number",
        ),
        (
            r#"{"player":["p"],"score":1}"#,
            "#/player must be a string, not an array",
        ),
        (r#"{"player":"p"}"#, "#/score is required (or values)"),
        (
            r#"{"player":"p","score":null}"#,
            "#/score is required (or values)",
        ),
        (
            r#"{"player":"p","score":1.5}"#,
            "#/score must be an integer, without fraction and exponent",
        ),
        (
            r#"{"player":"p","score":1e3}"#,
            "#/score must be an integer, without fraction and exponent",
        ),
        (
            r#"{"player":"p","score":"NaN"}"#,
            "#/score must be an integer, without fraction and exponent",
        ),
        (
            r#"{"player":"p","score":9223372036854775808}"#,
            "#/score must be an integer from -9223372036854775808 to 9223372036854775807",
        ),
        (
            r#"{"player":"p","score":1,"values":{"a":1}}"#,
            "#/values must not be sent together with score",
        ),
        (
            r#"{"player":"p","values":{}}"#,
            "#/values must have 1 to 3 columns",
        ),
        (
            r#"{"player":"p","values":{"a":1,"b":true}}"#,
            "#/values/b must be an integer, not a boolean",
        ),
        (
            r#"{"player":"p","values":[]}"#,
            "#/values must be an object, not an array",
        ),
        (
            r#"{"player":"p","values":{"a":1,"b":1,"c":1,"d":1}}"#,
            "#/values must have 1 to 3 columns",
        ),
        (
            r#"{"player":"p","values":{"score":1.5}}"#,
            "#/values/score must be an integer, without fraction and exponent",
        ),
        (
            r#"{"player":"p","values":{"score":null}}"#,
            "#/values/score must be an integer, not null",
        ),
        (
            r#"{"player":"p","score":1,"metadata":"text"}"#,
            "#/metadata must be an object, not a string",
        ),
        (
            r#"{"player":"p","score":1,"metadata":5}"#,
            "#/metadata must be an object, not a number",
        ),
        (
            r#"{"player":"p","score":1,"metadata":[]}"#,
            "#/metadata must be an object, not an array",
        ),
        (
            r#"{"player":"p","score":1,"occurred_at":"today"}"#,
            "#/occurred_at must be an RFC 3339 time with a zone, e.g. 2026-07-19T21:04:00Z",
        ),
        (
            r#"{"player":"p","score":1,"operator":"add"}"#,
            "#/operator must be one of best, set, increment, decrement",
        ),
        (
            r#"{"player":"p","score":1,"operator":1}"#,
            "#/operator must be a string, not a number",
        ),
        (r#"{"player":"p","score":1,"id":""}"#, "#/id must not be empty"),
        (
            r#"{"player":"p","score":1,"id":7}"#,
            "#/id must be a string, not a number",
        ),
        (
            r#"{"player":"p","score":1,"id":"a\u0000b"}"#,
            "#/id must not contain control characters",
        ),
        (
            r#"{"player":"p","score":1,"occurred_at":1600000000}"#,
            "#/occurred_at must be a string, not a number",
        ),
        (
            r#"{"player":"p","score":1,"rank":1}"#,
            "#/rank is not a field of this object",
        ),
        (
            r#"{"player":"p","score":1,"Score":1}"#,
            "#/Score is not a field of this object; did you mean score?",
        ),
        (
            r#"{"player":"p","score":1,"a/b~c d":1}"#,
            "#/a~1b~0c%20d is not a field of this object",
        ),
        (
            r#"{"player":"p","score":1,"leaderboards":["a"]}"#,
            "#/leaderboards is not a field of this object",
        ),
        (
            r#"{"scores":[],"player":"p"}"#,
            "#/player is not a field of this object",
        ),
        (r#"{"scores":{}}"#, "#/scores must be an array, not an object"),
        (r#"{"scores":[]}"#, "#/scores must have 1 to 1000 submissions"),
        (r#"{"scores":null}"#, "#/scores must be an array, not null"),
        (r#"{"scores":[1]}"#, "#/scores/0 must be an object, not a number"),
        (
            r#"{"scores":[{"player":"p","score":1},null]}"#,
            "#/scores/1 must be an object, not null",
        ),
        (
            r#"{"scores":[{"player":"p","score":1,"scores":[]}]}"#,
            "#/scores/0/scores is not a field of this object; did you mean score?",
        ),
    ] {
        assert_eq!(find_errors(body, path)[0], expected, "{body}");
    }
}

#[test]
fn a_score_is_a_64_bit_integer() {
    let board = create_leaderboard_id();
    let huge = "9".repeat(400);
    for score in [
        "1.0",
        "-0.0",
        "-9223372036854775809",
        &huge,
        "true",
        "[1]",
        "{}",
        r#""""#,
        r#""abc""#,
        r#""1.5""#,
        r#"" 1""#,
        r#""01""#,
        r#""+1""#,
        r#""1e3""#,
        r#""0x10""#,
        r#""٣""#,
        r#""9223372036854775808""#,
        r#""-9223372036854775809""#,
    ] {
        let body = format!(r#"{{"player":"p","score":{score}}}"#);
        let errors = find_errors(&body, SubmissionTarget::Path(&board));
        assert!(errors[0].starts_with("#/score must be an integer"), "{errors:?}");
    }
}

#[test]
fn the_size_limit_of_metadata_ignores_white_space() {
    let body = |text: usize| {
        format!(
            r#"{{"player":"p","score":1,"metadata":{{  "a" : "{}" }}}}"#,
            "x".repeat(text)
        )
    };
    assert_eq!(
        parse_one(&body(1016)).metadata.unwrap().as_json_text().len(),
        1024
    );
    let board = create_leaderboard_id();
    assert_eq!(
        find_errors(&body(1017), SubmissionTarget::Path(&board)),
        ["#/metadata must be at most 1024 bytes as compact JSON"]
    );
}

#[test]
fn a_submission_to_several_leaderboards_names_the_leaderboards() {
    let create_body = |list: &str| format!(r#"{{"player":"p","score":1,"leaderboards":{list}}}"#);
    let found = scores(
        create_body(r#"["a","b"]"#).as_bytes(),
        SubmissionTarget::Body,
        Sender::Server,
    )
    .unwrap();
    assert_eq!(found.items[0].submission.leaderboards.len(), 2);
    let seventeen: Vec<_> = (0..17).map(|n| format!("\"b{n}\"")).collect();
    for (body, expected) in [
        (
            create_body(&format!("[{}]", seventeen.join(","))),
            "#/leaderboards must name 1 to 16 leaderboards",
        ),
        (
            create_body(r#"["b",""]"#),
            "#/leaderboards/1 must match [a-z0-9][a-z0-9._-]{0,63}",
        ),
        (
            create_body(r#"["b",7]"#),
            "#/leaderboards/1 must be a string, not a number",
        ),
        (
            r#"{"player":"p","score":1}"#.to_owned(),
            "#/leaderboards is required",
        ),
        (
            r#"{"player":"p","score":1,"leaderboards":["a"],"leaderboard":"a"}"#.to_owned(),
            "#/leaderboard is not a field of this object; did you mean leaderboards?",
        ),
        (create_body("[]"), "#/leaderboards must name 1 to 16 leaderboards"),
        (
            create_body(r#""a""#),
            "#/leaderboards must be an array, not a string",
        ),
        (create_body(r#"["a","b","a"]"#), "#/leaderboards/2 is named twice"),
        (
            create_body(r#"["A"]"#),
            "#/leaderboards/0 must match [a-z0-9][a-z0-9._-]{0,63}",
        ),
    ] {
        assert_eq!(find_errors(&body, SubmissionTarget::Body), [expected], "{body}");
    }
}

#[test]
fn a_batch_is_read_completely_and_its_reported_errors_are_limited() {
    let board = create_leaderboard_id();
    let batch = |items: usize, item: &str| format!(r#"{{"scores":[{}]}}"#, vec![item; items].join(","));
    let good = scores(
        batch(MAX_BATCH, r#"{"player":"p","score":1}"#).as_bytes(),
        SubmissionTarget::Path(&board),
        Sender::Server,
    )
    .unwrap();
    assert!(good.batch);
    assert_eq!(good.items[999].place.item, "#/scores/999");
    assert_eq!(
        find_errors(
            &batch(MAX_BATCH + 1, r#"{"player":"p","score":1}"#),
            SubmissionTarget::Path(&board)
        ),
        ["#/scores must have 1 to 1000 submissions"]
    );
    let listed = find_errors(
        &batch(MAX_BATCH, r#"{"player":"p","score":1.5}"#),
        SubmissionTarget::Path(&board),
    );
    assert_eq!(listed.len(), crate::problem::MAX_FIELD_ERRORS);
    assert_eq!(
        listed[3],
        "#/scores/3/score must be an integer, without fraction and exponent"
    );
}
