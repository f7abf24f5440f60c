//! Ranks over HTTP.

use serde_json::{Value, json};

use crate::service::Service;

fn service() -> Service {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    service.call("PUT", "/leaderboards/secret", r#"{"access":{"read":"private"}}"#);
    let scores: Vec<String> = (1..=25)
        .map(|n| format!(r#"{{"player":"p{n}","score":{n},"metadata":{{"n":{n}.10}}}}"#))
        .collect();
    let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
    assert_eq!(
        service.call("POST", "/leaderboards/goals/scores", &body).status,
        207
    );
    service
}

fn players(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["player"].as_str().unwrap())
        .collect()
}

#[test]
fn a_list_is_read_page_by_page_and_back() {
    let service = service();
    let get = |query: &str| {
        service
            .anonymous("GET", &format!("/leaderboards/goals/entries?{query}"))
            .json()
    };
    let first = get("");
    assert_eq!(
        first["period"],
        json!({"id": "all", "starts_at": null, "ends_at": null})
    );
    assert_eq!((&first["count"], players(&first).len()), (&json!(25), 10));
    assert_eq!(first["entries"][0]["rank"], 1);
    assert_eq!(first["entries"][0]["values"], json!({"score": 25}));
    assert!(first["previous"].is_null());
    let second = get(&format!("limit=20&cursor={}", first["next"].as_str().unwrap()));
    assert_eq!(players(&second)[0], "p15");
    assert!(second["next"].is_null() && second["drifted"] == false);
    let back = get(&format!(
        "limit=10&cursor={}",
        second["previous"].as_str().unwrap()
    ));
    assert_eq!(players(&back), players(&first));
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"new","score":99}"#,
    );
    let drifted = get(&format!("cursor={}", first["next"].as_str().unwrap()));
    assert_eq!((&drifted["drifted"], players(&drifted)[0]), (&json!(true), "p15"));
}

#[test]
fn metadata_comes_back_byte_by_byte() {
    let answer = service().anonymous("GET", "/leaderboards/goals/entries/p7");
    assert!(
        answer.text.contains(r#""metadata":{"n":7.10}"#),
        "{}",
        answer.text
    );
    assert_eq!(answer.json()["entry"]["rank"], 19);
    assert_eq!(answer.header("cache-control"), "private, no-cache");
}

#[test]
fn players_are_found_in_order_of_rank() {
    let page = service()
        .anonymous(
            "GET",
            "/leaderboards/goals/entries?players=p3,nobody,p20,no%2Cone",
        )
        .json();
    assert_eq!(players(&page), ["p20", "p3"]);
    assert_eq!(page["not_found"], json!(["nobody", "no,one"]));
}

#[test]
fn a_window_shifts_at_the_ends() {
    let service = service();
    let get = |path: &str| {
        service
            .anonymous("GET", &format!("/leaderboards/goals/entries/{path}"))
            .json()
    };
    assert_eq!(players(&get("p13/around?limit=3")), ["p14", "p13", "p12"]);
    assert_eq!(players(&get("p25/around?limit=3")), ["p25", "p24", "p23"]);
    assert_eq!(players(&get("p13/around")).len(), 11);
}

#[test]
fn periods_and_the_distribution_are_told() {
    let service = service();
    let periods = service.anonymous("GET", "/leaderboards/goals/periods").json();
    assert_eq!(
        periods,
        json!({"leaderboard": "goals", "periods": [{"id": "all", "starts_at": null, "ends_at": null, "version": 26, "count": 25}], "next": null})
    );
    let found = service
        .anonymous("GET", "/leaderboards/goals/distribution?buckets=5&score=25")
        .json();
    assert_eq!(found["buckets"][0], json!({"from": 1, "to": 5, "count": 5}));
    assert_eq!(found["percentiles"]["50"], 13);
    assert_eq!(
        found["score"],
        json!({"score": 25, "rank": 2, "percentile": 96.0})
    );
    let empty = service
        .call("GET", "/leaderboards/secret/distribution", "")
        .json();
    assert_eq!(
        (&empty["buckets"], &empty["percentiles"], &empty["score"]),
        (&json!([]), &json!({}), &json!(null))
    );
}

#[test]
fn bad_questions_name_their_parameter() {
    let service = service();
    for (path, status, kind, place) in [
        ("goals/entries?limit=0", 400, "invalid-parameter", "limit"),
        ("goals/entries?limit=1001", 400, "invalid-parameter", "limit"),
        ("goals/entries?size=1", 400, "invalid-parameter", "size"),
        ("goals/entries?limit=1&limit=1", 400, "invalid-parameter", "limit"),
        ("goals/entries?period=never", 400, "invalid-parameter", "period"),
        ("goals/entries?period=previous", 404, "period-not-found", ""),
        ("goals/entries?cursor=AAAA", 400, "invalid-cursor", "cursor"),
        ("goals/entries?players=", 400, "invalid-parameter", "players"),
        (
            "goals/entries?players=a&limit=2",
            400,
            "invalid-parameter",
            "limit",
        ),
        ("goals/entries/nobody", 404, "entry-not-found", ""),
        ("goals/entries/nobody/around", 404, "entry-not-found", ""),
        ("goals/entries/%FF", 400, "invalid-parameter", "player"),
        ("goals/entries/p1?x=%FF", 400, "invalid-parameter", "x"),
        (
            "goals/distribution?buckets=101",
            400,
            "invalid-parameter",
            "buckets",
        ),
        ("goals/distribution?score=1.5", 400, "invalid-parameter", "score"),
        ("none/entries", 404, "leaderboard-not-found", ""),
    ] {
        let answer = service.anonymous("GET", &format!("/leaderboards/{path}"));
        assert_eq!(
            answer.problem(),
            (status, kind.to_owned(), place.to_owned()),
            "{path}"
        );
    }
}

#[test]
fn cursors_belong_to_their_list_and_their_order() {
    let service = service();
    let page = service.anonymous("GET", "/leaderboards/goals/entries").json();
    let cursor = page["next"].as_str().unwrap();
    let other = service.call(
        "GET",
        &format!("/leaderboards/secret/entries?cursor={cursor}"),
        "",
    );
    assert_eq!(
        other.problem(),
        (400, "invalid-cursor".to_owned(), "cursor".to_owned())
    );
    let body = r#"{"columns":[{"name":"score","order":"asc"}]}"#;
    assert_eq!(
        service
            .call("PUT", "/leaderboards/goals?rebuild=true", body)
            .status,
        200
    );
    let stale = service.anonymous("GET", &format!("/leaderboards/goals/entries?cursor={cursor}"));
    assert_eq!(
        stale.problem(),
        (410, "stale-cursor".to_owned(), "cursor".to_owned())
    );
}
