//! The audit log: every administrative act and every refused credential, and nothing else.

use serde_json::{Value, json};

use crate::service::{KEY, Service};

const FROM: (&str, &str) = ("spin-client-addr", "192.0.2.7:4711");

fn log(service: &Service, path: &str) -> Vec<Value> {
    service.call("GET", path, "").json()["records"]
        .as_array()
        .unwrap()
        .clone()
}

/// The types of the events, newest first.
fn types(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record["event"]["type"].as_str().unwrap())
        .collect()
}

#[test]
fn an_act_is_recorded_with_who_what_when_and_from_where() {
    let service = Service::new();
    let created = service.with("PUT", "/leaderboards/goals?rebuild=true", "{}", &[FROM]);
    assert_eq!(created.status, 201);
    let records = log(&service, "/audit");
    assert_eq!(
        records,
        [json!({"position": 1, "at": "2026-07-19T21:04:00.000Z", "event": {
            "type": "act", "who": {"credential": "operator"}, "method": "PUT", "route": "/leaderboards/:leaderboard",
            "parameters": {"leaderboard": "goals"}, "query": "rebuild=true", "from": "192.0.2.7",
            "trace": created.header("x-request-id"),
        }})]
    );
    assert!(!records[0].to_string().contains(KEY));
}

#[test]
fn an_act_that_was_refused_has_its_status_after_it() {
    let service = Service::new();
    assert_eq!(service.call("DELETE", "/leaderboards/none", "").status, 404);
    assert_eq!(
        service
            .call("PUT", "/leaderboards/goals", "{\"columns\": 7}")
            .status,
        422
    );
    let records = log(&service, "/audit");
    assert_eq!(types(&records), ["outcome", "act", "outcome", "act"]);
    let outcomes = [&records[2]["event"], &records[0]["event"]].map(|event| (&event["of"], &event["status"]));
    assert_eq!(outcomes, [(&json!(1), &json!(404)), (&json!(3), &json!(422))]);
}

#[test]
fn what_is_not_administrative_leaves_no_record() {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"p","score":1}"#,
    );
    for path in [
        "/leaderboards",
        "/leaderboards/goals/entries",
        "/audit",
        "/tenant",
    ] {
        assert_eq!(service.call("GET", path, "").status, 200);
    }
    // A request that was never understood is no act.
    assert_eq!(service.call("PUT", "/leaderboards/NO", "{}").status, 400);
    assert_eq!(service.anonymous("PUT", "/leaderboards/goals").status, 401);
    assert_eq!(log(&service, "/audit").len(), 1);
    assert!(log(&service, "/operator/audit").is_empty());
    service.call("DELETE", "/leaderboards/goals/scores/p", "");
    service.call("PUT", "/players/p/ban", "");
    service.call("DELETE", "/players/p/ban", "");
    let routes: Vec<String> = log(&service, "/audit")
        .iter()
        .map(|record| format!("{} {}", record["event"]["method"], record["event"]["route"]).replace('"', ""))
        .collect();
    assert_eq!(
        routes,
        [
            "DELETE /players/:player/ban",
            "PUT /players/:player/ban",
            "DELETE /leaderboards/:leaderboard/scores/:player",
            "PUT /leaderboards/:leaderboard"
        ]
    );
}

#[test]
fn nothing_is_done_that_cannot_be_recorded() {
    let service = Service::new();
    service.store.log_is_closed.set(true);
    let refused = service.call("PUT", "/leaderboards/goals", "{}");
    assert_eq!(refused.problem(), (503, "unavailable".into(), String::new()));
    assert!(refused.log.cause.unwrap().contains("recorded"));
    assert_eq!(service.call("GET", "/leaderboards/goals", "").status, 404);
    assert_eq!(service.call("GET", "/leaderboards", "").status, 200);
}

#[test]
fn no_act_of_any_route_is_done_that_cannot_be_recorded() {
    let service = Service::new();
    let flags = r#"{"flags": {}}"#;
    for (path, body) in [
        ("/leaderboards/goals", "{}"),
        ("/tenants/acme", "{}"),
        ("/limits", "{}"),
        ("/operator/limits", "{}"),
        ("/flags", flags),
        ("/operator/flags", flags),
    ] {
        assert_eq!(service.call("PUT", path, body).status, 201, "{path}");
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
        assert_eq!(
            refused.problem(),
            (503, "unavailable".into(), String::new()),
            "{method} {path}"
        );
    }
    service.store.log_is_closed.set(false);
    assert_eq!(service.call("GET", "/leaderboards/new", "").status, 404);
    assert_eq!(
        service.call("GET", "/leaderboards/goals/entries/p", "").status,
        200
    );
    for path in ["/limits", "/operator/limits", "/flags", "/operator/flags"] {
        assert_eq!(service.call("GET", path, "").status, 200, "{path}");
    }
    assert_eq!(service.call("GET", "/players/p/ban", "").status, 404);
    assert_eq!(service.call("GET", "/tenants/acme", "").json()["state"], "active");
    assert_eq!(letters, service.call("GET", "/dead-letters", "").json());
}

#[test]
fn each_tenant_has_its_log_and_the_operator_one_of_its_own() {
    let service = Service::new();
    service.with("PUT", "/leaderboards/goals", "{}", &[("x-tenant-id", "acme")]);
    service.call("PUT", "/tenants/acme", "{}");
    assert!(log(&service, "/audit").is_empty());
    let operators = log(&service, "/operator/audit");
    assert_eq!(operators[0]["event"]["parameters"], json!({"tenant": "acme"}));
    let acme = service
        .with("GET", "/audit", "", &[("x-tenant-id", "acme")])
        .json();
    assert_eq!(
        acme["records"][0]["event"]["parameters"],
        json!({"leaderboard": "goals"})
    );
}

#[test]
fn the_log_is_read_in_pages() {
    let service = Service::new();
    for _ in 0..5 {
        service.call("PUT", "/players/p/ban", "");
    }
    let page = |query: &str| {
        let page = service.call("GET", &format!("/audit{query}"), "").json();
        let records = page["records"].as_array().unwrap().iter();
        (
            records
                .map(|record| record["position"].as_u64().unwrap())
                .collect::<Vec<_>>(),
            page["next"].clone(),
        )
    };
    assert_eq!(page("?limit=2"), (vec![5, 4], json!(4)));
    assert_eq!(page("?limit=2&before=4"), (vec![3, 2], json!(2)));
    assert_eq!(page("?limit=2&before=2"), (vec![1], Value::Null));
    for bad in ["?before=0", "?before=x", "?before=-1", "?limit=0", "?after=1"] {
        assert_eq!(
            service.call("GET", &format!("/audit{bad}"), "").problem().0,
            400,
            "{bad}"
        );
    }
}

#[test]
fn a_refused_credential_is_recorded_without_its_secret() {
    let service = Service::new();
    for headers in [
        [FROM, ("x-api-key", "guess-7")],
        [FROM, ("authorization", "Bearer guess-8")],
    ] {
        assert_eq!(service.raw("GET", "/leaderboards", "", &headers).status, 401);
    }
    let records = log(&service, "/operator/audit");
    assert_eq!(types(&records), ["refused", "refused"]);
    let told: Vec<_> = records
        .iter()
        .map(|record| record["event"]["who"]["credential"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["unknown_token", "unknown_key"]);
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
    let service = Service::new();
    // The log has a limit of its own.
    let limits = r#"{"policies":{"credentials":"off"}}"#;
    assert_eq!(service.call("PUT", "/operator/limits", limits).status, 201);
    for _ in 0..1000 {
        service.raw("GET", "/leaderboards", "", &[FROM, ("x-api-key", "wrong")]);
    }
    let records = service.call("GET", "/operator/audit?limit=1000", "").json();
    let records = records["records"].as_array().unwrap();
    let refused = records
        .iter()
        .filter(|record| record["event"]["type"] == "refused");
    // The log takes a hundred at once; the store's clock stands still here.
    assert_eq!(refused.count(), 100);
    // What it did not take is counted.
    let metrics = service.call("GET", "/metrics", "").text;
    assert!(
        metrics.contains("edgeboard_refusals_unrecorded_total 900"),
        "{metrics}"
    );
    assert!(
        metrics.contains("edgeboard_credentials_refused_total 1000"),
        "{metrics}"
    );
    assert_eq!(service.call("PUT", "/tenants/acme", "{}").status, 201);
    assert_eq!(
        log(&service, "/operator/audit?limit=1")[0]["event"]["type"],
        "act"
    );
}

#[test]
fn every_way_to_refuse_a_credential_is_recorded_and_counted() {
    let service = Service::new();
    let denying = r#"{"addresses":{"deny":["198.51.100.0/24"]}}"#;
    assert_eq!(service.call("PUT", "/operator/limits", denying).status, 201);
    let refuse = |headers: &[(&str, &str)], status: u16| {
        let answer = service.raw("GET", "/leaderboards", "", headers);
        assert_eq!(answer.status, status, "{answer:?}");
        let record = log(&service, "/operator/audit?limit=1").remove(0);
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
    let both = [FROM, ("x-api-key", "k"), ("authorization", "Bearer t")];
    assert_eq!(refuse(&both, 400), "unknown_token");
    while service
        .raw("GET", "/leaderboards", "", &[FROM, ("x-api-key", "k")])
        .status
        == 401
    {}
    assert_eq!(refuse(&[FROM, ("x-api-key", "k")], 429), "unknown_key");
    // Without a credential, none is refused.
    let before = log(&service, "/operator/audit?limit=1000").len();
    assert_eq!(service.raw("GET", "/leaderboards", "", &[denied]).status, 403);
    let records = log(&service, "/operator/audit?limit=1000");
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
fn refusals_are_recorded_after_an_end_that_came_too_early() {
    let service = Service::new();
    let refuse = || {
        let request = Service::get("/leaderboards", &[FROM, ("x-api-key", "wrong")]);
        futures::executor::block_on(service.answer(request)).status
    };
    assert_eq!(refuse(), 401);
    service.drop_what_is_left();
    assert_eq!(refuse(), 401);
    service.settle();
    assert_eq!(log(&service, "/operator/audit")[0]["event"]["count"], 2);
}
