//! Tests of response headers for browsers: security headers, and CORS with the operator's settings.

use leaderboard_host::Host;
use leaderboard_test_support::{ApiClient, block_on, host_config, state_dir};
use serde_json::json;

use crate::cases::api_cases;

api_cases! {
    async fn every_response_has_security_headers_and_by_default_no_cors_headers(api) {
        for (verb, path) in [("GET", "/health/live"), ("GET", "/leaderboards"), ("GET", "/tenants"), ("GET", "/nowhere"), ("POST", "/scores")] {
            let answer = api.request(verb, path).header("origin", "https://app.example").send().await;
            // A response over plain HTTP must not have this header (RFC 6797).
            assert!(answer.headers.get("strict-transport-security").is_none(), "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("x-frame-options"), "DENY");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
            assert!(answer.headers.get("x-xss-protection").is_none(), "{path}");
            assert!(answer.headers.get("access-control-allow-origin").is_none(), "{path}");
        }
    }

    async fn too_long_addresses_and_headers_are_refused(api) {
        let long = "x".repeat(9_000);
        api.get(&format!("/leaderboards/b/entries?players={long}")).await.expect_problem(414, "address-too-long");
        let mut call = api.request("GET", "/leaderboards");
        for number in 0..6 {
            call = call.header(&format!("x-filler-{number}"), &"x".repeat(6_000));
        }
        let answer = call.send().await;
        assert_eq!(answer.status, 431, "{answer:?}");
    }
}

#[test]
fn a_listed_origin_may_read_responses_and_send_preflights() {
    block_on(async {
        let state = state_dir();
        let listed = host_config(state.path(), None).variable("cors_origins", "https://app.example");
        let host = Host::start(listed).await.unwrap();
        let api = ApiClient::over_http(&host.url());
        api.create_leaderboard("b", &json!({})).await;
        let preflight = api
            .request("OPTIONS", "/leaderboards/b")
            .without_header("x-api-key");
        let preflight = preflight.header("access-control-request-method", "GET");
        let actual = preflight.header("origin", "https://app.example").send().await;
        assert_eq!((actual.status, actual.body.len()), (204, 0));
        assert_eq!(
            actual.header("access-control-allow-origin"),
            "https://app.example"
        );
        assert_eq!(
            actual.header("access-control-allow-methods"),
            "GET, HEAD, PUT, PATCH, DELETE"
        );
        let get = api
            .request("GET", "/leaderboards/b")
            .header("origin", "https://app.example")
            .send()
            .await;
        assert!(get.header("access-control-expose-headers").contains("ETag"));
    });
}
