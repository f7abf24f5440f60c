//! Flags of the operator and of tenants, and evaluations that depend on a client's address or country.

use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance};

const OFREP: &str = "/ofrep/v1/evaluate/flags";
const ACME: (&str, &str) = ("x-tenant-id", "acme");

/// A boolean flag that is what `on` says.
fn switch(on: bool) -> Value {
    json!({ "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": if on { "on" } else { "off" } })
}

fn set(flags: &Value) -> String {
    json!({ "flags": flags }).to_string()
}

fn put(service: &Instance, path: &str, flags: &Value) -> Answer {
    let answer = service.call("PUT", path, &set(flags));
    assert!(answer.status < 300, "{answer:?}");
    answer
}

fn evaluate(service: &Instance, key: &str, context: &Value) -> (u16, Value) {
    let answer = service.call(
        "POST",
        &format!("{OFREP}/{key}"),
        &json!({ "context": context }).to_string(),
    );
    (answer.status, answer.json())
}

#[test]
fn a_context_has_the_tenant_and_the_country_of_the_request() {
    let service = Instance::new();
    let by = |name: &str, value: &str| {
        json!({ "state": "ENABLED", "variants": { "yes": true, "no": false }, "defaultVariant": "no",
            "targeting": { "if": [{ "==": [{ "var": name }, value] }, "yes"] } })
    };
    put(
        &service,
        "/flags",
        &json!({ "tenant": by("tenant", "default"), "country": by("country", "DE") }),
    );
    let ask = |key: &str, context: Value, headers: &[(&str, &str)]| {
        let body = json!({ "context": context }).to_string();
        service
            .call_with("POST", &format!("{OFREP}/{key}"), &body, headers)
            .json()["value"]
            .clone()
    };
    assert_eq!(ask("tenant", json!({}), &[]), true);
    // The tenant is that of the request, whatever the context says.
    assert_eq!(ask("tenant", json!({ "tenant": "acme" }), &[]), true);
    assert_eq!(ask("country", json!({}), &[("x-country", "de")]), true);
    assert_eq!(ask("country", json!({}), &[("x-country", "pl")]), false);
    assert_eq!(ask("country", json!({}), &[("x-country", "Germany")]), false);
    // A server names the country of a player.
    assert_eq!(
        ask("country", json!({ "country": "DE" }), &[("x-country", "pl")]),
        true
    );
}

#[test]
fn the_set_of_a_tenant_precedes_that_of_the_operator() {
    let service = Instance::new();
    let operators = json!({ "both": switch(true), "global": switch(true) });
    let operators = json!({ "metadata": { "from": "operator", "a": 1 }, "flags": operators });
    service
        .call("PUT", "/operator/flags", &operators)
        .expect_status(201);
    let own = json!({ "both": switch(false), "own": switch(true) });
    let own = json!({ "metadata": { "from": "tenant" }, "flags": own });
    service
        .call_with("PUT", "/flags", &own, &[ACME])
        .expect_status(201);
    let values = |headers: &[(&str, &str)]| {
        let answer = service
            .call_with("POST", OFREP, r#"{"context":{}}"#, headers)
            .json();
        let flags = answer["flags"].as_array().unwrap().iter();
        let values = flags.map(|flag| format!("{} {}", flag["key"].as_str().unwrap(), flag["value"]));
        (values.collect::<Vec<_>>(), answer["metadata"].clone())
    };
    let of_acme = ["both false", "global true", "own true"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(values(&[ACME]), (of_acme, json!({ "from": "tenant", "a": 1 })));
    let of_others = ["both true", "global true"].map(str::to_owned).to_vec();
    assert_eq!(values(&[]), (of_others, json!({ "from": "operator", "a": 1 })));
}

#[test]
fn writes_are_on_where_neither_the_tenant_nor_the_operator_switches_them_off() {
    let service = Instance::new();
    for headers in [&[][..], &[ACME]] {
        service
            .call_with("PUT", "/leaderboards/b", "{}", headers)
            .expect_status(201);
    }
    let submit = |headers: &[(&str, &str)]| {
        let score = r#"{"player":"p","score":1,"id":"i"}"#;
        service
            .call_with("POST", "/leaderboards/b/scores", score, headers)
            .status
    };
    let writes = |on: bool| set(&json!({ "edgeboard.writes": switch(on) }));
    for (operator, tenant, expected) in [
        (true, false, (503, 200)),
        (false, true, (503, 503)),
        (true, false, (503, 200)),
        (true, true, (200, 200)),
    ] {
        assert!(service.call("PUT", "/operator/flags", &writes(operator)).status < 300);
        assert!(
            service
                .call_with("PUT", "/flags", &writes(tenant), &[ACME])
                .status
                < 300
        );
        assert_eq!((submit(&[ACME]), submit(&[])), expected, "{operator} {tenant}");
        // A message obeys the same switches.
        let message =
            r#"{"tenant":"acme","scores":[{"leaderboards":["b"],"player":"p","score":1,"id":"i"}]}"#;
        assert_eq!(
            service.message(message).dead_letters,
            usize::from(expected.0 == 503)
        );
    }
}

#[test]
fn an_evaluation_reads_no_store() {
    let service = Instance::new();
    put(&service, "/flags", &json!({ "a": switch(true) }));
    assert_eq!(evaluate(&service, "a", &json!({})).0, 200);
    service.store.down.set(true);
    assert_eq!(evaluate(&service, "a", &json!({})).1["value"], true);
    service
        .call("POST", OFREP, r#"{"context":{}}"#)
        .expect_status(200);
}

#[test]
fn the_second_version_is_rolled_out_gradually_as_the_default() {
    let service = Instance::new();
    let part = |new: u32| {
        json!({ "state": "ENABLED", "variants": { "new": true, "old": false }, "defaultVariant": "old",
            "targeting": { "fractional": [["new", new], ["old", 100 - new]] } })
    };
    service.call("PUT", "/leaderboards/b", "{}").expect_status(201);
    let versions = || -> Vec<String> {
        let of = |client: u32| {
            let address = format!("203.0.113.{client}:1");
            let from = [("spin-client-addr", address.as_str())];
            let answer = service.send("GET", "/api/leaderboards/b/entries", "", &from);
            answer.expect_status(200);
            answer.header("api-version").to_owned()
        };
        (0..100).map(of).collect()
    };
    assert!(versions().iter().all(|version| version == "1"));
    put(
        &service,
        "/operator/flags",
        &json!({ "edgeboard.api-v2-default": part(30) }),
    );
    let some = versions();
    let count = some.iter().filter(|version| *version == "2").count();
    assert!((15..=45).contains(&count), "{count} of 100");
    assert_eq!(versions(), some);
    put(
        &service,
        "/operator/flags",
        &json!({ "edgeboard.api-v2-default": part(60) }),
    );
    // A client that had the second version keeps it.
    let more = versions();
    assert!(some.iter().zip(&more).all(|(before, after)| before <= after));
    assert_ne!(more, some);
    // A tenant decides for itself.
    put(
        &service,
        "/flags",
        &json!({ "edgeboard.api-v2-default": switch(false) }),
    );
    assert!(versions().iter().all(|version| version == "1"));
}
