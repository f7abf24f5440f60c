//! Tests the requests and the output of `import`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use serde_json::{Value, json};

use crate::run::{TestDirectory, sample_path};
use crate::server::{
    MockAnswer, MockServer, RecordedRequest, accept_submission, answer_submissions, create_problem,
    read_submissions,
};

/// Creates a file with 40 rows: five players with eight rows each.
fn create_csv() -> String {
    (0..40).fold("player,points\n".to_owned(), |text, row| {
        text + &format!("p{},{row}\n", row % 5)
    })
}

/// The options that map a row of the file.
const MAPPING: [&str; 6] = [
    "--leaderboard",
    "l",
    "--player",
    "{player}",
    "--value",
    "score={points}",
];

fn build_arguments(directory: &TestDirectory, more: &[&str]) -> Vec<String> {
    let file = directory.write("rows.csv", &create_csv());
    let base = ["import", file.to_str().unwrap(), "--batch", "4", "--json"];
    base.iter()
        .chain(&MAPPING)
        .chain(more)
        .map(|text| (*text).to_owned())
        .collect()
}

/// Runs the import of the file with the further arguments `more`.
fn run_import(directory: &TestDirectory, server: &MockServer, more: &[&str]) -> crate::run::CommandResult {
    let args = build_arguments(directory, more);
    directory.run(
        &server.address(),
        &args.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

/// Returns the submissions of all `POST` requests.
fn collect_posted(requests: &[RecordedRequest]) -> Vec<Value> {
    requests
        .iter()
        .filter(|request| request.line.starts_with("POST"))
        .flat_map(read_submissions)
        .collect()
}

/// Returns the scores of the submissions in ascending order.
fn collect_scores(submissions: &[Value]) -> Vec<i64> {
    let mut scores: Vec<i64> = submissions
        .iter()
        .map(|submission| submission["score"].as_i64().unwrap())
        .collect();
    scores.sort_unstable();
    scores
}

#[test]
fn every_goal_of_the_sample_is_sent_once_and_a_second_run_sends_nothing() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|request| match request.line.split_once(' ').unwrap() {
        ("PUT", _path) => MockAnswer::Json(201, "", json!({})),
        ("POST", _path) => answer_submissions(request, accept_submission),
        _ => MockAnswer::Json(200, "", json!({})),
    });
    let (file, config) = (sample_path("goalscorers.csv"), sample_path("goalscorers.toml"));
    let run = |more: &[&str]| {
        let args = [
            "import",
            file.to_str().unwrap(),
            "--config",
            config.to_str().unwrap(),
        ];
        let result = directory.run(&server.address(), &[&args[..], more].concat());
        assert_eq!(result.code, 0, "{}", result.err);
        result.out
    };
    let first = run(&[]);
    let begin = "46,934 rows imported into goals, goals-by-year in ";
    assert!(first.starts_with(begin), "{first}");
    let skipped = "\n936 rows skipped: own_goal=TRUE\n44 rows skipped: scorer=NA\n";
    assert!(first.contains(skipped), "{first}");
    assert!(server.connections() < 20, "the requests share connections");
    let requests = server.take_requests();
    check_sample_requests(&requests);
    let ids = check_sample_goals(&collect_posted(&requests));

    let second = run(&[]);
    assert!(second.contains("by an earlier run: nothing sent"), "{second}");
    assert!(collect_posted(&server.take_requests()).is_empty());

    run(&["--again"]);
    let resent = collect_posted(&server.take_requests());
    let resent_ids: BTreeSet<String> = resent.iter().map(|goal| goal["id"].to_string()).collect();
    assert_eq!(resent_ids, ids, "the second import sends the same ids");
}

/// Checks the paths, headers and configurations of the requests of the sample.
fn check_sample_requests(requests: &[RecordedRequest]) {
    let created: Vec<(&str, &Value)> = requests
        .iter()
        .filter(|request| request.line.starts_with("PUT"))
        .map(|request| (request.line.as_str(), &request.body))
        .collect();
    assert_eq!(created[0].0, "PUT /api/v1/leaderboards/goals");
    let yearly = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
    assert_eq!(created[1].1["reset"], yearly);
    for request in requests {
        assert_eq!(request.headers["x-api-key"], "the-key");
        if request.line.starts_with("POST") {
            assert_eq!(request.line, "POST /api/v1/scores");
            assert_eq!(request.headers["prefer"], "return=minimal");
        }
    }
}

/// Checks the submissions of the sample, and returns their ids.
fn check_sample_goals(goals: &[Value]) -> BTreeSet<String> {
    let players: BTreeSet<&str> = goals
        .iter()
        .map(|goal| goal["player"].as_str().unwrap())
        .collect();
    assert_eq!((goals.len(), players.len()), (46_934, 14_900));
    for goal in goals {
        assert_eq!(goal["score"], 1);
        assert_eq!(goal["leaderboards"], json!(["goals", "goals-by-year"]));
    }
    let ids: BTreeSet<String> = goals.iter().map(|goal| goal["id"].to_string()).collect();
    assert_eq!(ids.len(), goals.len());
    ids
}

#[test]
fn a_killed_import_continues_with_exactly_the_remaining_rows() {
    let directory = TestDirectory::new();
    let checkpoint = directory.path("checkpoint");
    let answered = Arc::new(Mutex::new(Vec::new()));
    let hanging = Arc::new(AtomicBool::new(true));
    let server = {
        let (answered, hanging) = (Arc::clone(&answered), Arc::clone(&hanging));
        MockServer::start(move |request| {
            let mut answered = answered.lock().unwrap();
            if answered.len() >= 16 && hanging.load(Ordering::SeqCst) {
                drop(answered);
                return MockAnswer::Hang;
            }
            answered.extend(read_submissions(request));
            answer_submissions(request, accept_submission)
        })
    };
    let more = ["--checkpoint", checkpoint.to_str().unwrap(), "--concurrency", "2"];
    let args = build_arguments(&directory, &more);
    let mut child = directory.spawn(
        &server.address(),
        &args.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    // Wait until the checkpoint has a line for the header and for each of the four answered batches.
    while fs::read_to_string(&checkpoint).map_or(0, |text| text.lines().count()) < 5 {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the import must not end by itself"
        );
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = collect_scores(&answered.lock().unwrap());
    assert_eq!(before.len(), 16);
    hanging.store(false, Ordering::SeqCst);

    // The server may still read a request of the killed process, so another key marks the second run.
    let resumed = run_import(&directory, &server, &[&more[..], &["--key", "second"]].concat());
    assert_eq!(resumed.code, 0, "{}", resumed.err);
    let imported = (&resumed.json()["imported"], &resumed.json()["imported_before"]);
    assert_eq!(imported, (&json!(24), &json!(16)));
    let mut requests = server.take_requests();
    requests.retain(|request| request.headers["x-api-key"] == "second");
    let after = collect_scores(&collect_posted(&requests));
    let mut all = [before, after].concat();
    all.sort_unstable();
    assert_eq!(
        all,
        (0..40).collect::<Vec<i64>>(),
        "the server accepted every row once"
    );
}

#[test]
fn the_rows_of_a_player_stay_in_order_at_any_concurrency() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|request| answer_submissions(request, accept_submission));
    assert_eq!(run_import(&directory, &server, &["--concurrency", "8"]).code, 0);
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for submission in collect_posted(&server.take_requests()) {
        let score = submission["score"].as_i64().unwrap();
        let before = last.insert(submission["player"].to_string(), score);
        assert!(before.is_none_or(|before| before < score));
    }
}

#[test]
fn temporary_errors_are_retried() {
    let directory = TestDirectory::new();
    let seen = AtomicUsize::new(0);
    let server = MockServer::start(move |request| match seen.fetch_add(1, Ordering::SeqCst) {
        0 => MockAnswer::Json(
            503,
            "retry-after: 0\r\n",
            create_problem(503, "Store out of reach", ""),
        ),
        1 => MockAnswer::Close,
        2 => MockAnswer::Json(429, "retry-after: 0\r\n", json!({})),
        // One row of the batch gets a transient error.
        3 => answer_submissions(request, |submission| match submission["score"].as_i64() {
            Some(1) => json!({"status_code": 503, "problem": create_problem(503, "Busy", "")}),
            _ => accept_submission(submission),
        }),
        _ => answer_submissions(request, accept_submission),
    });
    let run = run_import(&directory, &server, &["--concurrency", "1"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.json()["imported"], 40);
    let requests = server.take_requests();
    let sent: Vec<Vec<i64>> = requests
        .iter()
        .take(6)
        .map(|request| collect_scores(&read_submissions(request)))
        .collect();
    assert_eq!(
        sent,
        [
            vec![0, 1, 2, 3],
            vec![0, 1, 2, 3],
            vec![0, 1, 2, 3],
            vec![0, 1, 2, 3],
            vec![1],
            vec![4, 5, 6, 7]
        ]
    );
    assert!(
        run.err.contains("503 Store out of reach") && run.err.contains("trying again in"),
        "{}",
        run.err
    );
}

#[test]
fn refused_rows_are_reported_and_only_these_rows_are_sent_again() {
    let directory = TestDirectory::new();
    let strict = Arc::new(AtomicBool::new(true));
    let refuses = Arc::clone(&strict);
    let server = MockServer::start(move |request| {
        let malformed = read_submissions(request)
            .iter()
            .position(|submission| submission["score"] == 9);
        match malformed.filter(|_position| refuses.load(Ordering::SeqCst)) {
            Some(position) => MockAnswer::Json(
                422,
                "",
                create_problem(422, "Invalid", &format!("#/scores/{position}/score")),
            ),
            None => answer_submissions(request, |submission| match submission["score"].as_i64() {
                Some(20) if refuses.load(Ordering::SeqCst) => {
                    json!({"status_code": 422, "problem": create_problem(422, "Invalid", "#/score")})
                }
                _ => accept_submission(submission),
            }),
        }
    });
    let first = run_import(&directory, &server, &[]);
    assert_eq!(first.code, 1, "{}", first.err);
    assert_eq!(
        (&first.json()["imported"], &first.json()["refused"]),
        (&json!(38), &json!(2))
    );
    for line in [
        "line 11: refused: 422 Invalid: #/score: not like this",
        "line 22: refused: 422 Invalid",
    ] {
        assert!(first.err.contains(line), "{}", first.err);
    }
    server.take_requests();
    strict.store(false, Ordering::SeqCst);
    let second = run_import(&directory, &server, &[]);
    assert_eq!(second.code, 0, "{}", second.err);
    assert_eq!(collect_scores(&collect_posted(&server.take_requests())), [9, 20]);

    strict.store(true, Ordering::SeqCst);
    let stopped = run_import(
        &directory,
        &server,
        &["--again", "--stop-on-error", "--concurrency", "1"],
    );
    assert_eq!(stopped.code, 1, "{}", stopped.err);
    assert_eq!(stopped.json()["not_sent"], 40 - 12);
}

#[test]
fn all_rows_are_sent_again_only_if_all_leaderboards_are_missing() {
    let directory = TestDirectory::new();
    let gone = Arc::new(Mutex::new(BTreeSet::new()));
    let missing = Arc::clone(&gone);
    let server = MockServer::start(move |request| match request.line.rsplit_once('/').unwrap() {
        ("GET /api/v1/leaderboards", id) if missing.lock().unwrap().contains(id) => {
            MockAnswer::Json(404, "", json!({}))
        }
        ("GET /api/v1/leaderboards", _id) => MockAnswer::Json(200, "", json!({})),
        _ => answer_submissions(request, accept_submission),
    });
    let more = ["--leaderboard", "other"];
    assert_eq!(run_import(&directory, &server, &more).json()["imported"], 40);
    gone.lock().unwrap().insert("l".to_owned());
    let half = run_import(&directory, &server, &more);
    assert_eq!(half.code, 2, "{}", half.err);
    assert!(
        half.err
            .contains("l is missing, but an earlier run imported 40 rows"),
        "{}",
        half.err
    );
    gone.lock().unwrap().insert("other".to_owned());
    assert_eq!(run_import(&directory, &server, &more).json()["imported"], 40);
}

#[test]
fn an_unreachable_server_ends_the_import_with_advice_to_continue() {
    let directory = TestDirectory::new();
    let server = MockServer::start(|_request| MockAnswer::Close);
    let run = run_import(&directory, &server, &["--retries", "1"]);
    assert_eq!(run.code, 4, "{}", run.err);
    assert_eq!(run.json()["not_sent"], 40);
    assert!(
        run.err.contains("is out of reach") && run.err.contains("the same command continues"),
        "{}",
        run.err
    );
}
