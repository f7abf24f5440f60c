//! Tests the requests and the output of `submit`, `top`, `rank`, `around` and `export`.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::run::TestDirectory;
use crate::server::{MockAnswer, MockServer, RecordedRequest, create_problem};

/// Creates a page with the entries of `ranks`, and with the cursor `next`.
fn create_page(ranks: std::ops::Range<u32>, next: Option<&str>, drifted: bool) -> Value {
    let entry = |rank: u32| json!({"rank": rank, "player": format!("p{rank}"), "values": {"score": "9007199254740993"}, "metadata": {}});
    let entries: Vec<Value> = ranks.map(entry).collect();
    json!({"leaderboard": "l", "period": {"id": "2014", "starts_at": null, "ends_at": null}, "version": 3, "count": 4,
        "entries": entries, "next": next, "previous": null, "drifted": drifted})
}

/// Returns the method, path and query of each request.
fn list_lines(requests: &[RecordedRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.line.as_str()).collect()
}

#[test]
fn an_export_reads_all_pages_of_one_period_and_restarts_after_a_change() {
    let directory = TestDirectory::new();
    let seen = AtomicUsize::new(0);
    let server = MockServer::start(move |request| {
        let nth = seen.fetch_add(1, Ordering::SeqCst);
        match (nth, request.line.contains("cursor=")) {
            (3, _) => MockAnswer::Json(410, "", create_problem(410, "The cursor is out of date", "")),
            (_, true) => MockAnswer::Json(200, "", create_page(3..5, None, nth == 1)),
            (_, false) => MockAnswer::Json(200, "", create_page(1..3, Some("c/1"), false)),
        }
    });
    let file = directory.path("out.csv");
    let run = directory.run(
        &server.address(),
        &["export", "l", "--output", file.to_str().unwrap()],
    );
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("starting again (2 of 5)"), "{}", run.err);
    let first = "GET /api/v1/leaderboards/l/entries?limit=1000";
    let second = "GET /api/v1/leaderboards/l/entries?period=2014&limit=1000&cursor=c%2F1";
    assert_eq!(
        list_lines(&server.take_requests()),
        [first, second, first, second, first, second]
    );
    let text = fs::read_to_string(&file).unwrap();
    let ranks: Vec<&str> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(ranks, ["1", "2", "3", "4"]);
    assert!(
        text.starts_with("rank,player,score,metadata,reached_at\n1,p1,9007199254740993,{},\n"),
        "{text}"
    );
}

#[test]
fn an_export_of_a_changing_leaderboard_fails_unless_drift_is_allowed() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|request| {
        let body = if request.line.contains("cursor=") {
            create_page(3..5, None, true)
        } else {
            create_page(1..3, Some("c"), false)
        };
        MockAnswer::Json(200, "", body)
    });
    let refused = directory.run(
        &server.address(),
        &["export", "l", "--format", "jsonl", "--restarts", "1"],
    );
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    let allowed = directory.run(
        &server.address(),
        &["export", "l", "--format", "jsonl", "--allow-drift"],
    );
    assert_eq!((allowed.code, allowed.out.lines().count()), (0, 4));
    assert!(allowed.err.contains("warning: l changed"), "{}", allowed.err);
}

#[test]
fn the_default_output_is_a_table_and_json_is_the_response_itself() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|_request| MockAnswer::Json(200, "", create_page(1..3, None, false)));
    let args = [
        "around",
        "l",
        "José/ (Uruguay)",
        "--limit",
        "2",
        "--period",
        "previous",
    ];
    let table = directory.run(&server.address(), &args);
    assert!(
        table.out.contains("9007199254740993") && table.out.contains("period 2014"),
        "{}",
        table.out
    );
    let expected =
        "GET /api/v1/leaderboards/l/entries/Jos%C3%A9%2F%20(Uruguay)/around?period=previous&limit=2";
    assert_eq!(list_lines(&server.take_requests()), [expected]);
    let json = directory.run(&server.address(), &["top", "l", "--json"]);
    assert_eq!(json.json(), create_page(1..3, None, false));
}

#[test]
fn a_refusal_is_one_message_and_each_failure_has_its_exit_code() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|_request| {
        MockAnswer::Json(404, "", create_problem(404, "No such entry", "#/player"))
    });
    let text = directory.run(&server.address(), &["rank", "l", "nobody"]);
    assert_eq!(text.code, 3);
    let expected =
        "edgeboard: the server refused: 404 No such entry\n  #/player: not like this\n  trace id: trace-1\n";
    assert_eq!(text.err, expected);
    let json = directory.run(&server.address(), &["rank", "l", "nobody", "--json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&json.err).unwrap()["title"],
        "No such entry"
    );
    assert_eq!(
        directory
            .run("http://127.0.0.1:1", &["top", "l", "--retries", "0"])
            .code,
        4
    );
    assert_eq!(
        directory
            .run(&server.address(), &["top", "l", "--limit", "0"])
            .code,
        2
    );
}

#[test]
fn a_retried_submission_keeps_its_id_and_exact_numbers() {
    let directory = TestDirectory::new();
    let seen = AtomicUsize::new(0);
    let server = MockServer::start(move |_request| match seen.fetch_add(1, Ordering::SeqCst) {
        0 => MockAnswer::Close,
        _ => MockAnswer::Json(
            200,
            "",
            json!({"leaderboard": "l", "period": "all", "player": "p", "status": "improved",
            "values": {"score": "-9223372036854775808"}, "rank": 1, "previous": {"values": {"score": 0}, "rank": 7}, "version": 2}),
        ),
    });
    let args = [
        "submit",
        "l",
        "--player",
        "p",
        "--score",
        "-9223372036854775808",
        "--occurred-at",
        "1916-07-02",
    ];
    let run = directory.run(&server.address(), &args);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out.contains("improved  -9223372036854775808     1       7"),
        "{}",
        run.out
    );
    let requests = server.take_requests();
    assert_eq!(list_lines(&requests), ["POST /api/v1/leaderboards/l/scores"; 2]);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].body["score"], "-9223372036854775808");
    assert_eq!(requests[0].body["occurred_at"], "1916-07-02T00:00:00Z");
    assert_eq!(requests[0].body["id"].as_str().unwrap().len(), 32);
}
