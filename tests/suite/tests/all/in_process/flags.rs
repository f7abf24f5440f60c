//! Tests of flags of the operator and of tenants, and of evaluations that depend on a client's address or
//! country.

use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance};

const OFREP: &str = "/ofrep/v1/evaluate/flags";
const ACME: (&str, &str) = ("x-tenant-id", "acme");

/// Returns a boolean flag with the value `on`.
fn build_flag(on: bool) -> Value {
    json!({ "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": if on { "on" } else { "off" } })
}

/// Returns the document of a set of flags.
fn build_flag_set(flags: &Value) -> String {
    json!({ "flags": flags }).to_string()
}

fn put_flags(service: &Instance, path: &str, flags: &Value) -> Answer {
    let answer = service.call("PUT", path, &build_flag_set(flags));
    assert!(answer.status < 300, "{answer:?}");
    answer
}

/// Evaluates a flag. Returns the status and the document of the response.
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
    let build_flag_for = |name: &str, value: &str| {
        json!({ "state": "ENABLED", "variants": { "yes": true, "no": false }, "defaultVariant": "no",
            "targeting": { "if": [{ "==": [{ "var": name }, value] }, "yes"] } })
    };
    put_flags(
        &service,
        "/flags",
        &json!({ "tenant": build_flag_for("tenant", "default"), "country": build_flag_for("country", "DE") }),
    );
    let evaluate_for = |key: &str, context: Value, headers: &[(&str, &str)]| {
        let body = json!({ "context": context }).to_string();
        service
            .call_with("POST", &format!("{OFREP}/{key}"), &body, headers)
            .json()["value"]
            .clone()
    };
    assert_eq!(evaluate_for("tenant", json!({}), &[]), true);
    // The tenant of the request replaces a tenant in the context.
    assert_eq!(evaluate_for("tenant", json!({ "tenant": "acme" }), &[]), true);
    assert_eq!(evaluate_for("country", json!({}), &[("x-country", "de")]), true);
    assert_eq!(evaluate_for("country", json!({}), &[("x-country", "pl")]), false);
    assert_eq!(
        evaluate_for("country", json!({}), &[("x-country", "Germany")]),
        false
    );
    // A country in the context replaces that of the request, because a server can know the player's country.
    assert_eq!(
        evaluate_for("country", json!({ "country": "DE" }), &[("x-country", "pl")]),
        true
    );
}

#[test]
fn a_flag_of_the_tenant_overrides_the_same_flag_of_the_operator() {
    let service = Instance::new();
    let operators = json!({ "both": build_flag(true), "global": build_flag(true) });
    let operators = json!({ "metadata": { "from": "operator", "a": 1 }, "flags": operators });
    service
        .call("PUT", "/operator/flags", &operators)
        .expect_status(201);
    let own = json!({ "both": build_flag(false), "own": build_flag(true) });
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
    let values_of_acme = ["both false", "global true", "own true"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(
        values(&[ACME]),
        (values_of_acme, json!({ "from": "tenant", "a": 1 }))
    );
    let values_of_others = ["both true", "global true"].map(str::to_owned).to_vec();
    assert_eq!(
        values(&[]),
        (values_of_others, json!({ "from": "operator", "a": 1 }))
    );
}

#[test]
fn writes_are_off_if_the_tenant_or_the_operator_switches_them_off() {
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
    let writes = |on: bool| build_flag_set(&json!({ "edgeboard.writes": build_flag(on) }));
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
        // The same flags apply to messages.
        let message =
            r#"{"tenant":"acme","scores":[{"leaderboards":["b"],"player":"p","score":1,"id":"i"}]}"#;
        assert_eq!(
            service.message(message).dead_letters,
            usize::from(expected.0 == 503)
        );
    }
}

#[test]
fn an_evaluation_does_not_need_the_store() {
    let service = Instance::new();
    put_flags(&service, "/flags", &json!({ "a": build_flag(true) }));
    assert_eq!(evaluate(&service, "a", &json!({})).0, 200);
    service.store.down.set(true);
    assert_eq!(evaluate(&service, "a", &json!({})).1["value"], true);
    service
        .call("POST", OFREP, r#"{"context":{}}"#)
        .expect_status(200);
}

#[test]
fn a_flag_makes_the_second_version_the_default_of_some_clients() {
    let service = Instance::new();
    let roll_out = |new: u32| {
        json!({ "state": "ENABLED", "variants": { "new": true, "old": false }, "defaultVariant": "old",
            "targeting": { "fractional": [["new", new], ["old", 100 - new]] } })
    };
    service.call("PUT", "/leaderboards/b", "{}").expect_status(201);
    let default_versions = || -> Vec<String> {
        let default_version = |client: u32| {
            let address = format!("203.0.113.{client}:1");
            let from = [("spin-client-addr", address.as_str())];
            let answer = service.send("GET", "/api/leaderboards/b/entries", "", &from);
            answer.expect_status(200);
            answer.header("api-version").to_owned()
        };
        (0..100).map(default_version).collect()
    };
    assert!(default_versions().iter().all(|version| version == "1"));
    put_flags(
        &service,
        "/operator/flags",
        &json!({ "edgeboard.api-v2-default": roll_out(30) }),
    );
    let first = default_versions();
    let count = first.iter().filter(|version| *version == "2").count();
    assert!((15..=45).contains(&count), "{count} of 100");
    assert_eq!(default_versions(), first);
    put_flags(
        &service,
        "/operator/flags",
        &json!({ "edgeboard.api-v2-default": roll_out(60) }),
    );
    // Each client that had the second version keeps it.
    let second = default_versions();
    assert!(first.iter().zip(&second).all(|(before, after)| before <= after));
    assert_ne!(second, first);
    // A tenant's flag overrides the operator's flag.
    put_flags(
        &service,
        "/flags",
        &json!({ "edgeboard.api-v2-default": build_flag(false) }),
    );
    assert!(default_versions().iter().all(|version| version == "1"));
}
