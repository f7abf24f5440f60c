//! Answers that are used again, through the real components.

use std::io::Read;

use http::HeaderMap;
use leaderboard_test_support::{ApiClient, ApiResponse, RedisServer, TestService, block_on, wait_until};
use serde_json::json;
use tokio::task::JoinSet;

use crate::cases::api_cases;

const TOP: &str = "/leaderboards/b/entries";

/// A question that a cache may answer.
async fn cached(api: &ApiClient, path: &str) -> ApiResponse {
    api.request("GET", path)
        .without_header("cache-control")
        .send()
        .await
}

async fn coded(api: &ApiClient, path: &str, coding: &str) -> ApiResponse {
    let call = api.request("GET", path).without_header("cache-control");
    call.header("accept-encoding", coding).send().await
}

async fn anonymous(api: &ApiClient, path: &str) -> ApiResponse {
    let call = api.request("GET", path).without_header("cache-control");
    call.without_header("x-api-key").send().await
}

fn status(reply: &ApiResponse) -> String {
    reply.header("cache-status").to_owned()
}

/// Creates a leaderboard with 50 players, whose responses are cached for an hour.
async fn filled(api: &ApiClient, configuration: &serde_json::Value) {
    api.create_leaderboard("b", configuration).await;
    let scores: Vec<_> = (0..50)
        .map(|n| json!({"player": format!("p{n}"), "score": n}))
        .collect();
    api.submit_all("b", &scores).await;
}

fn long_lived() -> serde_json::Value {
    json!({"cache": {"lifetime_ms": 3_600_000}})
}

/// The answer, once it comes from a cache.
async fn hit(api: &ApiClient, path: &str) -> ApiResponse {
    wait_until(
        async || cached(api, path).await,
        |reply| status(reply).starts_with("edgeboard; hit"),
    )
    .await
}

api_cases! {
    async fn a_response_is_cached_and_a_change_shows_before_it_expires(api) {
        filled(api, &long_lived()).await;
        let first = hit(api, TOP).await;
        assert_eq!(first.expect_status(200)["entries"][0]["player"], "p49");
        api.submit_score("b", "new", 99).await;
        let shown = wait_until(
            async || cached(api, TOP).await.expect_status(200),
            |page| page["entries"][0]["player"] == "new",
        ).await;
        assert_eq!(shown["count"], 51);
        api.delete("/leaderboards/b/scores/new").await;
        wait_until(
            async || cached(api, TOP).await.expect_status(200),
            |page| page["entries"][0]["player"] == "p49",
        ).await;
        api.put("/players/p49/ban", &json!({})).await;
        wait_until(
            async || cached(api, TOP).await.expect_status(200),
            |page| page["entries"][0]["player"] == "p48",
        ).await;
        api.delete("/leaderboards/b").await;
        wait_until(async || cached(api, TOP).await.status, |status| *status == 404).await;
    }

    async fn a_leaderboard_made_private_is_no_longer_read_by_everyone(api) {
        filled(api, &long_lived()).await;
        hit(api, TOP).await;
        assert_eq!(anonymous(api, TOP).await.status, 200);
        api.patch("/leaderboards/b", &json!({"access": {"read": "private"}})).await.expect_status(200);
        wait_until(async || anonymous(api, TOP).await.status, |status| *status == 404).await;
        let private = hit(api, TOP).await;
        assert_eq!(private.header("cache-control"), "private, no-cache");
        anonymous(api, TOP).await.expect_problem(404, "leaderboard-not-found");
    }

    async fn every_content_coding_has_the_same_document(api) {
        filled(api, &long_lived()).await;
        let path = format!("{TOP}?limit=50");
        let plain = hit(api, &path).await;
        let gzip = coded(api, &path, "gzip, br").await;
        assert_eq!(gzip.header("content-encoding"), "gzip");
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(gzip.body.as_ref()).read_to_end(&mut read).unwrap();
        assert_eq!(read, plain.body);
        assert!(gzip.body.len() < plain.body.len());
        coded(api, &path, "identity;q=0").await.expect_problem(406, "not-acceptable");
    }

    async fn a_client_that_has_the_response_gets_304(api) {
        filled(api, &long_lived()).await;
        let tag = hit(api, TOP).await.header("etag").to_owned();
        for method in ["GET", "HEAD"] {
            for held in [tag.clone(), "*".to_owned(), format!("\"x\", W/{tag}")] {
                let call = api.request(method, TOP).without_header("cache-control");
                let answer = call.header("if-none-match", &held).send().await;
                assert_eq!((answer.status, answer.header("etag")), (304, tag.as_str()), "{held}");
                assert!(answer.body.is_empty());
            }
        }
        let call = api.request("GET", TOP).header("if-none-match", "no tag");
        call.send().await.expect_problem(400, "invalid-header");
    }
}

#[test]
fn without_redis_a_cached_response_is_reused_and_marked_as_stale() {
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        filled(&api, &json!({"cache": {"lifetime_ms": 1, "stale_ms": 0}})).await;
        // What was made within what clocks may differ by after a change of configuration is not shown without the store.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        let before = cached(&api, TOP).await.expect_status(200);
        // The region keeps an answer after the response to it.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        service.redis.as_mut().unwrap().kill();
        let stale = wait_until(async || anonymous(&api, TOP).await, |reply| reply.status == 200).await;
        let actual = status(&stale);
        assert!(actual.ends_with("; detail=stale-if-error"), "{actual}");
        assert_eq!(stale.expect_status(200), before);
        cached(&api, "/leaderboards/b/entries?limit=7")
            .await
            .expect_problem(503, "unavailable");
    });
}

#[test]
fn a_thousand_requests_for_an_expired_response_read_the_store_once() {
    const TOGETHER: usize = 1_000;
    block_on(async {
        let service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        let policy = json!({"cache": {"lifetime_ms": 2_000, "stale_ms": 0}});
        filled(&api, &policy).await;
        cached(&api, TOP).await.expect_status(200);
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        let mut tasks = JoinSet::new();
        for _ in 0..TOGETHER {
            let call = api.request("GET", TOP).without_header("cache-control");
            tasks.spawn_local(call.send());
        }
        let mut asked = 0;
        while let Some(reply) = tasks.join_next().await {
            let reply = reply.unwrap();
            assert_eq!(reply.status, 200);
            asked += usize::from(status(&reply).ends_with("; stored"));
        }
        assert_eq!(asked, 1);
    });
}

#[test]
fn a_response_names_its_cache_groups() {
    block_on(async {
        let service = TestService::start_on(None).await;
        let mut api = service.api();
        // Shared caches may store responses that depend on the address alone.
        "default".clone_into(&mut api.tenant);
        filled(&api, &long_lived()).await;
        // For a second after a write, no shared cache may store a response.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        hit(&api, TOP).await;
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
