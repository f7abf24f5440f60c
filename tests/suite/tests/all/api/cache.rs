//! Tests of cached responses, through the real components.

use http::HeaderMap;
use leaderboard_test_support::{ApiClient, ApiResponse, RedisServer, TestService, block_on, wait_until};
use serde_json::json;
use tokio::task::JoinSet;

use crate::cases::api_cases;

const TOP: &str = "/leaderboards/b/entries";

/// Sends a request that a cache may answer.
async fn get_through_cache(api: &ApiClient, path: &str) -> ApiResponse {
    api.request("GET", path)
        .without_header("cache-control")
        .send()
        .await
}

/// Sends a request that a cache may answer, without a credential.
async fn get_anonymously(api: &ApiClient, path: &str) -> ApiResponse {
    let call = api.request("GET", path).without_header("cache-control");
    call.without_header("x-api-key").send().await
}

/// Returns the header `Cache-Status` of a response.
fn cache_status(reply: &ApiResponse) -> String {
    reply.header("cache-status").to_owned()
}

/// Creates the leaderboard `b` with this configuration and 50 players.
async fn create_with_players(api: &ApiClient, configuration: &serde_json::Value) {
    api.create_leaderboard("b", configuration).await;
    let scores: Vec<_> = (0..50)
        .map(|n| json!({"player": format!("p{n}"), "score": n}))
        .collect();
    api.submit_all("b", &scores).await;
}

/// Returns a configuration whose responses are cached for an hour.
fn cached_for_an_hour() -> serde_json::Value {
    json!({"cache": {"lifetime_ms": 3_600_000}})
}

/// Repeats a request until its response comes from a cache, and returns the response.
async fn wait_for_hit(api: &ApiClient, path: &str) -> ApiResponse {
    wait_until(
        async || get_through_cache(api, path).await,
        |reply| cache_status(reply).starts_with("edgeboard; hit"),
    )
    .await
}

api_cases! {
    async fn a_change_replaces_a_cached_response_before_it_expires(api) {
        create_with_players(api, &cached_for_an_hour()).await;
        let first = wait_for_hit(api, TOP).await;
        assert_eq!(first.expect_status(200)["entries"][0]["player"], "p49");
        api.submit_score("b", "new", 99).await;
        let shown = wait_until(
            async || get_through_cache(api, TOP).await.expect_status(200),
            |page| page["entries"][0]["player"] == "new",
        ).await;
        assert_eq!(shown["count"], 51);
        api.delete("/leaderboards/b/scores/new").await;
        wait_until(
            async || get_through_cache(api, TOP).await.expect_status(200),
            |page| page["entries"][0]["player"] == "p49",
        ).await;
        api.put("/players/p49/ban", &json!({})).await;
        wait_until(
            async || get_through_cache(api, TOP).await.expect_status(200),
            |page| page["entries"][0]["player"] == "p48",
        ).await;
        api.delete("/leaderboards/b").await;
        wait_until(async || get_through_cache(api, TOP).await.status, |status| *status == 404).await;
    }

    async fn a_leaderboard_made_private_is_no_longer_served_from_the_cache(api) {
        create_with_players(api, &cached_for_an_hour()).await;
        wait_for_hit(api, TOP).await;
        assert_eq!(get_anonymously(api, TOP).await.status, 200);
        api.patch("/leaderboards/b", &json!({"access": {"read": "private"}})).await.expect_status(200);
        wait_until(async || get_anonymously(api, TOP).await.status, |status| *status == 404).await;
        let private = wait_for_hit(api, TOP).await;
        assert_eq!(private.header("cache-control"), "private, no-cache");
        get_anonymously(api, TOP).await.expect_problem(404, "leaderboard-not-found");
    }
}

#[test]
fn without_redis_a_cached_response_is_reused_and_marked_as_stale() {
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        create_with_players(&api, &json!({"cache": {"lifetime_ms": 1, "stale_ms": 0}})).await;
        // The clocks of instances may differ by a second. A response that was made within a second after the
        // change of the configuration counts as purged.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        let before = get_through_cache(&api, TOP).await.expect_status(200);
        // An instance puts a response into the key-value tier after it has sent the response.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        service.redis.as_mut().unwrap().kill();
        let stale = wait_until(
            async || get_anonymously(&api, TOP).await,
            |reply| reply.status == 200,
        )
        .await;
        let actual = cache_status(&stale);
        assert!(actual.ends_with("; detail=stale-if-error"), "{actual}");
        assert_eq!(stale.expect_status(200), before);
        get_through_cache(&api, "/leaderboards/b/entries?limit=7")
            .await
            .expect_problem(503, "unavailable");
    });
}

#[test]
fn a_thousand_requests_for_an_expired_response_read_the_store_once() {
    const REQUESTS: usize = 1_000;
    block_on(async {
        let service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        let policy = json!({"cache": {"lifetime_ms": 2_000, "stale_ms": 0}});
        create_with_players(&api, &policy).await;
        get_through_cache(&api, TOP).await.expect_status(200);
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        let mut tasks = JoinSet::new();
        for _ in 0..REQUESTS {
            let call = api.request("GET", TOP).without_header("cache-control");
            tasks.spawn_local(call.send());
        }
        let mut stored = 0;
        while let Some(reply) = tasks.join_next().await {
            let reply = reply.unwrap();
            assert_eq!(reply.status, 200);
            stored += usize::from(cache_status(&reply).ends_with("; stored"));
        }
        assert_eq!(stored, 1);
    });
}

#[test]
fn a_response_names_its_cache_groups() {
    block_on(async {
        let service = TestService::start_on(None).await;
        let mut api = service.api();
        // A shared cache may store a response only if it depends on nothing but the URL. The default tenant
        // needs no header.
        "default".clone_into(&mut api.tenant);
        create_with_players(&api, &cached_for_an_hour()).await;
        // For a second after a write, no shared cache may store a response.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        wait_for_hit(&api, TOP).await;
        let path = format!("{TOP}?tenant=default");
        let call = api.request("GET", &path).without_header("cache-control");
        let reply = call
            .without_header("x-api-key")
            .without_header("x-tenant-id")
            .send()
            .await;
        let headers: &HeaderMap = &reply.headers;
        let tenant = &api.tenant;
        assert_eq!(headers["cache-groups"], format!("\"{tenant}\", \"{tenant}/b\""));
        assert_eq!(
            headers["cdn-cache-control"],
            "max-age=3600, stale-while-revalidate=5, stale-if-error=300"
        );
    });
}
