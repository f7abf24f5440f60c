//! Tests of problem documents: they list every error at once, point at fields that were sent, and suggest
//! valid values.

use leaderboard_test_support::ApiResponse;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Returns, for each error of a problem, the field, parameter or header that it points at, and its detail.
fn list_errors(answer: &ApiResponse) -> Vec<(String, String)> {
    let problem = answer.json();
    let text = |error: &Value, name: &str| error[name].as_str().map(str::to_owned);
    let at = |error: &Value| {
        ["pointer", "parameter", "header"]
            .iter()
            .find_map(|name| text(error, name))
    };
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| (at(error).unwrap(), text(error, "detail").unwrap()))
        .collect()
}

/// Returns the field, parameter or header that each error of a problem points at.
fn pointers(answer: &ApiResponse) -> Vec<String> {
    list_errors(answer).into_iter().map(|(at, _)| at).collect()
}

/// Returns the detail of a problem.
fn detail(answer: &ApiResponse) -> String {
    answer.json()["detail"].as_str().unwrap_or_default().to_owned()
}

api_cases! {
    async fn every_error_of_a_document_is_reported_at_once(api) {
        let many = |value: &str, count: usize| vec![json!(value); count];
        let mut addresses = many("10.0.0.0/8", 65);
        addresses[3] = json!("here");
        let mut audiences = many("a", 17);
        audiences[16] = json!(7);
        let jwks = "https://id.example/keys";
        let rows: Vec<(&str, &str, Value, Vec<&str>)> = vec![
            ("PUT", "/leaderboards/b", json!({"ties": "first", "operator": "max", "keep_periods": 0, "limits": {"min": 5, "max": 1}, "title": "a\u{7}"}),
                vec!["#/operator", "#/ties", "#/title", "#/keep_periods", "#/limits/min", "#/limits/max"]),
            ("PUT", "/leaderboards/b", json!({"columns": [{"name": "A", "order": "up"}, {"name": "b", "order": "down"}, {"name": "c"}]}),
                vec!["#/columns/0/order", "#/columns/0/name", "#/columns/1/order"]),
            ("PUT", "/leaderboards/b", json!({"columns": [{"name": "a"}, {"name": "a"}, {"name": "a"}]}), vec!["#/columns/1/name", "#/columns/2/name"]),
            ("PUT", "/leaderboards/b", json!({"reset": {"cron": "0 25 * * *"}}), vec!["#/reset/time_zone", "#/reset/cron"]),
            ("PUT", "/leaderboards/b", json!({"reset": {"time_zone": "Nowhere/Else", "cron": 7}}), vec!["#/reset/cron", "#/reset/time_zone"]),
            ("PUT", "/leaderboards/b", json!({"columns": [{"name": "a", "order": "up"}, {"name": "a"}, {"name": 7}, {"name": "A"}, {"name": "A"}]}),
                vec!["#/columns/0/order", "#/columns/2/name", "#/columns/3/name", "#/columns/4/name", "#/columns", "#/columns/1/name"]),
            ("PUT", "/leaderboards/b", json!({"title": format!("\u{7}{}", "x".repeat(200))}), vec!["#/title", "#/title"]),
            ("PUT", "/leaderboards/b", json!({"limits": {"min": 5, "max": 1, "max_attempts": "x"}}), vec!["#/limits/max_attempts", "#/limits/min", "#/limits/max"]),
            ("PUT", "/leaderboards/b", json!({"cache": {"warm": [7, {"view": "entries", "limit": 0}]}}), vec!["#/cache/warm/0", "#/cache/warm/1/limit"]),
            ("POST", "/keys", json!({"name": "", "scopes": [], "expires_at": "2020-01-01T00:00:00Z"}), vec!["#/name", "#/scopes", "#/expires_at"]),
            ("POST", "/keys", json!({"scopes": ["nope"], "expires_at": "2020-01-01T00:00:00Z", "colour": "red", "allowed_addresses": addresses,
                "token_addresses": many("10.0.0.0/8", 65)}),
                vec!["#/colour", "#/name", "#/scopes/0", "#/allowed_addresses/3", "#/allowed_addresses", "#/token_addresses", "#/expires_at"]),
            ("POST", "/tokens", json!({"player": "p", "scopes": ["nope"], "lifetime_s": 0}), vec!["#/scopes/0", "#/lifetime_s"]),
            ("POST", "/tokens", json!({"scopes": ["admin"], "lifetime_s": "x"}), vec!["#/player", "#/scopes", "#/lifetime_s"]),
            ("PUT", "/issuers/i", json!({"default_scopes": ["nope"], "leeway_s": "x", "claims": {"player": 7, "scopes": "a b"}}),
                vec!["#/issuer", "#/audiences", "#", "#/leeway_s", "#/claims/player", "#/default_scopes/0", "#/claims"]),
            // An invalid value is one error. Errors that would follow from its default are not listed.
            ("PUT", "/issuers/i", json!({"issuer": "", "audiences": [7], "jwks_uri": "http://10.0.0.1/", "leeway_s": 301, "tenant": "other",
                "granted_scopes": ["nope"], "default_scopes": ["admin"]}),
                vec!["#/audiences/0", "#/jwks_uri", "#/tenant", "#/granted_scopes/0", "#/issuer", "#/leeway_s"]),
            ("PUT", "/issuers/i", json!({"issuer": "i", "audiences": audiences, "jwks_uri": jwks}), vec!["#/audiences/16", "#/audiences"]),
            ("PUT", "/issuers/i", json!({"issuer": "i", "audiences": ["a"], "keys": [7, {"secret": 7, "kid": 7}, {"pem": "nonsense"}, {"secret": "short"}]}),
                vec!["#/keys/0", "#/keys/1/kid", "#/keys/1/secret", "#/keys/2", "#/keys/3"]),
            ("PUT", "/operator/issuers/i", json!({"issuer": "", "audiences": ["a"], "jwks_uri": jwks}), vec!["#/tenant", "#/issuer"]),
            ("PUT", "/operator/issuers/i", json!({"issuer": "i", "audiences": ["a"], "jwks_uri": jwks, "claims": 7}), vec!["#/claims"]),
            ("PUT", "/operator/issuers/i", json!({"issuer": "i", "audiences": ["a"], "jwks_uri": jwks, "claims": {"tenant": 7}}), vec!["#/claims/tenant"]),
        ];
        for (verb, path, document, expected) in rows {
            let refused = api.request(verb, path).json(&document).send().await;
            refused.expect_problem(422, "validation");
            assert_eq!(pointers(&refused), expected, "{verb} {path} {document}");
        }
    }

    async fn details_suggest_a_valid_value(api) {
        let put = async |document: Value| list_errors(&api.put("/leaderboards/b", &document).await);
        let found = put(json!({"reset": {"cron": "0 25 * * *", "time_zone": "Europe/Madird"}})).await;
        assert!(found[0].1.starts_with("the field hour (25) must be 0 to 23"), "{found:?}");
        assert!(found[1].1.ends_with("did you mean Europe/Madrid?"), "{found:?}");
        let found = put(json!({"reset": {"cron": "60 25 * * 9", "time_zone": "UTC"}})).await;
        assert_eq!(found.len(), 3, "{found:?}");
        for (fault, field) in found.iter().zip(["minute (60)", "hour (25)", "day of week (9)"]) {
            assert!(fault.0 == "#/reset/cron" && fault.1.contains(field), "{found:?}");
        }
        let found = put(json!({"titel": "x"})).await;
        assert_eq!(found, [("#/titel".to_owned(), "is not a field of this object; did you mean title?".to_owned())]);
        let scopes = json!({"name": "k", "scopes": ["score:read", "scores:wirte", "nonsense"]});
        let found = list_errors(&api.post("/keys", &scopes).await);
        assert!(found[0].1.ends_with("did you mean scores:read?") && found[1].1.ends_with("did you mean scores:write?"), "{found:?}");
        assert!(found.len() == 3 && !found[2].1.contains("did you mean"), "{found:?}");
        let past = json!({"name": "n", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"});
        let found = list_errors(&api.post("/keys", &past).await);
        assert!(found[0].1.starts_with("must be in the future; it is 20") && found[0].1.ends_with(" by the server's clock"), "{found:?}");
    }

    async fn errors_point_at_fields_that_were_sent(api) {
        api.create_leaderboard("b", &json!({"limits": {"min": 5}, "ties": "shared"})).await;
        api.submit_score("b", "p", 7).await;
        let patch = async |document: Value| pointers(&api.patch("/leaderboards/b", &document).await);
        assert_eq!(patch(json!({"limits": {"max": 1}})).await, ["#/limits/max"]);
        assert_eq!(patch(json!({"limits": {"max": 1, "max_attempts": "x"}})).await, ["#/limits/max_attempts", "#/limits/max"]);
        // A PUT without `ties` sets the default. The request has no field for this, so the error points at
        // the document.
        let refused = api.put("/leaderboards/b", &json!({})).await;
        refused.expect_problem(409, "rebuild-needed");
        assert!(pointers(&refused).iter().all(|pointer| pointer == "#"), "{refused:?}");
    }

    async fn a_problem_names_the_missing_resource_or_the_needed_scope(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.create_leaderboard("daily", &json!({"reset": {"cron": "0 0 * * *", "time_zone": "UTC"}})).await;
        for (path, named) in [
            ("/leaderboards/none", vec!["none"]),
            ("/leaderboards/none/entries", vec!["none"]),
            ("/tenants/none", vec!["none"]),
            ("/issuers/none", vec!["none"]),
            ("/keys/0123456789abcdef", vec!["0123456789abcdef"]),
            ("/leaderboards/b/entries/jo%C3%A9", vec!["joé", "b"]),
            ("/players/jo%C3%A9/ban", vec!["joé"]),
            ("/leaderboards/daily/entries?period=2020-01-01T00:00:00%2B01:00", vec!["daily", "no period 2020-01-01T00:00:00+01:00"]),
            ("/leaderboards/daily/entries?period=2020-01-01&limit=3", vec!["daily", "no period 2020-01-01,"]),
        ] {
            let missing = api.get(path).await;
            assert_eq!(missing.status, 404, "{path}");
            assert!(named.iter().all(|name| detail(&missing).contains(name)), "{path}: {missing:?}");
        }
        let methods = detail(&api.post("/leaderboards/b", &json!({})).await);
        assert!(methods.contains("GET, HEAD") && methods.contains("DELETE"), "{methods}");
        let reader = api.make_key(json!(["scores:read"])).await.1;
        let admin = api.make_key(json!(["admin"])).await.1;
        for (key, verb, path, needed) in [
            (&reader, "PUT", "/leaderboards/b", "This needs the scope admin."),
            (&reader, "POST", "/leaderboards/b/scores", "This needs the scope scores:write."),
            (&reader, "GET", "/operator/limits", "This needs the operator's key."),
            (&admin, "GET", "/dead-letters?tenant=other", "This needs the operator's key."),
        ] {
            let refused = api.with_key(key, verb, path).json(&json!({"player": "p", "score": 1})).send().await;
            refused.expect_problem(403, "forbidden");
            assert_eq!(detail(&refused), needed, "{path}");
        }
        let own = format!("/dead-letters?tenant={}", api.tenant);
        api.with_key(&admin, "GET", &own).send().await.expect_status(200);
    }

    async fn a_failed_precondition_names_its_header_and_the_current_tag(api) {
        let tag = api.put("/leaderboards/b", &json!({})).await.header("etag").to_owned();
        for (verb, path, header, value) in [
            ("PUT", "/leaderboards/b", "If-Match", "\"0\""),
            ("DELETE", "/leaderboards/b", "If-Match", "\"0\""),
            ("GET", "/leaderboards/b", "If-Match", "\"0\""),
            ("PUT", "/leaderboards/b", "If-None-Match", "*"),
        ] {
            let failed = api.request(verb, path).header(header, value).json(&json!({})).send().await;
            failed.expect_problem(412, "precondition-failed");
            assert_eq!(failed.header("etag"), tag, "{verb}");
            let found = list_errors(&failed);
            assert!(found[0].0 == header && found[0].1.contains(&tag), "{verb}: {found:?}");
        }
    }
}
