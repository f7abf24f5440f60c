//! Tests of an erasure that takes several requests, and of one whose store fails.

use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::dead_letters::list_letters;
use crate::in_process::environment::Instance;
use crate::in_process::queue::enqueue_with;

fn create_service() -> Instance {
    let service = Instance::new();
    for board in ["a", "b", "c"] {
        service.call("PUT", &format!("/leaderboards/{board}"), "{}");
        let scores = json!({"scores": [{"player": "p", "score": 2}, {"player": "q", "score": 1}]});
        service
            .call("POST", &format!("/leaderboards/{board}/scores"), scores)
            .expect_status(207);
    }
    service
}

/// Returns the players in the event log of a leaderboard, without those that stay.
fn erased_names(service: &Instance, board: &str) -> Vec<String> {
    let log = service
        .call("GET", &format!("/leaderboards/{board}/events"), "")
        .json();
    let events = log["events"].as_array().unwrap().iter();
    let names = events.filter_map(|event| event["player"].as_str());
    let mut names: Vec<String> = names.filter(|name| *name != "q").map(str::to_owned).collect();
    names.dedup();
    names
}

#[test]
fn an_erasure_that_needs_more_time_is_continued_with_its_pseudonym() {
    let service = create_service();
    service.store.erasure_steps.set(1_500);
    let first = service.call("DELETE", "/players/p", "");
    assert_eq!(first.status, 503);
    assert_eq!(first.json()["type"], "/problems/erasing");
    assert!(first.header("retry-after").parse::<u32>().is_ok());
    // Another instance continues.
    service
        .beside()
        .call("DELETE", "/players/p", "")
        .expect_status(204);
    let names = erased_names(&service, "a");
    assert!(names.len() == 1 && names[0].starts_with("erased-"), "{names:?}");
    for board in ["b", "c"] {
        assert_eq!(erased_names(&service, board), names);
    }
    let audit = service.call("GET", "/audit", "").json();
    let records = audit["records"].as_array().unwrap().iter();
    let acts = records.filter(|record| record["event"]["route"] == "/players/:player");
    let players: Vec<&Value> = acts
        .map(|record| &record["event"]["parameters"]["player"])
        .collect();
    assert_eq!(
        players,
        [names[0].as_str(), &names[0]],
        "both requests are recorded"
    );
}

#[test]
fn an_erasure_whose_store_fails_is_continued() {
    let service = create_service();
    service.store.erasure_steps.set(1_500);
    assert_eq!(service.call("DELETE", "/players/p", "").status, 503);
    service.store.down.set(true);
    assert_eq!(service.beside().call("DELETE", "/players/p", "").status, 503);
    service.store.down.set(false);
    service
        .beside()
        .call("DELETE", "/players/p", "")
        .expect_status(204);
    for board in ["a", "b", "c"] {
        assert_eq!(erased_names(&service, board).len(), 1);
        let entry = service
            .call("GET", &format!("/leaderboards/{board}/entries/q"), "")
            .json();
        assert_eq!(entry["entry"]["rank"], 1);
    }
}

#[test]
fn dead_letters_of_the_player_are_deleted() {
    let service = create_service();
    let score =
        |player: &str, id: &str| json!({"player": player, "score": 1, "id": id, "leaderboards": ["none"]});
    let message = json!({"tenant": "default", "scores": [score("p", "1"), score("q", "2"), {"player": "p", "score": 1.5}]});
    assert_eq!(service.message(message.to_string()).dead_letters, 3);
    service.call("DELETE", "/players/p", "").expect_status(204);
    let letters = list_letters(&service);
    assert_eq!(letters.len(), 1);
    assert!(letters[0]["payload"].as_str().unwrap().contains("\"q\""));
}

#[test]
fn requests_of_a_suspended_tenant_do_not_hold_the_erasures_of_others() {
    let service = Instance::new();
    let headers = ["acme", "zeta"].map(|tenant| [("x-api-key", ADMIN_KEY), ("x-tenant-id", tenant)]);
    for headers in &headers {
        service
            .send("PUT", "/leaderboards/b", "{}", headers)
            .expect_status(201);
        enqueue_with(&service, headers, &json!({"player": "p", "score": 2}));
    }
    service
        .call("PUT", "/tenants/acme", r#"{"state":"suspended"}"#)
        .expect_status(201);
    service.pass_ms(1_000);
    let [of_acme, of_zeta] = headers.map(|headers| service.send("DELETE", "/players/p", "", &headers));
    of_acme.expect_problem(503, "erasing", "");
    of_zeta.expect_status(204);
}
