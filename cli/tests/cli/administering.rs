//! Tests the requests and the output of the administrative commands.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::run::{CommandResult, TestDirectory};
use crate::server::{MockAnswer, MockServer, create_problem};

/// Runs the program with the words of `line` as its arguments.
fn run_line(directory: &TestDirectory, server: &MockServer, line: &str) -> CommandResult {
    let args: Vec<&str> = line.split(' ').collect();
    directory.run(&server.address(), &args)
}

/// Runs each command line, and checks the one request that it makes: its method, path and body.
fn check_requests(cases: &[(&str, &str, Value)]) {
    let directory = TestDirectory::new();
    let server = MockServer::start(|request| match request.line.split_once(' ').unwrap().0 {
        "DELETE" => MockAnswer::Json(204, "", Value::Null),
        _ => MockAnswer::Json(200, "", json!({"id": "x", "keys": [], "records": []})),
    });
    directory.write("flags.json", r#"{"flags": {}}"#);
    for (line, expected, body) in cases {
        let result = run_line(&directory, &server, line);
        assert_eq!(result.code, 0, "{line}: {}", result.err);
        let [request] = &server.take_requests()[..] else {
            panic!("{line}: not one request")
        };
        let (method, path) = expected.split_once(' ').unwrap();
        assert_eq!(request.line, format!("{method} /api/v1{path}"), "{line}");
        assert_eq!(request.body, *body, "{line}");
    }
}

#[test]
fn commands_about_leaderboards_and_scores_make_their_requests() {
    check_requests(&[
        ("leaderboards get race", "GET /leaderboards/race", Value::Null),
        (
            "leaderboards put race --column ms:asc --rebuild",
            "PUT /leaderboards/race?rebuild=true",
            json!({"columns": [{"name": "ms", "order": "asc"}]}),
        ),
        (
            "leaderboards patch race --set ends_at=null",
            "PATCH /leaderboards/race",
            json!({"ends_at": null}),
        ),
        (
            "leaderboards delete race",
            "DELETE /leaderboards/race",
            Value::Null,
        ),
        (
            "scores delete race José/ --period 2026-11-09",
            "DELETE /leaderboards/race/scores/Jos%C3%A9%2F?period=2026-11-09",
            Value::Null,
        ),
    ]);
}

#[test]
fn commands_about_players_access_and_tenants_make_their_requests() {
    check_requests(&[
        ("bans put ann", "PUT /players/ann/ban", Value::Null),
        (
            "bans put ann --reason cheats --expires-at 2027-01-01",
            "PUT /players/ann/ban",
            json!({"reason": "cheats", "expires_at": "2027-01-01T00:00:00Z"}),
        ),
        ("bans delete ann", "DELETE /players/ann/ban", Value::Null),
        ("keys list --limit 7", "GET /keys?limit=7", Value::Null),
        (
            "keys revoke 3f2504e04f8911d3",
            "DELETE /keys/3f2504e04f8911d3",
            Value::Null,
        ),
        ("flags put -f flags.json", "PUT /flags", json!({"flags": {}})),
        (
            "flags put --operator -f flags.json",
            "PUT /operator/flags",
            json!({"flags": {}}),
        ),
        (
            "limits put --set policies.player.quota=5",
            "PUT /limits",
            json!({"policies": {"player": {"quota": 5}}}),
        ),
        ("tenants get", "GET /tenant", Value::Null),
        ("tenants get acme", "GET /tenants/acme", Value::Null),
        (
            "tenants patch acme --state suspended --max-entries 5",
            "PATCH /tenants/acme",
            json!({"state": "suspended", "quotas": {"entries": 5}}),
        ),
        ("usage get --days 3", "GET /tenant/usage?days=3", Value::Null),
        ("usage get acme", "GET /tenants/acme/usage", Value::Null),
        (
            "audit list --operator --cursor 17",
            "GET /operator/audit?limit=100&before=17",
            Value::Null,
        ),
    ]);
}

#[test]
fn standard_output_gets_only_the_secret() {
    let directory = TestDirectory::new();
    let key = json!({"id": "3f2504e04f8911d3", "name": "server", "key": "eb_default_3f_secret"});
    let answer = key.clone();
    let server = MockServer::start(move |_request| MockAnswer::Json(201, "", answer.clone()));
    let line = "keys create --name server --scopes scores:write,scores:read --expires-at 2030-01-01";
    let text = run_line(&directory, &server, line);
    assert_eq!((text.code, text.out.as_str()), (0, "eb_default_3f_secret\n"));
    assert!(
        text.err.contains("3f2504e04f8911d3") && !text.err.contains("secret"),
        "{}",
        text.err
    );
    let request = server.take_requests().remove(0);
    assert_eq!(
        request.body,
        json!({"name": "server", "scopes": ["scores:write", "scores:read"], "expires_at": "2030-01-01T00:00:00Z"})
    );
    let json = run_line(&directory, &server, &format!("{line} --json"));
    assert_eq!((json.json(), json.err.as_str()), (key, ""));
}

#[test]
fn a_retry_of_a_lost_key_keeps_its_idempotency_key_and_offers_rotation() {
    let directory = TestDirectory::new();
    let used_keys: Mutex<Vec<String>> = Mutex::default();
    let seen = AtomicUsize::new(0);
    // Like the service, this server refuses a used idempotency key, and does not show the secret again.
    let server = MockServer::start(move |request| {
        let (is_lost, idempotency_key) = (
            seen.fetch_add(1, Ordering::SeqCst) == 0,
            request.headers["idempotency-key"].clone(),
        );
        let mut used_keys = used_keys.lock().unwrap();
        if used_keys.contains(&idempotency_key) {
            let detail = "The key 3f2504e04f8911d3 was made at 2026-11-21T10:00:00.000Z by a request with this \
                          Idempotency-Key, and its secret was shown then. Rotate it for another secret, with another \
                          Idempotency-Key.";
            let errors = json!([{"header": "Idempotency-Key", "detail": "was used before"}]);
            let body = json!({"type": "/problems/already-done", "title": "This was done already", "status": 409,
                "detail": detail, "instance": "trace-1", "errors": errors});
            return MockAnswer::Json(409, "", body);
        }
        used_keys.push(idempotency_key);
        if is_lost {
            MockAnswer::Close
        } else {
            MockAnswer::Json(201, "", json!({"key": "eb_secret"}))
        }
    });
    let line = "keys create --name server --scopes admin";
    let lost = run_line(&directory, &server, line);
    assert_eq!((lost.code, lost.out.as_str()), (3, ""), "{}", lost.err);
    for expected in [
        "the server refused: 409 This was done already: The key 3f2504e04f8911d3 was made at",
        "\n  edgeboard keys rotate 3f2504e04f8911d3 --overlap-s 0\n",
    ] {
        assert!(lost.err.contains(expected), "{}", lost.err);
    }
    assert_eq!(run_line(&directory, &server, line).code, 0);
    let sent: Vec<String> = server
        .take_requests()
        .iter()
        .map(|request| request.headers["idempotency-key"].clone())
        .collect();
    let [first, retry, second_run] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert!(first == retry && retry != second_run, "{sent:?}");
    assert!(
        first.starts_with('"') && first.ends_with('"') && first.len() == 34,
        "{first}"
    );
}

#[test]
fn a_list_is_read_page_by_page_up_to_its_limit() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|request| {
        let first: u64 = request
            .line
            .split_once("before=")
            .map_or(3000, |(_, before)| before.parse().unwrap());
        let limit: u64 = request.line.split(['=', '&']).nth(1).unwrap().parse().unwrap();
        let records: Vec<Value> = (0..limit.min(first))
            .map(|back| json!({"position": first - back, "at": "2026-11-21T10:00:00.000Z", "event": {"type": "act"}}))
            .collect();
        let next = first - records.len() as u64;
        MockAnswer::Json(
            200,
            "",
            json!({"records": records, "next": if next == 0 { Value::Null } else { json!(next) }}),
        )
    });
    let some = run_line(&directory, &server, "audit list --limit 2 --json");
    assert_eq!(some.json()["records"][1]["position"], 2999);
    assert!(some.err.contains("--cursor 2998 continues"), "{}", some.err);
    assert_eq!(server.take_requests().len(), 1);
    let many = run_line(&directory, &server, "audit list --limit 2500 --json");
    assert_eq!(many.json()["records"].as_array().unwrap().len(), 2500);
    let lines: Vec<String> = server
        .take_requests()
        .into_iter()
        .map(|request| request.line)
        .collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/audit?limit=1000",
            "GET /api/v1/audit?limit=1000&before=2000",
            "GET /api/v1/audit?limit=500&before=1000"
        ]
    );
    let all = run_line(&directory, &server, "audit list --cursor 3 --limit 9");
    assert_eq!(all.out.lines().count(), 2 + 3, "{}", all.out);
    assert_eq!(
        all.err, "",
        "the list is complete, so the command prints no cursor"
    );
}

#[test]
fn a_change_can_be_conditional_on_an_etag() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|request| {
        if request
            .headers
            .get("if-match")
            .is_some_and(|etag| etag == "\"1\"")
        {
            return MockAnswer::Json(412, "", create_problem(412, "It has changed", ""));
        }
        MockAnswer::Json(200, "etag: \"17\"\r\n", json!({"id": "race", "title": "Race"}))
    });
    let shown = run_line(&directory, &server, "leaderboards get race");
    assert!(shown.out.contains("(etag)  \"17\""), "{}", shown.out);
    let changed = run_line(
        &directory,
        &server,
        "leaderboards patch race --title R --if-match 17",
    );
    assert_eq!(changed.code, 0, "{}", changed.err);
    let sent = server.take_requests().remove(1);
    assert_eq!(
        sent.headers["if-match"], "\"17\"",
        "the command adds the quotation marks that a shell removes"
    );
    let refused = run_line(
        &directory,
        &server,
        "leaderboards patch race --title R --if-match \"1\"",
    );
    assert_eq!(refused.code, 3, "{}", refused.err);
    server.take_requests();
    run_line(&directory, &server, "leaderboards put race --only-new");
    assert_eq!(server.take_requests()[0].headers["if-none-match"], "*");
}

#[test]
fn the_message_about_a_deletion_goes_only_to_standard_error() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|_request| MockAnswer::Json(204, "", Value::Null));
    let run = run_line(&directory, &server, "leaderboards delete race --json");
    assert_eq!(
        (run.code, run.out.as_str(), run.err.as_str()),
        (0, "", "edgeboard: race deleted\n")
    );
}
