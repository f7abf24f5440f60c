//! Bans over HTTP: what is said of them, and who is told.

use serde_json::{Value, json};

use crate::service::{SHOWS_AFTER_MS, Service};

const BAN: &str = "/players/p/ban";

fn service() -> Service {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    for (player, score) in [("p", 2), ("q", 1)] {
        let body = json!({"player": player, "score": score}).to_string();
        assert_eq!(
            service.call("POST", "/leaderboards/goals/scores", &body).status,
            200
        );
    }
    service
}

fn count(service: &Service) -> Value {
    let page = service.anonymous("GET", "/leaderboards/goals/entries");
    page.json()["count"].clone()
}

#[test]
fn a_ban_says_why_and_until_when_and_so_does_the_audit_log() {
    let service = service();
    let body = r#"{"reason":"speed hack","expires_at":"2026-07-20T21:04:00+02:00"}"#;
    assert_eq!(service.call("GET", BAN, "").problem().1, "ban-not-found");
    assert_eq!(service.call("PUT", BAN, body).status, 204);
    let expected = json!({
        "player": "p",
        "reason": "speed hack",
        "banned_at": service.call("GET", BAN, "").json()["banned_at"],
        "expires_at": "2026-07-20T19:04:00.000Z",
    });
    assert_eq!(service.call("GET", BAN, "").json(), expected);
    assert_eq!(
        service.call("GET", "/bans", "").json(),
        json!({"bans": [expected], "next": null})
    );
    let records = service.call("GET", "/audit", "").json();
    let event = &records["records"][0]["event"];
    assert_eq!(
        [
            &event["type"],
            &event["player"],
            &event["reason"],
            &event["expires_at"]
        ],
        [
            &json!("ban"),
            &json!("p"),
            &json!("speed hack"),
            &json!("2026-07-20T19:04:00.000Z")
        ]
    );
    // The record of the act stands before it.
    assert_eq!(records["records"][1]["event"]["route"], "/players/:player/ban");
    // No body, and an empty one: for ever, and nobody says why.
    for body in ["", "{}"] {
        assert_eq!(service.call("PUT", BAN, body).status, 204);
        let ban = service.call("GET", BAN, "").json();
        assert_eq!(
            (&ban["reason"], &ban["expires_at"]),
            (&Value::Null, &Value::Null),
            "{body}"
        );
        assert_eq!(ban["banned_at"], expected["banned_at"]);
    }
    assert_eq!(service.call("DELETE", BAN, "").status, 204);
    assert_eq!(service.call("GET", BAN, "").status, 404);
    assert_eq!(
        service.call("GET", "/bans", "").json(),
        json!({"bans": [], "next": null})
    );
}

#[test]
fn what_is_said_of_a_ban_is_checked_field_by_field() {
    let service = service();
    let long = json!({"reason": "x".repeat(501)}).to_string();
    for (body, place) in [
        (r#"{"for":"ever"}"#, "#/for"),
        (r#"{"reason":7}"#, "#/reason"),
        (r#"{"reason":"a\nb"}"#, "#/reason"),
        (long.as_str(), "#/reason"),
        (r#"{"expires_at":"tomorrow"}"#, "#/expires_at"),
        (r#"{"expires_at":"2026-07-19T21:04:00Z"}"#, "#/expires_at"),
        ("[]", "#"),
    ] {
        let expected = (422, "validation".to_owned(), place.to_owned());
        assert_eq!(service.call("PUT", BAN, body).problem(), expected, "{body}");
    }
    assert_eq!(service.call("PUT", BAN, "{").problem().1, "malformed");
    assert_eq!(count(&service), 2);
    assert_eq!(service.call("GET", BAN, "").status, 404);
}

#[test]
fn a_ban_ends_by_itself_and_the_player_is_shown_again() {
    let service = service();
    let now = service.call("GET", "/audit", "").json()["records"][0]["at"].clone();
    assert!(now.is_string());
    let body = r#"{"expires_at":"2026-07-19T21:14:00Z"}"#;
    assert_eq!(service.call("PUT", BAN, body).status, 204);
    service.pass_ms(SHOWS_AFTER_MS);
    assert_eq!(count(&service), 1);
    service.pass_ms(10 * 60 * 1000);
    assert_eq!(service.call("GET", BAN, "").status, 404);
    assert_eq!(count(&service), 2);
}

#[test]
fn bans_are_listed_page_by_page_and_bounded() {
    let service = service();
    for player in ["c", "a", "d", "b"] {
        service.call("PUT", &format!("/players/{player}/ban"), "");
    }
    let first = service.call("GET", "/bans?limit=3", "").json();
    let names = |page: &Value| -> Vec<String> {
        let bans = page["bans"].as_array().unwrap().iter();
        bans.map(|ban| ban["player"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&first), ["a", "b", "c"]);
    let cursor = first["next"].as_str().unwrap();
    let rest = service
        .call("GET", &format!("/bans?limit=3&cursor={cursor}"), "")
        .json();
    assert_eq!(
        (names(&rest), &rest["next"]),
        (vec!["d".to_owned()], &Value::Null)
    );
    assert_eq!(
        service.call("GET", "/bans?limit=201", "").problem().1,
        "invalid-parameter"
    );
    assert_eq!(service.anonymous("GET", "/bans").status, 401);
}

#[test]
fn me_needs_the_token_of_a_player() {
    let service = service();
    for (method, path, body, place) in [
        ("PUT", "/players/me/ban", "", "player"),
        ("GET", "/players/me/ban", "", "player"),
        ("DELETE", "/players/me/ban", "", "player"),
        ("DELETE", "/leaderboards/goals/scores/me", "", "player"),
        ("GET", "/leaderboards/goals/entries/me", "", "player"),
        ("GET", "/leaderboards/goals/entries/me/around", "", "player"),
        ("GET", "/leaderboards/goals/entries?players=p,me", "", "players"),
        ("GET", "/leaderboards/goals/summary", "", "player"),
        ("GET", "/leaderboards/goals/summary?player=me", "", "player"),
    ] {
        let refused = service.call(method, path, body);
        let expected = (400, "invalid-parameter".to_owned(), place.to_owned());
        assert_eq!(refused.problem(), expected, "{method} {path}");
        assert!(refused.text.contains("this request has none"), "{}", refused.text);
    }
    let scores = r#"{"scores":[{"player":"p","score":1},{"player":"me","score":1}]}"#;
    let refused = service.call("POST", "/leaderboards/goals/scores", scores);
    let expected = (422, "validation".to_owned(), "#/scores/1/player".to_owned());
    assert_eq!(refused.problem(), expected);
}
