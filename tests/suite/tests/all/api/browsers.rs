//! What browsers are told, by the real components and with the operator's settings.

use leaderboard_host::Host;
use serde_json::json;

use crate::edgeboard::{Edgeboard, configuration, over_http, state_dir};
use crate::harness::block_on;

over_http! {
    async fn every_answer_says_what_it_is_not_for_and_by_default_no_script_may_read_it(edgeboard) {
        for (verb, path) in [("GET", "/health/live"), ("GET", "/leaderboards"), ("GET", "/tenants"), ("GET", "/nowhere"), ("POST", "/scores")] {
            let answer = edgeboard.call(verb, path).header("origin", "https://app.example").send().await;
            // The request came over plain HTTP.
            assert!(answer.headers.get("strict-transport-security").is_none(), "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("x-frame-options"), "DENY");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
            assert!(answer.headers.get("x-xss-protection").is_none(), "{path}");
            assert!(answer.headers.get("access-control-allow-origin").is_none(), "{path}");
        }
    }

    async fn what_is_too_long_is_refused(edgeboard) {
        let long = "x".repeat(9_000);
        edgeboard.get(&format!("/leaderboards/b/entries?players={long}")).await.problem(414, "address-too-long");
        let mut call = edgeboard.call("GET", "/leaderboards");
        for number in 0..6 {
            call = call.header(&format!("x-filler-{number}"), &"x".repeat(6_000));
        }
        let answer = call.send().await;
        assert_eq!(answer.status, 431, "{answer:?}");
    }
}

#[test]
fn listed_origins_may_read_and_ask_first() {
    block_on(async {
        let state = state_dir();
        let listed = configuration(state.path(), None).variable("cors_origins", "https://app.example");
        let host = Host::start(listed).await.unwrap();
        let edgeboard = Edgeboard::new(host.url());
        edgeboard.board("b", &json!({})).await;
        for (path, methods) in [
            ("/leaderboards/b", "GET, HEAD, PUT, PATCH, DELETE"),
            ("/leaderboards/b/scores", "POST"),
            ("/leaderboards/b/entries", "GET, HEAD"),
            ("/tenants/acme", "GET, HEAD, PUT, PATCH"),
            ("/health/live", "GET, HEAD"),
        ] {
            let asks = edgeboard.call("OPTIONS", path).without("x-api-key");
            let asks = asks.header("access-control-request-method", "GET");
            let told = asks.header("origin", "https://app.example").send().await;
            assert_eq!((told.status, told.body.len()), (204, 0), "{path}");
            assert_eq!(told.header("access-control-allow-origin"), "https://app.example");
            assert_eq!(told.header("access-control-allow-methods"), methods, "{path}");
        }
        let get = edgeboard
            .call("GET", "/leaderboards/b")
            .header("origin", "https://app.example")
            .send()
            .await;
        assert!(get.header("access-control-expose-headers").contains("ETag"));
        let other = edgeboard
            .call("GET", "/leaderboards/b")
            .header("origin", "https://evil.example")
            .send()
            .await;
        assert_eq!(
            (other.status, other.headers.get("access-control-allow-origin")),
            (200, None)
        );
        assert!(
            other
                .headers
                .get_all("vary")
                .iter()
                .any(|value| value == "Origin")
        );
    });
}
