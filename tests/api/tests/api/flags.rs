//! Flags: their documents, their evaluation by OFREP, and what the product does by them.

use bytes::Bytes;
use leaderboard_pipeline::Body;
use serde_json::{Value, json};

use crate::service::{Answer, Service};

const OFREP: &str = "/ofrep/v1/evaluate/flags";
const ACME: (&str, &str) = ("x-tenant-id", "acme");

/// A boolean flag that is what `on` says.
fn switch(on: bool) -> Value {
    json!({ "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": if on { "on" } else { "off" } })
}

fn set(flags: &Value) -> String {
    json!({ "flags": flags }).to_string()
}

fn put(service: &Service, path: &str, flags: &Value) -> Answer {
    let answer = service.call("PUT", path, &set(flags));
    assert!(answer.status < 300, "{answer:?}");
    answer
}

fn evaluate(service: &Service, key: &str, context: &Value) -> (u16, Value) {
    let answer = service.call(
        "POST",
        &format!("{OFREP}/{key}"),
        &json!({ "context": context }).to_string(),
    );
    (answer.status, answer.json())
}

#[test]
fn a_set_is_a_versioned_document() {
    let service = Service::new();
    for path in ["/flags", "/operator/flags"] {
        assert_eq!(service.call("GET", path, "").problem().0, 404);
        assert_eq!(service.call("DELETE", path, "").problem().0, 404);
        let first = set(&json!({ "a": switch(true) }));
        let created = service.with("PUT", path, &first, &[("if-none-match", "*")]);
        assert_eq!((created.status, created.text.as_str()), (201, first.as_str()));
        let tag = created.header("etag").to_owned();
        assert_eq!(
            service
                .with("PUT", path, &first, &[("if-none-match", "*")])
                .problem()
                .0,
            412
        );
        let replaced = service.with("PUT", path, &set(&json!({})), &[("if-match", &tag)]);
        assert_eq!(replaced.status, 200);
        assert_ne!(replaced.header("etag"), tag);
        assert_eq!(
            service
                .with("DELETE", path, "", &[("if-match", &tag)])
                .problem()
                .0,
            412
        );
        let read = service.call("GET", path, "");
        assert_eq!((read.status, read.json()), (200, json!({ "flags": {} })));
        let again = service.with("GET", path, "", &[("if-none-match", read.header("etag"))]);
        assert_eq!((again.status, again.text.as_str()), (304, ""));
        assert_eq!(
            service
                .with("DELETE", path, "", &[("if-match", read.header("etag"))])
                .status,
            204
        );
        assert_eq!(service.call("GET", path, "").problem().0, 404);
    }
}

#[test]
fn only_who_may_configure_sees_or_changes_a_set() {
    let service = Service::new();
    for path in ["/flags", "/operator/flags"] {
        for method in ["GET", "PUT", "DELETE"] {
            let body = if method == "PUT" { "{}" } else { "" };
            let answer = service.raw(method, path, body, &[("content-type", "application/json")]);
            assert_eq!(answer.problem().0, 401, "{method} {path}");
        }
    }
}

#[test]
fn a_wrong_document_is_refused_with_its_places() {
    let service = Service::new();
    let put = |body: &str| service.call("PUT", "/flags", body).problem();
    assert_eq!(put("{").1, "malformed");
    assert_eq!(put("[]"), (422, "validation".to_owned(), "#".to_owned()));
    assert_eq!(put("{}"), (422, "validation".to_owned(), "#".to_owned()));
    let wrong = json!({ "a b%": { "state": "ON", "variants": { "x": 1, "y": "z" }, "targeting": { "if": [{ "no": 1 }] } } });
    let answer = service.call("PUT", "/flags", &set(&wrong));
    let places: Vec<_> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].clone())
        .collect();
    let expected = [
        "#/flags/a%20b%25/state",
        "#/flags/a%20b%25/variants/y",
        "#/flags/a%20b%25/targeting/if/0/no",
    ];
    assert_eq!(places, expected);
    let cyclic = r##"{"flags":{},"$evaluators":{"a":{"$ref":"b"},"b":{"$ref":"a"}}}"##;
    assert_eq!(put(cyclic).2, "#/$evaluators/b/$ref");
    let huge = format!("{{\"flags\":{{}},\"x\":\"{}\"}}", "x".repeat(300_000));
    assert_eq!(put(&huge).1, "validation");
    assert_eq!(
        put(&format!("{}1{}", "[".repeat(500), "]".repeat(500))).1,
        "malformed"
    );
    assert_eq!(service.call("GET", "/flags", "").status, 404);
}

#[test]
fn a_flag_is_evaluated_in_the_shape_of_the_protocol() {
    let service = Service::new();
    put(
        &service,
        "/flags",
        &json!({
            "plain": switch(true),
            "off": { "state": "DISABLED", "variants": { "x": "y" }, "defaultVariant": "x" },
            "open": { "state": "ENABLED", "variants": { "x": 1.5 } },
            "object": { "state": "ENABLED", "variants": { "x": { "rows": 3 } }, "defaultVariant": "x", "metadata": { "owner": "games" } },
            "vip": { "state": "ENABLED", "variants": { "yes": 1, "no": 0 }, "defaultVariant": "no",
                "targeting": { "if": [{ "==": [{ "var": "plan" }, "vip"] }, "yes"] } },
            "lost": { "state": "ENABLED", "variants": { "x": 1 }, "targeting": { "if": [true, "nowhere"] } },
            "a/b c": switch(false),
        }),
    );
    let none = json!({});
    let ok = |key: &str, context: &Value| {
        let (status, body) = evaluate(&service, key, context);
        assert_eq!(status, 200, "{body}");
        body
    };
    assert_eq!(
        ok("plain", &none),
        json!({ "key": "plain", "reason": "STATIC", "value": true, "variant": "on", "metadata": {} })
    );
    assert_eq!(
        ok("off", &none),
        json!({ "key": "off", "reason": "DISABLED", "metadata": {} })
    );
    assert_eq!(
        ok("open", &none),
        json!({ "key": "open", "reason": "DEFAULT", "metadata": {} })
    );
    assert_eq!(ok("object", &none)["metadata"], json!({ "owner": "games" }));
    assert_eq!(ok("vip", &json!({ "plan": "vip" }))["reason"], "TARGETING_MATCH");
    assert_eq!(ok("vip", &none)["reason"], "DEFAULT");
    assert_eq!(ok("a%2Fb%20c", &none)["key"], "a/b c");
    let error = |key: &str| {
        let (status, body) = evaluate(&service, key, &none);
        assert_eq!(body["key"], key);
        assert!(body["errorDetails"].is_string());
        (status, body["errorCode"].as_str().unwrap().to_owned())
    };
    assert_eq!(error("nothing"), (404, "FLAG_NOT_FOUND".to_owned()));
    assert_eq!(error("lost"), (400, "GENERAL".to_owned()));
}

#[test]
fn requests_that_are_none_are_answered_in_the_shape_of_the_protocol() {
    let service = Service::new();
    put(&service, "/flags", &json!({ "a": switch(true) }));
    for (body, code) in [
        ("{", "PARSE_ERROR"),
        ("[]", "PARSE_ERROR"),
        ("{}", "INVALID_CONTEXT"),
        (r#"{"context":null}"#, "INVALID_CONTEXT"),
        (r#"{"context":[]}"#, "INVALID_CONTEXT"),
        (r#"{"context":"text"}"#, "INVALID_CONTEXT"),
    ] {
        for path in [format!("{OFREP}/a"), OFREP.to_owned()] {
            let answer = service.call("POST", &path, body);
            assert_eq!(
                (answer.status, &answer.json()["errorCode"]),
                (400, &json!(code)),
                "{body} {path}"
            );
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }
    let json = &[("content-type", "application/json")];
    assert_eq!(
        service.raw("POST", OFREP, r#"{"context":{}}"#, json).problem().1,
        "unauthenticated"
    );
    assert_eq!(service.call("GET", OFREP, "").problem().0, 405);
    assert_eq!(
        service.call("GET", "/ofrep/v1/configuration", "").problem().0,
        404
    );
    assert_eq!(service.call("POST", "/flags/a", "{}").problem().0, 404);
}

#[test]
fn all_flags_are_evaluated_at_once_with_a_tag_of_the_answers() {
    let service = Service::new();
    let by_plan = json!({ "state": "ENABLED", "variants": { "yes": 1, "no": 0 }, "defaultVariant": "no",
        "targeting": { "if": [{ "==": [{ "var": "plan" }, "vip"] }, "yes"] } });
    service.call(
        "PUT",
        "/operator/flags",
        &json!({ "metadata": { "from": "operator", "a": 1 },
        "flags": { "shared": switch(true), "own": switch(true) } })
        .to_string(),
    );
    service.call(
        "PUT",
        "/flags",
        &json!({ "metadata": { "from": "tenant" },
        "flags": { "own": switch(false), "vip": by_plan, "lost": { "state": "ENABLED", "variants": { "x": 1 },
            "targeting": { "if": [true, "nowhere"] } } } })
        .to_string(),
    );
    let bulk = |plan: &str, tag: &str| {
        let body = json!({ "context": { "targetingKey": "p", "plan": plan } }).to_string();
        service.with("POST", OFREP, &body, &[("if-none-match", tag)])
    };
    let first = bulk("free", "\"none\"");
    let body = first.json();
    let keys: Vec<_> = body["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| flag["key"].clone())
        .collect();
    assert_eq!(keys, ["lost", "own", "shared", "vip"]);
    assert_eq!(body["flags"][0]["errorCode"], "GENERAL");
    assert_eq!(body["flags"][1]["value"], false);
    assert_eq!(body["flags"][2]["value"], true);
    assert_eq!(body["metadata"], json!({ "from": "tenant", "a": 1 }));
    assert_eq!(
        evaluate(&service, "shared", &json!({})).1["metadata"],
        json!({ "from": "tenant", "a": 1 })
    );
    let tag = first.header("etag");
    let same = bulk("free", tag);
    assert_eq!(
        (same.status, same.text.as_str(), same.header("etag")),
        (304, "", tag)
    );
    // Another context, other answers.
    assert_eq!(bulk("vip", tag).status, 200);
    put(&service, "/flags", &json!({ "own": switch(true) }));
    assert_eq!(bulk("free", tag).status, 200);
}

#[test]
fn the_edge_adds_what_it_knows_to_a_context() {
    let service = Service::new();
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
            .with("POST", &format!("{OFREP}/{key}"), &body, headers)
            .json()["value"]
            .clone()
    };
    assert_eq!(ask("tenant", json!({}), &[]), true);
    // Nobody claims another tenant than the request's.
    assert_eq!(ask("tenant", json!({ "tenant": "acme" }), &[]), true);
    assert_eq!(ask("country", json!({}), &[("x-country", "de")]), true);
    assert_eq!(ask("country", json!({}), &[("x-country", "pl")]), false);
    assert_eq!(ask("country", json!({}), &[("x-country", "Germany")]), false);
    // A server asks for a player elsewhere than where it stands itself.
    assert_eq!(
        ask("country", json!({ "country": "DE" }), &[("x-country", "pl")]),
        true
    );
}

#[test]
fn tenants_see_their_own_set_and_the_operators() {
    let service = Service::new();
    put(
        &service,
        "/operator/flags",
        &json!({ "both": switch(true), "global": switch(true) }),
    );
    service.with(
        "PUT",
        "/flags",
        &set(&json!({ "both": switch(false), "acmes": switch(true) })),
        &[ACME],
    );
    let keys = |headers: &[(&str, &str)]| {
        let answer = service.with("POST", OFREP, r#"{"context":{}}"#, headers).json();
        let flags = answer["flags"].as_array().unwrap().clone();
        flags
            .iter()
            .map(|flag| format!("{} {}", flag["key"].as_str().unwrap(), flag["value"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&[ACME]), ["acmes true", "both false", "global true"]);
    assert_eq!(keys(&[]), ["both true", "global true"]);
}

#[test]
fn writes_are_switched_off_for_one_tenant_or_for_all() {
    let service = Service::new();
    let board = |headers: &[(&str, &str)]| service.with("PUT", "/leaderboards/b", "{}", headers).status;
    let score = r#"{"player":"p","score":1,"id":"i"}"#;
    let submit = |headers: &[(&str, &str)]| service.with("POST", "/leaderboards/b/scores", score, headers);
    assert_eq!((board(&[]), board(&[ACME])), (201, 201));
    let off = set(&json!({ "edgeboard.writes": switch(false) }));
    let on = set(&json!({ "edgeboard.writes": switch(true) }));

    assert_eq!(service.with("PUT", "/flags", &off, &[ACME]).status, 201);
    let refused = submit(&[ACME]);
    assert_eq!(
        refused.problem(),
        (503, "writes-disabled".to_owned(), String::new())
    );
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(board(&[ACME]), 503);
    assert_eq!(service.with("DELETE", "/leaderboards/b", "", &[ACME]).status, 503);
    assert_eq!(
        service.with("GET", "/leaderboards/b/entries", "", &[ACME]).status,
        200
    );
    assert_eq!(submit(&[]).status, 200);
    let published = r#"{"tenant":"acme","scores":[{"leaderboards":["b"],"player":"p","score":1,"id":"m"}]}"#;
    assert_eq!(service.message(published).buried, 1);

    // A tenant does not switch on again what the operator has switched off, nor the other way round.
    assert_eq!(service.call("PUT", "/operator/flags", &off).status, 201);
    assert_eq!(service.with("PUT", "/flags", &on, &[ACME]).status, 200);
    assert_eq!((submit(&[ACME]).status, submit(&[]).status), (503, 503));
    assert_eq!(service.call("PUT", "/operator/flags", &on).status, 200);
    assert_eq!(service.with("PUT", "/flags", &off, &[ACME]).status, 200);
    assert_eq!((submit(&[ACME]).status, submit(&[]).status), (503, 200));
    assert_eq!(service.with("DELETE", "/flags", "", &[ACME]).status, 204);
    assert_eq!(submit(&[ACME]).status, 200);
}

#[test]
fn the_products_own_flags_do_what_they_are_there_for_or_are_refused() {
    let service = Service::new();
    let variants = json!({ "on": true, "off": false });
    let many = vec![0; 20];
    let mut slow = json!({ "in": [0, many] });
    for _ in 0..3 {
        slow = json!({ "all": [many, { "or": [slow, true] }] });
    }
    for (flag, member) in [
        (
            json!({ "state": "ENABLED", "variants": { "x": "false" }, "defaultVariant": "x" }),
            "variants",
        ),
        (
            json!({ "state": "DISABLED", "variants": variants, "defaultVariant": "on" }),
            "state",
        ),
        (
            json!({ "state": "ENABLED", "variants": variants }),
            "defaultVariant",
        ),
        (
            json!({ "state": "ENABLED", "variants": variants, "defaultVariant": "on",
                "targeting": { "if": [true, "nowhere"] } }),
            "targeting",
        ),
        (
            json!({ "state": "ENABLED", "variants": variants, "defaultVariant": "on",
                "targeting": { "if": [slow, "on", "off"] } }),
            "targeting",
        ),
    ] {
        for path in ["/flags", "/operator/flags"] {
            let refused = service.call("PUT", path, &set(&json!({ "edgeboard.writes": flag })));
            let place = format!("#/flags/edgeboard.writes/{member}");
            assert_eq!(refused.problem(), (422, "validation".to_owned(), place), "{flag}");
        }
    }
    let misspelt = service.call(
        "PUT",
        "/flags",
        &set(&json!({ "edgeboard.write": switch(false) })),
    );
    assert_eq!(
        misspelt.problem(),
        (422, "validation".to_owned(), "#/flags/edgeboard.write".to_owned())
    );
    // A tenant's own flags may be of any kind, and take longer.
    put(
        &service,
        "/flags",
        &json!({ "own": { "state": "DISABLED", "variants": { "x": "y" }, "targeting": { "if": [slow, "x"] } } }),
    );
}

#[test]
fn an_evaluation_asks_no_store() {
    let service = Service::new();
    put(&service, "/flags", &json!({ "a": switch(true) }));
    assert_eq!(evaluate(&service, "a", &json!({})).0, 200);
    service.store.down.set(true);
    assert_eq!(evaluate(&service, "a", &json!({})).1["value"], true);
    assert_eq!(service.call("POST", OFREP, r#"{"context":{}}"#).status, 200);
}

#[test]
fn the_second_version_is_rolled_out_gradually_as_the_default() {
    let service = Service::new();
    let part = |new: u32| {
        json!({ "state": "ENABLED", "variants": { "new": true, "old": false }, "defaultVariant": "old",
            "targeting": { "fractional": [["new", new], ["old", 100 - new]] } })
    };
    assert_eq!(service.call("PUT", "/leaderboards/b", "{}").status, 201);
    let versions = || -> Vec<String> {
        let of = |client: u32| {
            let address = format!("203.0.113.{client}:1");
            let request =
                http::Request::get("/api/leaderboards/b/entries").header("spin-client-addr", address);
            let body = Body::Bytes(Bytes::new());
            let answer = service.send(request.body(body).unwrap());
            assert_eq!(answer.status, 200);
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
    // Whoever had the second version keeps it.
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

#[test]
fn a_name_that_is_there_twice_is_refused_wherever_it_stands() {
    let service = Service::new();
    let twice =
        r#"{"flags":{"a":{"state":"ENABLED","variants":{"on":true,"on":false},"defaultVariant":"on"}}}"#;
    for path in ["/flags", "/operator/flags"] {
        let refused = service.call("PUT", path, twice);
        let place = "#/flags/a/variants/on".to_owned();
        assert_eq!(refused.problem(), (400, "malformed".to_owned(), place));
    }
    put(&service, "/flags", &json!({ "a": switch(true) }));
    let deep = format!("{}1{}", r#"{"x":"#.repeat(40), "}".repeat(40));
    for context in [r#"{"player":"a","player":"b"}"#, &deep] {
        for path in [OFREP.to_owned(), format!("{OFREP}/a")] {
            let refused = service.call("POST", &path, &format!(r#"{{"context":{context}}}"#));
            let code = refused.json()["errorCode"].clone();
            assert_eq!((refused.status, code), (400, json!("PARSE_ERROR")), "{context}");
        }
    }
}
