//! Scores over HTTP.

use serde_json::json;

use crate::service::{Answer, Service};

const SCORES: &str = "/leaderboards/goals/scores";

fn service() -> Service {
    let service = Service::new();
    service.call(
        "PUT",
        "/leaderboards/goals",
        r#"{"operator":"increment","limits":{"max":1000}}"#,
    );
    service.call(
        "PUT",
        "/leaderboards/by-year",
        r#"{"operator":"increment","reset":{"cron":"0 0 1 1 *","time_zone":"UTC"}}"#,
    );
    service
}

fn post(service: &Service, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    service.with("POST", path, body, headers)
}

fn count(service: &Service) -> u64 {
    service.call("GET", "/leaderboards/goals/entries", "").json()["count"]
        .as_u64()
        .unwrap()
}

#[test]
fn one_submission_is_answered_with_its_outcome() {
    let service = service();
    let first = post(
        &service,
        SCORES,
        r#"{"player":"José Piendibene","score":1,"id":"1916-07-02/3"}"#,
        &[],
    );
    assert_eq!(
        (first.status, first.text.as_str()),
        (
            200,
            r#"{"leaderboard":"goals","period":"all","player":"José Piendibene","status":"created","values":{"score":1},"rank":1,"previous":null,"version":2,"replayed":false}"#
        )
    );
    let again = post(
        &service,
        SCORES,
        r#"{"player":"José Piendibene","score":1,"id":"1916-07-02/3"}"#,
        &[],
    );
    assert_eq!(again.json()["replayed"], true);
    let more = post(
        &service,
        SCORES,
        r#"{"player":"José Piendibene","score":"2"}"#,
        &[],
    )
    .json();
    assert_eq!(more["previous"], json!({"values": {"score": 1}, "rank": 1}));
    assert_eq!(more["values"], json!({"score": 3}));
}

#[test]
fn several_leaderboards_are_settled_together() {
    let service = service();
    let body = |score: i64| {
        format!(
            r#"{{"player":"p","score":{score},"leaderboards":["by-year","goals"],"occurred_at":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let answer = post(&service, "/scores", &body(1), &[]);
    let results = answer.json()["results"].clone();
    assert_eq!(answer.status, 200);
    assert_eq!(results[0]["leaderboard"], "by-year");
    assert_eq!(results[0]["period"], "2026-01-01T00:00:00Z");
    assert_eq!(results[1]["period"], "all");
    let refused = post(&service, "/scores", &body(2000), &[]);
    assert_eq!(
        refused.problem(),
        (422, "validation".to_owned(), "#/score".to_owned())
    );
    assert!(refused.text.contains("above the leaderboard's max of 1000"));
    let entry = service.call("GET", "/leaderboards/by-year/entries/p", "").json();
    assert_eq!(entry["entry"]["values"]["score"], 1);
}

#[test]
fn a_batch_says_of_each_what_became_of_it() {
    let service = service();
    let body = r#"{"scores":[{"player":"a","score":1},{"player":"b","score":5000},{"player":"c","values":{"points":1}},{"player":"a","score":1}]}"#;
    let answer = post(&service, SCORES, body, &[]);
    let results = answer.json()["results"].clone();
    assert_eq!(answer.status, 207);
    assert_eq!(results[0]["status_code"], 200);
    assert_eq!(results[0]["rank"], 1);
    assert_eq!(results[1]["status_code"], 422);
    assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "#/scores/1/score");
    assert_eq!(results[1]["problem"]["instance"], answer.header("x-request-id"));
    assert_eq!(results[2]["problem"]["errors"][0]["pointer"], "#/scores/2/values");
    assert_eq!(results[3]["values"], json!({"score": 2}));
    let several = r#"{"scores":[{"player":"a","score":1,"leaderboards":["goals"]},{"player":"a","score":1,"leaderboards":["none"]}]}"#;
    let results = post(&service, "/scores", several, &[]).json()["results"].clone();
    assert_eq!(results[0]["results"][0]["leaderboard"], "goals");
    assert_eq!(
        (&results[1]["status_code"], &results[1]["problem"]["type"]),
        (&json!(404), &json!("/problems/leaderboard-not-found"))
    );
}

#[test]
fn a_bad_body_writes_nothing() {
    let service = service();
    for body in [
        r#"{"scores":[{"player":"a","score":1},{"player":"b","score":1.5}]}"#,
        r#"{"scores":[{"player":"a","score":1},]}"#,
        r#"{"player":"a","score":1,"x":1}"#,
        r#"{"player":"a","score":1e2}"#,
    ] {
        let (status, _, place) = post(&service, SCORES, body, &[]).problem();
        assert!(
            matches!(status, 400 | 422) && place.starts_with('#'),
            "{body} {status} {place}"
        );
    }
    assert_eq!(count(&service), 0);
    let anonymous = service.raw(
        "POST",
        SCORES,
        r#"{"player":"a","score":1}"#,
        &[("content-type", "application/json")],
    );
    assert_eq!((anonymous.status, count(&service)), (401, 0));
}

#[test]
fn a_minimal_answer_is_preferred() {
    let service = service();
    let answer = post(
        &service,
        SCORES,
        r#"{"player":"p","score":1}"#,
        &[("prefer", "respond-async, return=minimal")],
    );
    assert_eq!(answer.header("preference-applied"), "return=minimal");
    assert_eq!(
        answer.text,
        r#"{"leaderboard":"goals","period":"all","player":"p","status":"created","version":2,"replayed":false}"#
    );
}

#[test]
fn an_idempotency_key_stands_for_the_whole_request() {
    let service = service();
    let key = [("idempotency-key", "\"8e03978e\"")];
    let body = r#"{"scores":[{"player":"a","score":1},{"player":"a","score":1}]}"#;
    for replayed in [false, true] {
        let results = post(&service, SCORES, body, &key).json()["results"].clone();
        assert_eq!(
            (&results[0]["replayed"], &results[1]["replayed"]),
            (&json!(replayed), &json!(replayed))
        );
        assert_eq!(results[1]["values"], json!({"score": 2}));
    }
    let other = post(&service, SCORES, r#"{"player":"a","score":2}"#, &key);
    assert_eq!(
        other.problem(),
        (422, "id-conflict".to_owned(), "Idempotency-Key".to_owned())
    );
    let bad = post(&service, SCORES, body, &[("idempotency-key", "8e03978e; x")]);
    assert_eq!(
        bad.problem(),
        (400, "invalid-header".to_owned(), "Idempotency-Key".to_owned())
    );
}

#[test]
fn refusals_have_their_own_problems() {
    let service = service();
    service.call("PUT", "/leaderboards/limited", r#"{"starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-08-01T00:00:00Z","limits":{"max_attempts":1,"max_entries":1}}"#);
    let of = |body: &str| post(&service, "/leaderboards/limited/scores", body, &[]).problem();
    let post_ok = post(
        &service,
        "/leaderboards/limited/scores",
        r#"{"player":"p","score":1,"id":"i"}"#,
        &[],
    );
    assert_eq!(post_ok.status, 200);
    for (body, status, kind, place) in [
        (r#"{"player":"p","score":2}"#, 409, "attempts-exhausted", ""),
        (r#"{"player":"q","score":2}"#, 409, "leaderboard-full", ""),
        (r#"{"player":"p","score":2,"id":"i"}"#, 422, "id-conflict", "#/id"),
        (
            r#"{"player":"p","score":2,"occurred_at":"2025-12-31T23:59:59Z"}"#,
            409,
            "not-started",
            "",
        ),
        (
            r#"{"player":"p","score":2,"occurred_at":"2026-07-20T21:04:00Z"}"#,
            422,
            "validation",
            "#/occurred_at",
        ),
        (
            r#"{"player":"p","score":2,"operator":"increment"}"#,
            422,
            "validation",
            "#/operator",
        ),
    ] {
        assert_eq!(of(body), (status, kind.to_owned(), place.to_owned()), "{body}");
    }
    let unknown = post(
        &service,
        "/leaderboards/none/scores",
        r#"{"player":"p","score":2}"#,
        &[],
    );
    assert_eq!(unknown.problem().1, "leaderboard-not-found");
}

#[test]
fn an_entry_is_removed_and_a_player_hidden_and_shown() {
    let service = service();
    post(
        &service,
        SCORES,
        r#"{"scores":[{"player":"a","score":2},{"player":"b/c","score":1}]}"#,
        &[],
    );
    let top = |service: &Service| -> Vec<String> {
        let page = service.anonymous("GET", "/leaderboards/goals/entries").json();
        let entries = page["entries"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["player"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(service.call("PUT", "/players/a/ban", "").status, 204);
    assert_eq!(top(&service), ["b/c"]);
    assert_eq!(service.call("DELETE", "/players/a/ban", "").status, 204);
    assert_eq!(top(&service), ["a", "b/c"]);
    assert_eq!(
        service
            .call("DELETE", "/leaderboards/goals/scores/b%2Fc", "")
            .status,
        204
    );
    assert_eq!(
        service
            .call("DELETE", "/leaderboards/goals/scores/b%2Fc", "")
            .problem()
            .1,
        "entry-not-found"
    );
    assert_eq!(top(&service), ["a"]);
}

#[test]
fn an_equal_best_that_happened_earlier_takes_the_earlier_time() {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let score = |player: &str, minute: u32| {
        let body =
            format!(r#"{{"player":"{player}","score":5,"occurred_at":"2026-07-19T20:{minute:02}:00Z"}}"#);
        post(&service, SCORES, &body, &[]).json()
    };
    score("ann", 10);
    score("bob", 20);
    assert_eq!(score("bob", 30)["status"], "kept");
    let earlier = score("bob", 5);
    assert_eq!(
        (&earlier["status"], &earlier["rank"]),
        (&json!("changed"), &json!(1))
    );
    let list = service.call("GET", "/leaderboards/goals/entries", "").json();
    assert_eq!(list["entries"][0]["player"], "bob");
    assert_eq!(list["entries"][0]["reached_at"], "2026-07-19T20:05:00.000Z");
}
