//! Tests of the import and the export of unusual CSV files.

use serde_json::{Value, json};

use crate::run::{CommandResult, TestDirectory};
use crate::server::{MockAnswer, MockServer, accept_submission, answer_submissions, read_submissions};

/// Starts a server that accepts every submission.
fn start_accepting_server() -> MockServer {
    MockServer::start(|request| answer_submissions(request, accept_submission))
}

/// Writes `content` to a file, and imports it with the further arguments `more`.
fn run_import(directory: &TestDirectory, server: &MockServer, content: &str, more: &[&str]) -> CommandResult {
    let file = directory.write("rows.csv", content);
    let base = ["import", file.to_str().unwrap(), "--leaderboard", "l", "--json"];
    directory.run(&server.address(), &[&base[..], more].concat())
}

/// The options that map a row of a file with the columns player and points.
const MAPPING: [&str; 4] = ["--player", "{player}", "--value", "score={points}"];

/// Returns the player and the score of each submission since the last call.
fn take_sent_rows(server: &MockServer) -> Vec<(String, Value)> {
    server
        .take_requests()
        .iter()
        .flat_map(read_submissions)
        .map(|row| (row["player"].as_str().unwrap().to_owned(), row["score"].clone()))
        .collect()
}

#[test]
fn a_refused_row_is_reported_with_its_line_in_an_editor() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|request| {
        answer_submissions(request, |row| match row["player"].as_str() {
            Some("bob") => json!({"status_code": 422, "problem": {"title": "No"}}),
            _ => accept_submission(row),
        })
    });
    let run = run_import(
        &directory,
        &server,
        "player,points\r\nann,1\r\n\r\nbob,2\r\n",
        &MAPPING,
    );
    assert!(run.err.contains("line 4: refused"), "{}", run.err);
}

#[test]
fn a_column_name_without_braces_is_refused_before_rows_are_sent() {
    let directory = TestDirectory::new();
    let server = start_accepting_server();
    let wrong = ["--player", "player", "--value", "score={points}"];
    let run = run_import(&directory, &server, "player,points\nann,1\n", &wrong);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("write `{player}`"), "{}", run.err);
    assert!(server.take_requests().is_empty());
}

#[test]
fn standard_input_is_imported_like_a_file() {
    let directory = TestDirectory::new();
    let server = start_accepting_server();
    let args = [&["import", "-", "--leaderboard", "l"][..], &MAPPING].concat();
    let input = "player,points\nann,1\nbob,x\n";
    let first = directory.run_with_input(&server.address(), &args, input);
    assert_eq!(first.code, 1);
    assert!(first.err.contains("line 3: score: `x`"), "{}", first.err);
    assert_eq!(take_sent_rows(&server), [("ann".to_owned(), json!(1))]);
    let again = directory.run_with_input(&server.address(), &args, input);
    assert!(again.out.contains("by an earlier run"), "{}", again.out);
    let empty = directory.run_with_input(&server.address(), &args, "");
    assert_eq!(empty.code, 5);
    assert!(empty.err.contains("standard input: is empty"), "{}", empty.err);
}

#[test]
fn a_file_without_rows_is_reported() {
    let directory = TestDirectory::new();
    let server = start_accepting_server();
    let empty = run_import(&directory, &server, "", &MAPPING);
    assert_eq!(empty.code, 5);
    assert!(
        empty
            .err
            .contains("rows.csv: is empty; the first line must name the columns"),
        "{}",
        empty.err
    );
    let header = run_import(&directory, &server, "player,points\n", &MAPPING);
    assert_eq!(header.code, 0, "{}", header.err);
    assert!(header.err.contains("a header and no rows"), "{}", header.err);
}

#[test]
fn options_trim_cells_and_remove_thousands_separators() {
    let directory = TestDirectory::new();
    let server = start_accepting_server();
    let content = "player ; points\n ann ; 1.234.567 \nbob;-5\n";
    let form = ["--delimiter", ";"];
    let exact = run_import(
        &directory,
        &server,
        content,
        &[
            &form[..],
            &["--player", "{player }", "--value", "score={ points}"],
        ]
        .concat(),
    );
    assert_eq!(exact.code, 1, "{}", exact.err);
    assert_eq!(take_sent_rows(&server), [("bob".to_owned(), json!(-5))]);
    let asked = ["--trim", "--thousands-separator", "."];
    let run = run_import(
        &directory,
        &server,
        content,
        &[&form[..], &MAPPING, &asked].concat(),
    );
    assert_eq!(run.code, 0, "{}", run.err);
    let mut rows = take_sent_rows(&server);
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        rows,
        [
            ("ann".to_owned(), json!(1_234_567)),
            ("bob".to_owned(), json!(-5))
        ]
    );
}

#[test]
fn imports_for_two_tenants_have_separate_checkpoints() {
    let directory = TestDirectory::new();
    let server = start_accepting_server();
    for tenant in ["one", "two"] {
        let more = [&MAPPING[..], &["--tenant", tenant]].concat();
        let run = run_import(&directory, &server, "player,points\nann,1\n", &more);
        assert_eq!(run.json()["imported"], 1, "{}", run.err);
        assert_eq!(server.take_requests()[0].headers["x-tenant-id"], tenant);
    }
}

#[test]
fn players_like_formulas_are_escaped_by_export_and_restored_by_import() {
    let directory = TestDirectory::new();
    let players = [
        "=HYPERLINK(\"http://x\")",
        "+49",
        "-1",
        "@a",
        "'=b",
        "'c",
        "José, (Uruguay)",
    ];
    let entries: Vec<Value> = players
        .iter()
        .zip(1..)
        .map(|(player, rank)| json!({"rank": rank, "player": player, "values": {"score": -rank}, "metadata": -1}))
        .collect();
    let server = MockServer::start(move |request| match request.line.split_once(' ').unwrap().0 {
        "POST" => answer_submissions(request, accept_submission),
        _ => MockAnswer::Json(
            200,
            "",
            json!({"leaderboard": "l", "period": "all", "entries": entries, "next": null, "drifted": false}),
        ),
    });
    let file = directory.path("out.csv");
    let export = directory.run(
        &server.address(),
        &["export", "l", "--output", file.to_str().unwrap()],
    );
    assert_eq!(export.code, 0, "{}", export.err);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("\n3,'-1,-3,'-1,"),
        "a number gets no apostrophe: {text}"
    );
    assert!(!text.contains(",=") && !text.contains(",\"="), "{text}");
    server.take_requests();
    let mapping = [
        "--player",
        "{player}",
        "--value",
        "score={score}",
        "--concurrency",
        "1",
    ];
    let run = run_import(&directory, &server, &text, &mapping);
    assert_eq!(run.code, 0, "{}", run.err);
    let expected: Vec<(String, Value)> = players
        .iter()
        .zip(1..)
        .map(|(player, rank)| ((*player).to_owned(), json!(-rank)))
        .collect();
    assert_eq!(take_sent_rows(&server), expected);
}
