//! Tests of final standings and claims while the clock moves.

use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance};

const WEEK: &str = "/leaderboards/week";
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The time from the begin of a test to the end of the week.
const END_MS: i64 = (2 * 60 + 56) * 60_000;

/// Creates a service with a leaderboard `week` that has prizes, and the scores of two players. Tests begin on Sunday,
/// 2026-07-19T21:04:00Z, about three hours before a reset.
fn create_service() -> Instance {
    let service = Instance::new();
    let document = json!({
        "reset": {"cron": "0 0 * * 1", "time_zone": "UTC"},
        "prizes": [{"name": "Gold", "from_rank": 1, "to_rank": 1}, {"name": "Silver", "from_rank": 2, "to_rank": 2}],
        "claim_days": 7,
    });
    service.call("PUT", WEEK, document).expect_status(201);
    for (player, score) in [("ann", 2), ("bob", 1)] {
        let body = json!({"player": player, "score": score});
        service
            .call("POST", &format!("{WEEK}/scores"), body)
            .expect_status(200);
    }
    service
}

fn claim(service: &Instance, player: &str) -> Answer {
    let body = json!({"player": player, "period": "2026-07-19"});
    service.call("POST", &format!("{WEEK}/claims"), body)
}

fn states(service: &Instance) -> Vec<Value> {
    let path = format!("{WEEK}/claims?period=2026-07-19");
    let page = service.call("GET", &path, "").expect_status(200);
    let claims = page["claims"].as_array().unwrap().iter();
    claims.map(|claim| claim["state"].clone()).collect()
}

#[test]
fn the_first_request_after_the_end_freezes_the_standings_for_all_instances() {
    let service = create_service();
    let path = format!("{WEEK}/standings?period=2026-07-19");
    service
        .anonymous(&path)
        .expect_problem(409, "period-not-ended", "");
    service.pass_ms(3 * HOUR_MS);
    let late = json!({"player": "cat", "score": 3, "occurred_at": "2026-07-19T23:00:00Z"});
    service
        .call("POST", &format!("{WEEK}/scores"), &late)
        .expect_status(200);
    let first = service.anonymous(&format!("{WEEK}/standings")).expect_status(200);
    let frozen_at = first["final"]["frozen_at"].as_str().unwrap();
    assert!(frozen_at.starts_with("2026-07-20T00:04:00"), "{frozen_at}");
    assert_eq!(
        (&first["entries"][0]["player"], &first["entries"][0]["prize"]),
        (&json!("cat"), &json!("Gold"))
    );
    service.pass_ms(DAY_MS);
    for instance in [&service, &service.beside(), &service.elsewhere()] {
        let again = instance.anonymous(&path).expect_status(200);
        assert_eq!(again["final"], first["final"]);
    }
    let refused = service.call("POST", &format!("{WEEK}/scores"), &late);
    refused.expect_problem(409, "standings-final", "");
}

#[test]
fn scores_that_wait_in_the_queue_at_the_end_of_a_period_still_count() {
    let service = create_service();
    let path = format!("{WEEK}/standings?period=2026-07-19");
    service.pass_ms(END_MS + 119_000);
    let problem = service.anonymous(&path).expect_status(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("from 2026-07-20T00:02:00.000Z"), "{detail}");
    let late = json!({"player": "cat", "score": 3, "occurred_at": "2026-07-19T23:59:59.9Z"});
    service
        .call("POST", &format!("{WEEK}/scores"), late)
        .expect_status(200);
    service.pass_ms(1_000);
    let standings = service.anonymous(&path).expect_status(200);
    assert_eq!(standings["entries"][0]["player"], "cat");
}

#[test]
fn a_prize_expires_that_nobody_claims() {
    let service = create_service();
    service.pass_ms(3 * HOUR_MS);
    let first = claim(&service, "ann").expect_status(201);
    let expires_at = first["claim"]["expires_at"].as_str().unwrap();
    assert!(expires_at.starts_with("2026-07-27T00:04:00"), "{expires_at}");
    service.pass_ms(7 * DAY_MS - HOUR_MS);
    assert_eq!(states(&service), ["claimed", "claimable"]);
    service.pass_ms(HOUR_MS);
    assert_eq!(states(&service), ["claimed", "expired"]);
    claim(&service, "bob").expect_problem(410, "claim-expired", "");
    assert_eq!(claim(&service, "ann").expect_status(200), first);
}

#[test]
fn standings_and_claims_expire_with_their_period() {
    let service = create_service();
    service
        .call("PATCH", WEEK, json!({"keep_periods": 2}))
        .expect_status(200);
    service.pass_ms(3 * HOUR_MS);
    claim(&service, "ann").expect_status(201);
    service.pass_ms(7 * DAY_MS);
    claim(&service, "ann").expect_problem(404, "period-not-found", "");
}

#[test]
fn a_full_store_reads_no_new_standings_and_keeps_the_claims() {
    let service = create_service();
    service.pass_ms(3 * HOUR_MS);
    service.store.is_full.set(true);
    claim(&service, "ann").expect_problem(503, "unavailable", "");
    service.store.is_full.set(false);
    claim(&service, "ann").expect_status(201);
}

#[test]
fn a_claim_whose_response_got_lost_is_repeated_safely() {
    let service = create_service();
    service.pass_ms(3 * HOUR_MS);
    service.store.answers_get_lost.set(true);
    claim(&service, "ann").expect_problem(503, "unavailable", "");
    service.store.answers_get_lost.set(false);
    let again = claim(&service, "ann").expect_status(200);
    assert_eq!(
        (&again["claim"]["state"], &again["claim"]["prize"]),
        (&json!("claimed"), &json!("Gold"))
    );
}
