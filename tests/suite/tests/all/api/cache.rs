//! Answers that are used again, through the real components.

use std::io::Read;

use http::HeaderMap;
use leaderboard_suite::RedisServer;
use serde_json::json;
use tokio::task::JoinSet;

use crate::edgeboard::{Edgeboard, Reply, Site, eventually, over_http};
use crate::harness::block_on;

const TOP: &str = "/leaderboards/b/entries";

/// A question that a cache may answer.
async fn cached(edgeboard: &Edgeboard, path: &str) -> Reply {
    edgeboard.call("GET", path).without("cache-control").send().await
}

async fn coded(edgeboard: &Edgeboard, path: &str, coding: &str) -> Reply {
    let call = edgeboard.call("GET", path).without("cache-control");
    call.header("accept-encoding", coding).send().await
}

async fn anonymous(edgeboard: &Edgeboard, path: &str) -> Reply {
    let call = edgeboard.call("GET", path).without("cache-control");
    call.without("x-api-key").send().await
}

fn status(reply: &Reply) -> String {
    reply.header("cache-status").to_owned()
}

/// A leaderboard whose answers live for an hour, with 50 players.
async fn filled(edgeboard: &Edgeboard, configuration: &serde_json::Value) {
    edgeboard.board("b", configuration).await;
    let scores: Vec<_> = (0..50)
        .map(|n| json!({"player": format!("p{n}"), "score": n}))
        .collect();
    edgeboard.submit_all("b", &scores).await;
}

fn long_lived() -> serde_json::Value {
    json!({"cache": {"lifetime_ms": 3_600_000}})
}

/// The answer, once it comes from a cache.
async fn hit(edgeboard: &Edgeboard, path: &str) -> Reply {
    eventually(
        async || cached(edgeboard, path).await,
        |reply| status(reply).starts_with("edgeboard; hit"),
    )
    .await
}

over_http! {
    async fn an_answer_is_used_again_and_a_change_shows_long_before_its_end(edgeboard) {
        filled(edgeboard, &long_lived()).await;
        let first = hit(edgeboard, TOP).await;
        assert_eq!(first.is(200)["entries"][0]["player"], "p49");
        edgeboard.score("b", "new", 99).await;
        let shown = eventually(
            async || cached(edgeboard, TOP).await.is(200),
            |page| page["entries"][0]["player"] == "new",
        ).await;
        assert_eq!(shown["count"], 51);
        edgeboard.delete("/leaderboards/b/scores/new").await;
        eventually(
            async || cached(edgeboard, TOP).await.is(200),
            |page| page["entries"][0]["player"] == "p49",
        ).await;
        edgeboard.put("/players/p49/ban", &json!({})).await;
        eventually(
            async || cached(edgeboard, TOP).await.is(200),
            |page| page["entries"][0]["player"] == "p48",
        ).await;
        edgeboard.delete("/leaderboards/b").await;
        eventually(async || cached(edgeboard, TOP).await.status, |status| *status == 404).await;
    }

    async fn a_leaderboard_made_private_is_no_longer_read_by_everyone(edgeboard) {
        filled(edgeboard, &long_lived()).await;
        hit(edgeboard, TOP).await;
        assert_eq!(anonymous(edgeboard, TOP).await.status, 200);
        edgeboard.patch("/leaderboards/b", &json!({"access": {"read": "private"}})).await.is(200);
        eventually(async || anonymous(edgeboard, TOP).await.status, |status| *status == 404).await;
        let private = hit(edgeboard, TOP).await;
        assert_eq!(private.header("cache-control"), "private, no-cache");
        anonymous(edgeboard, TOP).await.problem(404, "leaderboard-not-found");
    }

    async fn coded_answers_are_the_answer(edgeboard) {
        filled(edgeboard, &long_lived()).await;
        let path = format!("{TOP}?limit=50");
        let plain = hit(edgeboard, &path).await;
        let gzip = coded(edgeboard, &path, "gzip").await;
        assert_eq!(gzip.header("content-encoding"), "gzip");
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(gzip.body.as_ref()).read_to_end(&mut read).unwrap();
        assert_eq!(read, plain.body);
        let brotli = coded(edgeboard, &path, "gzip;q=0.5, br").await;
        assert_eq!(brotli.header("content-encoding"), "br");
        let mut read = Vec::new();
        brotli::BrotliDecompress(&mut brotli.body.as_ref(), &mut read).unwrap();
        assert_eq!(read, plain.body);
        assert!(brotli.body.len() < gzip.body.len() && gzip.body.len() < plain.body.len());
        coded(edgeboard, &path, "identity;q=0").await.problem(406, "not-acceptable");
    }

    async fn a_client_that_has_the_answer_is_told_so(edgeboard) {
        filled(edgeboard, &long_lived()).await;
        let tag = hit(edgeboard, TOP).await.header("etag").to_owned();
        for method in ["GET", "HEAD"] {
            for held in [tag.clone(), "*".to_owned(), format!("\"x\", W/{tag}")] {
                let call = edgeboard.call(method, TOP).without("cache-control");
                let answer = call.header("if-none-match", &held).send().await;
                assert_eq!((answer.status, answer.header("etag")), (304, tag.as_str()), "{held}");
                assert!(answer.body.is_empty());
            }
        }
        let call = edgeboard.call("GET", TOP).header("if-none-match", "no tag");
        call.send().await.problem(400, "invalid-header");
    }
}

#[test]
fn without_redis_an_answer_that_was_given_is_given_again_and_marked() {
    block_on(async {
        let mut site = Site::on(Some(RedisServer::start())).await;
        let edgeboard = site.edgeboard();
        filled(&edgeboard, &json!({"cache": {"lifetime_ms": 1, "stale_ms": 0}})).await;
        // What was made within what clocks may differ by after a change of configuration is not shown without the store.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        let before = cached(&edgeboard, TOP).await.is(200);
        // The region keeps an answer after the response to it.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        site.redis.as_mut().unwrap().kill();
        let stale = eventually(
            async || anonymous(&edgeboard, TOP).await,
            |reply| reply.status == 200,
        )
        .await;
        let told = status(&stale);
        assert!(told.ends_with("; detail=stale-if-error"), "{told}");
        assert_eq!(stale.is(200), before);
        cached(&edgeboard, "/leaderboards/b/entries?limit=7")
            .await
            .problem(503, "unavailable");
    });
}

#[test]
fn a_thousand_requests_for_an_expired_answer_are_one_question_to_the_store() {
    const TOGETHER: usize = 1_000;
    block_on(async {
        let site = Site::on(Some(RedisServer::start())).await;
        let edgeboard = site.edgeboard();
        let policy = json!({"cache": {"lifetime_ms": 2_000, "stale_ms": 0}});
        filled(&edgeboard, &policy).await;
        cached(&edgeboard, TOP).await.is(200);
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        let mut tasks = JoinSet::new();
        for _ in 0..TOGETHER {
            let call = edgeboard.call("GET", TOP).without("cache-control");
            tasks.spawn(call.send());
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
fn headers_of_an_answer_name_its_groups() {
    block_on(async {
        let site = Site::on(None).await;
        let mut edgeboard = site.edgeboard();
        // Shared caches are told of what the address alone names.
        "default".clone_into(&mut edgeboard.tenant);
        filled(&edgeboard, &long_lived()).await;
        // For a second after a write, shared caches are told to keep nothing.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        hit(&edgeboard, TOP).await;
        let path = format!("{TOP}?tenant=default");
        let call = edgeboard.call("GET", &path).without("cache-control");
        let reply = call.without("x-api-key").without("x-tenant-id").send().await;
        let headers: &HeaderMap = &reply.headers;
        let tenant = &edgeboard.tenant;
        assert_eq!(headers["cache-groups"], format!("\"{tenant}\", \"{tenant}/b\""));
        assert_eq!(
            headers["cdn-cache-control"],
            "max-age=3600, stale-while-revalidate=5, stale-if-error=300"
        );
    });
}
