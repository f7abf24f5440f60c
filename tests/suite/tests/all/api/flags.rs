//! Tests of flags: their documents, their evaluation by OFREP, and the flags that the product itself uses.

use leaderboard_test_support::{ApiClient, ApiResponse, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// The path that evaluates all flags.
const ALL_FLAGS: &str = "/ofrep/v1/evaluate/flags";

/// Returns a boolean flag that is on or off for everyone.
fn boolean_flag(on: bool) -> Value {
    let variant = if on { "on" } else { "off" };
    json!({"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": variant})
}

/// Returns a boolean flag that is on if this member of the context has this value.
fn targeted_flag(member: &str, value: &str) -> Value {
    json!({"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
        "targeting": {"if": [{"==": [{"var": member}, value]}, "on"]}})
}

/// Creates or replaces the tenant's flags.
async fn put_flags(api: &ApiClient, flags: Value) {
    let answer = api.put("/flags", &json!({ "flags": flags })).await;
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
}

/// Evaluates a flag, or all flags if the key is empty.
async fn evaluate(api: &ApiClient, key: &str, context: Value) -> ApiResponse {
    let path = if key.is_empty() {
        ALL_FLAGS.to_owned()
    } else {
        format!("{ALL_FLAGS}/{key}")
    };
    api.request_at("POST", &path)
        .json(&json!({ "context": context }))
        .send()
        .await
}

/// Evaluates a flag and returns its value.
async fn evaluate_value(api: &ApiClient, key: &str, context: Value) -> Value {
    evaluate(api, key, context).await.expect_status(200)["value"].clone()
}

api_cases! {
    async fn an_invalid_document_is_refused_with_a_pointer_to_each_error(api) {
        let wrong = json!({"a b%": {"state": "ON", "variants": {"x": 1, "y": "z"}, "targeting": {"if": [{"no": 1}]}}});
        let wrong = json!({"flags": wrong}).to_string();
        let twice = r#"{"flags":{"a":{"state":"ENABLED","variants":{"on":true,"on":false},"defaultVariant":"on"}}}"#;
        let cyclic = r##"{"flags":{},"$evaluators":{"a":{"$ref":"b"},"b":{"$ref":"a"}}}"##;
        let huge = json!({"flags": {}, "x": "x".repeat(300_000)}).to_string();
        let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
        let rows: [(&str, u16, &[&str]); 8] = [
            ("{", 400, &["#"]),
            ("[]", 422, &["#"]),
            ("{}", 422, &["#"]),
            (&wrong, 422, &["#/flags/a%20b%25/state", "#/flags/a%20b%25/variants/y", "#/flags/a%20b%25/targeting/if/0/no"]),
            (cyclic, 422, &["#/$evaluators/b/$ref"]),
            (twice, 400, &["#/flags/a/variants/on"]),
            (&huge, 422, &[]),
            (&deep, 400, &[]),
        ];
        for (body, status, expected) in rows {
            let refused = api.request("PUT", "/flags").json(&Value::Null).body(body.to_owned()).send().await;
            let problem = refused.expect_problem(status, if status == 400 { "malformed" } else { "validation" });
            let faults = problem["errors"].as_array().unwrap().iter();
            let pointers: Vec<_> = faults.map(|fault| fault["pointer"].as_str().unwrap()).collect();
            assert!(expected.is_empty() || pointers == expected, "{problem}");
        }
        api.get("/flags").await.expect_problem(404, "document-not-found");
    }

    async fn an_evaluation_has_the_format_of_the_protocol(api) {
        put_flags(api, json!({
            "plain": boolean_flag(true),
            "off": {"state": "DISABLED", "variants": {"x": "y"}, "defaultVariant": "x"},
            "open": {"state": "ENABLED", "variants": {"x": 1.5}},
            "object": {"state": "ENABLED", "variants": {"x": {"rows": 3}}, "defaultVariant": "x", "metadata": {"owner": "games"}},
            "vip": targeted_flag("plan", "vip"),
            "lost": {"state": "ENABLED", "variants": {"x": 1}, "targeting": {"if": [true, "nowhere"]}},
            "a/b c": boolean_flag(false),
        })).await;
        for (key, context, expected) in [
            ("plain", json!({}), json!({"key": "plain", "reason": "STATIC", "value": true, "variant": "on", "metadata": {}})),
            ("off", json!({}), json!({"key": "off", "reason": "DISABLED", "metadata": {}})),
            ("open", json!({}), json!({"key": "open", "reason": "DEFAULT", "metadata": {}})),
            ("object", json!({}), json!({"metadata": {"owner": "games"}})),
            ("vip", json!({"plan": "vip"}), json!({"reason": "TARGETING_MATCH"})),
            ("vip", json!({}), json!({"reason": "DEFAULT"})),
            ("a%2Fb%20c", json!({}), json!({"key": "a/b c"})),
        ] {
            let actual = evaluate(api, key, context).await.expect_status(200);
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(actual[name], *value, "{name} of {actual}");
            }
            assert!(expected.get("metadata").is_none() || expected.get("key").is_none() || actual == expected, "{actual}");
        }
        for (key, status, code) in [("nothing", 404, "FLAG_NOT_FOUND"), ("lost", 400, "GENERAL")] {
            let error = evaluate(api, key, json!({})).await.expect_status(status);
            assert_eq!((&error["key"], &error["errorCode"]), (&json!(key), &json!(code)));
            assert!(error["errorDetails"].is_string());
        }
    }

    async fn an_invalid_request_gets_an_error_in_the_format_of_the_protocol(api) {
        put_flags(api, json!({"a": boolean_flag(true)})).await;
        let deep = format!(r#"{{"context":{}1{}}}"#, r#"{"x":"#.repeat(40), "}".repeat(40));
        for (body, code) in [
            ("{", "PARSE_ERROR"),
            ("[]", "PARSE_ERROR"),
            (&deep, "PARSE_ERROR"),
            (r#"{"context":{"player":"a","player":"b"}}"#, "PARSE_ERROR"),
            ("{}", "INVALID_CONTEXT"),
            (r#"{"context":null}"#, "INVALID_CONTEXT"),
            (r#"{"context":[]}"#, "INVALID_CONTEXT"),
            (r#"{"context":"text"}"#, "INVALID_CONTEXT"),
        ] {
            for path in [ALL_FLAGS.to_owned(), format!("{ALL_FLAGS}/a")] {
                let refused = api.request_at("POST", &path).json(&Value::Null).body(body.to_owned()).send().await;
                assert_eq!(refused.expect_status(400)["errorCode"], code, "{body} {path}");
                assert_eq!(refused.header("content-type"), "application/json");
            }
        }
        let anonymous = api.request_at("POST", ALL_FLAGS).without_header("x-api-key").json(&json!({"context": {}}));
        anonymous.send().await.expect_problem(401, "unauthenticated");
        api.request_at("GET", ALL_FLAGS).send().await.expect_problem(405, "method-not-allowed");
        api.request_at("GET", "/ofrep/v1/configuration").send().await.expect_problem(404, "not-found");
        api.post("/flags/a", &json!({})).await.expect_problem(404, "not-found");
    }

    async fn all_flags_are_evaluated_at_once_and_their_values_have_an_etag(api) {
        let lost = json!({"state": "ENABLED", "variants": {"x": 1}, "targeting": {"if": [true, "nowhere"]}});
        let flags = json!({"own": boolean_flag(false), "vip": targeted_flag("plan", "vip"), "lost": lost});
        api.put("/flags", &json!({"metadata": {"from": "tenant"}, "flags": flags})).await.expect_status(201);
        let bulk = async |plan: &str, tag: &str| {
            let context = json!({"context": {"targetingKey": "p", "plan": plan}});
            api.request_at("POST", ALL_FLAGS).header("if-none-match", tag).json(&context).send().await
        };
        let first = bulk("free", "\"none\"").await;
        let body = first.expect_status(200);
        let keys: Vec<_> = body["flags"].as_array().unwrap().iter().map(|flag| flag["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["lost", "own", "vip"]);
        assert_eq!((&body["flags"][0]["errorCode"], &body["flags"][1]["value"]), (&json!("GENERAL"), &json!(false)));
        assert_eq!(body["metadata"], json!({"from": "tenant"}));
        let tag = first.header("etag");
        let same = bulk("free", tag).await;
        assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, tag));
        bulk("vip", tag).await.expect_status(200);
        put_flags(api, json!({"own": boolean_flag(true)})).await;
        bulk("free", tag).await.expect_status(200);
    }

    async fn the_tenant_of_a_context_is_the_tenant_of_the_request(api) {
        put_flags(api, json!({"tenant": targeted_flag("tenant", &api.tenant)})).await;
        for context in [json!({}), json!({"tenant": "acme"})] {
            assert_eq!(evaluate_value(api, "tenant", context).await, true);
        }
    }

    async fn a_token_decides_the_player_and_a_server_may_name_any_player(api) {
        put_flags(api, json!({"player": targeted_flag("player", "ann"), "share": targeted_flag("targetingKey", "ann")})).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let token = api.issue_token(&key, "ann").await;
        let evaluate_both = async |header: (&str, &str), context: Value| {
            let call = api.bare("POST", ALL_FLAGS).header(header.0, header.1).json(&json!({ "context": context }));
            let flags = call.send().await.expect_status(200)["flags"].clone();
            [0, 1].map(|at| flags[at]["value"].as_bool().unwrap())
        };
        let bearer = format!("Bearer {token}");
        let player = ("authorization", bearer.as_str());
        assert_eq!(evaluate_both(player, json!({})).await, [true, true]);
        assert_eq!(evaluate_both(player, json!({"player": "bob"})).await, [true, true]);
        assert_eq!(evaluate_both(player, json!({"targetingKey": "device"})).await, [true, false]);
        let server = ("x-api-key", key.as_str());
        assert_eq!(evaluate_both(server, json!({})).await, [false, false]);
        assert_eq!(evaluate_both(server, json!({"player": "ann", "targetingKey": "ann"})).await, [true, true]);
        for (scopes, verb, path, status) in [
            (json!(["scores:read", "scores:write"]), "GET", "/api/v1/flags", 403),
            (json!(["scores:read", "scores:write"]), "PUT", "/api/v1/flags", 403),
            (json!(["admin"]), "GET", "/api/v1/flags", 200),
            (json!(["admin"]), "GET", "/api/v1/operator/flags", 403),
            (json!(["scores:write"]), "POST", ALL_FLAGS, 403),
        ] {
            let key = api.make_key(scopes).await.1;
            let call = api.bare(verb, path).header("x-api-key", &key);
            let call = if verb == "GET" { call } else { call.json(&json!({"context": {}})) };
            call.send().await.expect_status(status);
        }
    }

    async fn a_tenant_without_writes_still_manages_bans_keys_and_tokens(api) {
        api.create_leaderboard("b", &json!({})).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        put_flags(api, json!({"edgeboard.writes": boolean_flag(false)})).await;
        let submit = async |tenant: &ApiClient| {
            tenant.post("/leaderboards/b/scores", &json!({"player": "p", "score": 1})).await
        };
        let refused = wait_until(async || submit(api).await, |answer| answer.status != 200).await;
        refused.expect_problem(503, "writes-disabled");
        assert_eq!(refused.header("retry-after"), "30");
        api.put("/leaderboards/b", &json!({})).await.expect_problem(503, "writes-disabled");
        api.delete("/leaderboards/b").await.expect_problem(503, "writes-disabled");
        api.page("b", "").await;
        for verb in ["PUT", "DELETE"] {
            api.request(verb, "/players/p/ban").send().await.expect_status(204);
        }
        api.issue_token(&key, "ann").await;
        let id = api.make_key(json!(["scores:read"])).await.0;
        api.delete(&format!("/keys/{id}")).await.expect_status(204);
        let other = api.another_tenant();
        other.create_leaderboard("b", &json!({})).await;
        submit(&other).await.expect_status(200);
        put_flags(api, json!({"edgeboard.writes": boolean_flag(true)})).await;
        wait_until(async || submit(api).await.status, |status| *status == 200).await;
    }

    async fn a_product_flag_with_a_wrong_type_or_slow_targeting_is_refused(api) {
        let variants = json!({"on": true, "off": false});
        let many = vec![0; 20];
        let mut slow = json!({"in": [0, many]});
        for _ in 0..3 {
            slow = json!({"all": [many, {"or": [slow, true]}]});
        }
        let targeted = |targeting: Value| {
            json!({"state": "ENABLED", "variants": variants, "defaultVariant": "on", "targeting": {"if": targeting}})
        };
        for (flag, member) in [
            (json!({"state": "ENABLED", "variants": {"x": "false"}, "defaultVariant": "x"}), "variants"),
            (json!({"state": "DISABLED", "variants": variants, "defaultVariant": "on"}), "state"),
            (json!({"state": "ENABLED", "variants": variants}), "defaultVariant"),
            (targeted(json!([true, "nowhere"])), "targeting"),
            (targeted(json!([slow, "on", "off"])), "targeting"),
        ] {
            for path in ["/flags", "/operator/flags"] {
                let document = json!({"flags": {"edgeboard.writes": flag}});
                let refused = api.put(path, &document).await.expect_problem(422, "validation");
                assert_eq!(refused["errors"][0]["pointer"], format!("#/flags/edgeboard.writes/{member}"));
            }
        }
        let misspelt = json!({"flags": {"edgeboard.write": boolean_flag(false)}});
        let refused = api.put("/flags", &misspelt).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/flags/edgeboard.write");
        // A flag that the product does not use may have any type and may take longer to evaluate.
        put_flags(api, json!({"own": {"state": "DISABLED", "variants": {"x": "y"}, "targeting": {"if": [slow, "x"]}}})).await;
    }

    async fn a_flag_selects_the_default_version_of_the_api(api) {
        api.create_leaderboard("b", &json!({})).await;
        let version = async |header: &str, value: &str| {
            let call = api.request_at("GET", "/api/leaderboards/b/entries").header(header, value);
            call.send().await.header("api-version").to_owned()
        };
        assert_eq!(version("accept", "*/*").await, "1");
        put_flags(api, json!({"edgeboard.api-v2-default": boolean_flag(true)})).await;
        assert_eq!(version("accept", "*/*").await, "2");
        assert_eq!(version("api-version", "1").await, "1");
        assert_eq!(version("accept", "application/vnd.edgeboard.v1+json").await, "1");
        put_flags(api, json!({"edgeboard.api-v2-default": boolean_flag(false)})).await;
        assert_eq!(version("accept", "*/*").await, "1");
    }
}
