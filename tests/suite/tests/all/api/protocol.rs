//! Tests of what routes have in common: credentials, tenants, versions, media types, methods, unknown paths.

use leaderboard_test_support::{ADMIN_KEY, ApiClient, ApiResponse};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Sends a request without a body to a path that includes the base path.
async fn send_to_path(api: &ApiClient, verb: &str, path: &str) -> ApiResponse {
    api.request_at(verb, path).send().await
}

api_cases! {
    async fn writes_and_operator_routes_need_a_valid_key(api) {
        api.create_leaderboard("b", &json!({})).await;
        let calls = [
            ("PUT", "/leaderboards/b"),
            ("PATCH", "/leaderboards/b"),
            ("DELETE", "/leaderboards/b"),
            ("POST", "/leaderboards/b/scores"),
            ("POST", "/scores"),
            ("DELETE", "/leaderboards/b/scores/p"),
            ("PUT", "/players/p/ban"),
            ("GET", "/players/p/ban"),
            ("GET", "/bans"),
            ("DELETE", "/players/p/ban"),
            ("GET", "/dead-letters"),
        ];
        for (verb, path) in calls {
            let body = json!({"player": "p", "score": 1});
            let anonymous = api.request(verb, path).json(&body).without_header("x-api-key").send().await;
            anonymous.expect_problem(401, "unauthenticated");
            let challenges = "Bearer realm=\"edgeboard\", ApiKey realm=\"edgeboard\"";
            assert_eq!(anonymous.header("www-authenticate"), challenges);
            let wrong = api.request(verb, path).json(&body).replace_header("x-api-key", "guess").send().await;
            wrong.expect_problem(401, "unauthenticated");
            let token = api.request(verb, path).json(&body).header("authorization", "Bearer x");
            token.without_header("x-api-key").send().await.expect_problem(401, "unauthenticated");
            let both = api.request(verb, path).json(&body).header("authorization", "Bearer x").send().await;
            both.expect_problem(400, "invalid-header");
        }
        assert_eq!(api.page("b", "").await["count"], 0);
    }

    async fn a_private_leaderboard_looks_missing_to_an_anonymous_caller(api) {
        let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
        api.create_leaderboard("open", &json!({"title": "Open", "reset": reset, "limits": {"max": 7}})).await;
        api.create_leaderboard("shut", &json!({"access": {"read": "private"}})).await;
        let anonymous = async |path: &str| api.request("GET", path).without_header("x-api-key").send().await;
        for path in ["/leaderboards/open", "/leaderboards"] {
            let mut known = anonymous(path).await.expect_status(200);
            if let Some(list) = known["leaderboards"].as_array() {
                assert_eq!(list.len(), 1, "{known}");
                known = list[0].clone();
            }
            let fields: Vec<_> = known.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, ["columns", "current_period", "id", "next_reset", "ties", "title"], "{path}");
            assert_eq!(known["next_reset"], known["current_period"]["ends_at"]);
        }
        let [private, missing] = [anonymous("/leaderboards/shut").await, anonymous("/leaderboards/none").await];
        private.expect_problem(404, "leaderboard-not-found");
        missing.expect_problem(404, "leaderboard-not-found");
        assert_eq!(api.get("/leaderboards/open").await.expect_status(200)["limits"]["max"], 7);
    }

    async fn a_wrong_key_is_refused_on_a_public_route(api) {
        api.create_leaderboard("b", &json!({})).await;
        for key in ["guess", "", &format!("{ADMIN_KEY} "), &ADMIN_KEY[1..]] {
            let wrong = api.request("GET", "/leaderboards/b/entries").replace_header("x-api-key", key).send().await;
            // White space around a header's value is not part of the value.
            if key.trim() == ADMIN_KEY {
                wrong.expect_status(200);
            } else {
                wrong.expect_problem(401, "unauthenticated");
            }
        }
    }

    async fn public_leaderboards_are_read_without_a_key_and_private_ones_are_not(api) {
        api.create_leaderboard("open", &json!({})).await;
        api.create_leaderboard("shut", &json!({"access": {"read": "private"}})).await;
        for board in ["open", "shut"] {
            api.submit_score(board, "p", 1).await;
            for path in ["entries", "entries?players=p", "entries/p", "entries/p/around", "periods", "distribution"] {
                let path = format!("/leaderboards/{board}/{path}");
                let anonymous = api.request("GET", &path).without_header("x-api-key").send().await;
                if board == "open" {
                    anonymous.expect_status(200);
                } else {
                    anonymous.expect_problem(404, "leaderboard-not-found");
                }
                api.get(&path).await.expect_status(200);
            }
        }
        // A change of the access applies to the next request.
        api.patch("/leaderboards/open", &json!({"access": {"read": "private"}})).await.expect_status(200);
        let anonymous = api.request("GET", "/leaderboards/open/entries").without_header("x-api-key").send().await;
        anonymous.expect_problem(404, "leaderboard-not-found");
    }

    async fn a_request_without_a_tenant_is_for_the_default_tenant(api) {
        let default = api.for_tenant("default");
        default.put("/leaderboards/of-the-default-tenant", &json!({})).await.expect_status(201);
        let path = "/leaderboards/of-the-default-tenant";
        api.request("GET", path).without_header("x-tenant-id").send().await.expect_status(200);
        api.get(path).await.expect_problem(404, "leaderboard-not-found");
        for tenant in ["Upper", "", "a b", "-a", &"x".repeat(65)] {
            let refused = api.request("GET", path).replace_header("x-tenant-id", tenant).send().await;
            assert_eq!(refused.expect_problem(400, "invalid-header")["errors"][0]["header"], "X-Tenant-ID", "{tenant:?}");
        }
    }

    async fn the_media_type_of_a_response_is_one_that_the_client_accepts(api) {
        api.create_leaderboard("b", &json!({})).await;
        let accept = |value: &'static str| api.request("GET", "/leaderboards/b/entries").header("accept", value).send();
        let named = accept("application/vnd.edgeboard.v1+json").await;
        named.expect_status(200);
        assert_eq!(named.header("content-type"), "application/vnd.edgeboard.v1+json");
        for value in ["application/json", "*/*", "application/*;q=0.1", "text/html, application/json;q=0.5", "text/html;q=1, */*;q=0.1"] {
            let answer = accept(value).await;
            answer.expect_status(200);
            assert_eq!(answer.header("content-type"), "application/json", "{value}");
        }
        for value in ["text/html", "application/json;q=0", "application/problem+json"] {
            accept(value).await.expect_problem(406, "not-acceptable");
        }
    }

    async fn a_head_response_is_the_get_response_without_its_body(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "p", 1).await;
        for path in ["/leaderboards", "/leaderboards/b", "/leaderboards/b/entries", "/leaderboards/b/entries/p",
            "/leaderboards/b/periods", "/health/live", "/health/ready", "/leaderboards/none", "/nowhere"] {
            let get = api.get(path).await;
            let head = api.request("HEAD", path).send().await;
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
            for name in ["content-type", "etag", "cache-control", "vary"] {
                assert_eq!(head.headers.get(name), get.headers.get(name), "{name} of {path}");
            }
        }
    }

    async fn an_unsupported_method_gets_405_with_the_allowed_methods(api) {
        for (path, allowed, refused) in [
            ("/leaderboards", "GET, HEAD", "POST PUT DELETE OPTIONS FROBNICATE"),
            ("/leaderboards/b", "GET, HEAD, PUT, PATCH, DELETE", "POST OPTIONS"),
            ("/scores", "POST", "GET HEAD PUT DELETE"),
            ("/leaderboards/b/scores", "POST", "GET PUT DELETE"),
            ("/leaderboards/b/scores/p", "DELETE", "GET POST PUT"),
            ("/players/p/ban", "PUT, GET, HEAD, DELETE", "POST PATCH"),
            ("/bans", "GET, HEAD", "POST PUT DELETE"),
            ("/leaderboards/b/summary", "GET, HEAD", "POST"),
            ("/dead-letters", "GET, HEAD", "DELETE"),
            ("/leaderboards/b/entries", "GET, HEAD", "POST PUT DELETE"),
            ("/leaderboards/b/entries/p", "GET, HEAD", "POST"),
            ("/leaderboards/b/entries/p/around", "GET, HEAD", "POST"),
            ("/leaderboards/b/periods", "GET, HEAD", "POST"),
            ("/leaderboards/b/distribution", "GET, HEAD", "PATCH"),
            ("/health/live", "GET, HEAD", "POST"),
            ("/health/ready", "GET, HEAD", "POST"),
        ] {
            for verb in refused.split(' ') {
                let answer = api.request(verb, path).send().await;
                if verb == "HEAD" {
                    assert_eq!(answer.status, 405, "{verb} {path}");
                } else {
                    answer.expect_problem(405, "method-not-allowed");
                }
                let mut actual: Vec<_> = answer.header("allow").split(", ").collect();
                let mut expected: Vec<_> = allowed.split(", ").collect();
                actual.sort_unstable();
                expected.sort_unstable();
                assert_eq!(actual, expected, "{verb} {path}");
            }
        }
    }

    async fn an_unknown_path_gets_a_problem_document(api) {
        for path in ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/leaderboards/",
            "/api/v1/leaderboards/b/nothing", "/api/v1/leaderboards/b/entries/p/around/x", "/API/V1/leaderboards", "/favicon.ico"] {
            let answer = send_to_path(api, "GET", path).await;
            assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        }
    }

    async fn every_response_has_a_length_a_request_id_and_vary(api) {
        api.create_leaderboard("b", &json!({})).await;
        for (verb, path) in [("GET", "/leaderboards/b/entries"), ("GET", "/leaderboards/b"), ("GET", "/nothing"), ("POST", "/leaderboards")] {
            let answer = api.request(verb, path).send().await;
            assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path}");
            assert!(answer.headers.get("transfer-encoding").is_none());
            assert_eq!(answer.header("vary"), "Accept, Accept-Encoding, API-Integers, API-Version, Authorization, X-API-Key, X-Tenant-ID");
            let id = answer.header("x-request-id");
            assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        }
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let traced = api.request("GET", "/leaderboards/none").header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
        let traced = traced.send().await;
        assert_eq!(traced.expect_problem(404, "leaderboard-not-found")["instance"], trace);
    }

    async fn health_needs_no_key_and_no_tenant(api) {
        for (path, store) in [("/health/live", Value::Null), ("/health/ready", json!("pass"))] {
            let call = api.request("GET", path).without_header("x-api-key").without_header("x-tenant-id");
            let answer = call.header("x-api-key", "wrong").header("x-tenant-id", "?").send().await.expect_status(200);
            assert_eq!((&answer["status"], &answer["components"]["store"]["status"]), (&json!("pass"), &store));
        }
    }

    async fn anonymous_reads_have_their_own_tags_and_skip_private_leaderboards(api) {
        for (id, read) in [("a", "private"), ("b", "public"), ("c", "private"), ("d", "public"), ("e", "private")] {
            api.create_leaderboard(id, &json!({"access": {"read": read}})).await;
        }
        let anonymous = async |path: &str, tag: &str| {
            let call = api.request("GET", path).without_header("x-api-key").header("if-none-match", tag);
            call.send().await
        };
        let public = anonymous("/leaderboards/b", "\"x\"").await;
        let whole = api.get("/leaderboards/b").await;
        assert_ne!(public.header("etag"), whole.header("etag"));
        assert_eq!(anonymous("/leaderboards/b", public.header("etag")).await.status, 304);
        let held = api.request("GET", "/leaderboards/b").header("if-none-match", public.header("etag"));
        held.send().await.expect_status(200);
        for answer in [&public, &whole, &anonymous("/leaderboards", "\"x\"").await, &api.get("/leaderboards").await] {
            assert_eq!(answer.header("cache-control"), "private, no-cache");
            assert!(answer.headers.get("cdn-cache-control").is_none());
        }
        let ids = |page: &Value| -> String {
            page["leaderboards"].as_array().unwrap().iter().map(|board| board["id"].as_str().unwrap()).collect()
        };
        assert_eq!(ids(&anonymous("/leaderboards", "\"x\"").await.json()), "bd");
        let first = anonymous("/leaderboards?limit=1", "\"x\"").await.expect_status(200);
        assert_eq!(ids(&first), "b");
        // The cursor skips private leaderboards, so it does not show that they exist.
        let next = format!("/leaderboards?limit=1&cursor={}", first["next"].as_str().unwrap());
        let second = anonymous(&next, "\"x\"").await.expect_status(200);
        assert_eq!((ids(&second).as_str(), &second["next"]), ("d", &Value::Null));
    }
}
