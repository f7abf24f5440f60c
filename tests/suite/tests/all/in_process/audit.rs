//! Tests that the audit log has all administrative actions and all refused credentials.

use serde_json::{Value, json};

use crate::in_process::environment::{Instance, request};

const CLIENT: (&str, &str) = ("spin-client-addr", "192.0.2.7:4711");

/// Returns a page of audit records, newest first.
fn read_records(service: &Instance, path: &str) -> Vec<Value> {
    service.call("GET", path, "").json()["records"]
        .as_array()
        .unwrap()
        .clone()
}

/// Returns the types of the events, in the order of the records.
fn list_types(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record["event"]["type"].as_str().unwrap())
        .collect()
}

#[test]
fn a_write_is_refused_if_it_cannot_be_recorded() {
    let service = Instance::new();
    service.store.log_is_closed.set(true);
    let refused = service.call("PUT", "/leaderboards/goals", "{}");
    refused.expect_problem(503, "unavailable", "");
    assert!(refused.log.cause.unwrap().contains("recorded"));
    service.call("GET", "/leaderboards/goals", "").expect_status(404);
    service.call("GET", "/leaderboards", "").expect_status(200);
}

#[test]
fn every_administrative_route_refuses_a_write_that_cannot_be_recorded() {
    let service = Instance::new();
    let flags = r#"{"flags": {}}"#;
    for (path, body) in [
        ("/leaderboards/goals", "{}"),
        ("/tenants/acme", "{}"),
        ("/limits", "{}"),
        ("/operator/limits", "{}"),
        ("/flags", flags),
        ("/operator/flags", flags),
    ] {
        service.call("PUT", path, body).expect_status(201);
    }
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"p","score":1}"#,
    );
    service.message("not json");
    let letters = service.call("GET", "/dead-letters", "").json();
    let letter = letters["letters"][0]["id"].as_str().unwrap().to_owned();
    service.store.log_is_closed.set(true);
    for (method, path, body) in [
        ("PUT", "/leaderboards/new", "{}"),
        ("PATCH", "/leaderboards/goals", r#"{"title":"t"}"#),
        ("DELETE", "/leaderboards/goals/scores/p", ""),
        ("DELETE", "/leaderboards/goals", ""),
        ("PUT", "/players/p/ban", ""),
        ("DELETE", "/players/p/ban", ""),
        ("PUT", "/tenants/acme", "{}"),
        ("PATCH", "/tenants/acme", r#"{"state":"suspended"}"#),
        ("PUT", "/limits", "{}"),
        ("DELETE", "/limits", ""),
        ("PUT", "/operator/limits", "{}"),
        ("DELETE", "/operator/limits", ""),
        ("PUT", "/flags", flags),
        ("DELETE", "/flags", ""),
        ("PUT", "/operator/flags", flags),
        ("DELETE", "/operator/flags", ""),
        ("DELETE", &format!("/dead-letters/{letter}"), ""),
    ] {
        let refused = service.call(method, path, body);
        refused.expect_problem(503, "unavailable", "");
    }
    service.store.log_is_closed.set(false);
    service.call("GET", "/leaderboards/new", "").expect_status(404);
    service
        .call("GET", "/leaderboards/goals/entries/p", "")
        .expect_status(200);
    for path in ["/limits", "/operator/limits", "/flags", "/operator/flags"] {
        service.call("GET", path, "").expect_status(200);
    }
    service.call("GET", "/players/p/ban", "").expect_status(404);
    assert_eq!(service.call("GET", "/tenants/acme", "").json()["state"], "active");
    assert_eq!(letters, service.call("GET", "/dead-letters", "").json());
}

#[test]
fn a_refused_credential_is_recorded_without_its_secret() {
    let service = Instance::new();
    for headers in [
        [CLIENT, ("x-api-key", "eb_guess-7")],
        [CLIENT, ("authorization", "Bearer guess-8")],
    ] {
        service
            .send("GET", "/leaderboards", "", &headers)
            .expect_status(401);
    }
    assert!(read_records(&service, "/audit").is_empty());
    let records = read_records(&service, "/operator/audit");
    assert_eq!(list_types(&records), ["refused", "refused"]);
    let credentials: Vec<_> = records
        .iter()
        .map(|record| record["event"]["who"]["credential"].as_str().unwrap())
        .collect();
    assert_eq!(credentials, ["unknown_token", "unknown_key"]);
    for record in &records {
        let event = &record["event"];
        assert_eq!(
            (&event["status"], &event["from"], &event["count"]),
            (&json!(401), &json!("192.0.2.7"), &json!(1))
        );
        assert!(!record.to_string().contains("guess"), "{record}");
    }
}

#[test]
fn a_flood_of_refused_credentials_makes_few_records() {
    let service = Instance::new();
    // Without this policy, only the limit of the log itself bounds the records.
    let limits = r#"{"policies":{"credentials":"off"}}"#;
    service.call("PUT", "/operator/limits", limits).expect_status(201);
    for _ in 0..1000 {
        service.send("GET", "/leaderboards", "", &[CLIENT, ("x-api-key", "wrong")]);
    }
    let records = service.call("GET", "/operator/audit?limit=1000", "").json();
    let records = records["records"].as_array().unwrap();
    let refused = records
        .iter()
        .filter(|record| record["event"]["type"] == "refused");
    // The log accepts 100 records at once. The store's clock does not move, so the log regains no room.
    assert_eq!(refused.count(), 100);
    // The refusals that the log did not accept are counted.
    let metrics = service.call("GET", "/metrics", "").text;
    assert!(
        metrics.contains("edgeboard_refusals_unrecorded_total 900"),
        "{metrics}"
    );
    assert!(
        metrics.contains("edgeboard_credentials_refused_total 1000"),
        "{metrics}"
    );
    service.call("PUT", "/tenants/acme", "{}").expect_status(201);
    assert_eq!(
        read_records(&service, "/operator/audit?limit=1")[0]["event"]["type"],
        "act"
    );
}

#[test]
fn every_way_to_refuse_a_credential_is_recorded_and_counted() {
    let service = Instance::new();
    let denying = r#"{"addresses":{"deny":["198.51.100.0/24"]}}"#;
    service
        .call("PUT", "/operator/limits", denying)
        .expect_status(201);
    let refuse = |headers: &[(&str, &str)], status: u16| {
        let answer = service.send("GET", "/leaderboards", "", headers);
        assert_eq!(answer.status, status, "{answer:?}");
        let record = read_records(&service, "/operator/audit?limit=1").remove(0);
        let event = &record["event"];
        assert_eq!(
            (&event["type"], &event["status"]),
            (&json!("refused"), &json!(status)),
            "{record}"
        );
        event["who"]["credential"].clone()
    };
    let denied = ("spin-client-addr", "198.51.100.7:1");
    assert_eq!(refuse(&[denied, ("x-api-key", "k")], 403), "unknown_key");
    let both = [CLIENT, ("x-api-key", "k"), ("authorization", "Bearer t")];
    assert_eq!(refuse(&both, 400), "unknown_token");
    while service
        .send("GET", "/leaderboards", "", &[CLIENT, ("x-api-key", "k")])
        .status
        == 401
    {}
    assert_eq!(refuse(&[CLIENT, ("x-api-key", "k")], 429), "unknown_key");
    // A request without a credential is denied, but no credential is refused.
    let before = read_records(&service, "/operator/audit?limit=1000").len();
    service
        .send("GET", "/leaderboards", "", &[denied])
        .expect_status(403);
    let records = read_records(&service, "/operator/audit?limit=1000");
    assert_eq!(records.len(), before);
    let refused: u64 = records
        .iter()
        .filter_map(|record| record["event"]["count"].as_u64())
        .sum();
    let metrics = service.call("GET", "/metrics", "").text;
    assert!(
        metrics.contains(&format!("edgeboard_credentials_refused_total {refused}\n")),
        "{metrics}"
    );
}

#[test]
fn refusals_are_recorded_even_if_deferred_work_was_dropped() {
    let service = Instance::new();
    let refuse = || {
        let request = request("GET", "/leaderboards", "", &[CLIENT, ("x-api-key", "wrong")]);
        futures::executor::block_on(service.respond(request)).status
    };
    assert_eq!(refuse(), 401);
    service.drop_later_work();
    assert_eq!(refuse(), 401);
    service.settle();
    assert_eq!(read_records(&service, "/operator/audit")[0]["event"]["count"], 2);
}
