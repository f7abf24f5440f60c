//! Several hosts on one channel, and a Redis that goes away.

use leaderboard_test_support::{RedisServer, block_on, wait_until};
use serde_json::json;

use super::{connect, letters, listened_to, message, publish, region, score, scores};

/// Returns how often the server ran a function of the library.
async fn function_calls(server: &RedisServer) -> u64 {
    let mut redis = connect(server).await;
    let actual: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    let calls = |line: &str| {
        line.split("calls=")
            .nth(1)?
            .split(',')
            .next()?
            .parse::<u64>()
            .ok()
    };
    actual
        .lines()
        .filter(|line| line.starts_with("cmdstat_fcall"))
        .filter_map(calls)
        .sum()
}

#[test]
fn two_regions_receive_every_message_and_it_counts_once() {
    const MESSAGES: u64 = 40;
    block_on(async {
        let redis = RedisServer::start();
        let (one, two) = tokio::join!(region(Some(&redis), &redis), region(Some(&redis), &redis));
        listened_to(&redis, 2).await;
        let api = one.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        let before = function_calls(&redis).await;
        for n in 0..MESSAGES {
            assert_eq!(
                publish(&redis, &message(&api, &[score("p", 1, &n.to_string())])).await,
                2
            );
        }
        publish(&redis, b"bad for both").await;
        // Both have been at it: each message is at least one function for each of them.
        wait_until(
            async || function_calls(&redis).await - before,
            |calls| *calls >= 2 * MESSAGES + 2,
        )
        .await;
        wait_until(
            async || scores(&api).await,
            |list| list == &[("p".to_owned(), 40)],
        )
        .await;
        let kept = wait_until(async || letters(&api).await, |letters| !letters.is_empty()).await;
        // One region stops; what it has begun it finishes, and the other goes on.
        two.host.stop().await;
        listened_to(&redis, 1).await;
        publish(&redis, &message(&api, &[score("p", 2, "alone")])).await;
        wait_until(
            async || scores(&api).await,
            |list| list == &[("p".to_owned(), 42)],
        )
        .await;
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(letters(&api).await, kept);
    });
}

#[test]
fn the_subscription_comes_back_with_redis() {
    block_on(async {
        let mut redis = RedisServer::start_durable();
        let region = region(Some(&redis), &redis).await;
        listened_to(&redis, 1).await;
        let api = region.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        publish(&redis, &message(&api, &[score("p", 1, "before")])).await;
        wait_until(async || scores(&api).await, |list| list == &[("p".to_owned(), 1)]).await;
        for round in 0..2 {
            redis.restart();
            listened_to(&redis, 1).await;
            publish(&redis, &message(&api, &[score("p", 1, &round.to_string())])).await;
            wait_until(
                async || api.get("/leaderboards/b/entries").await.status,
                |status| *status == 200,
            )
            .await;
            wait_until(
                async || scores(&api).await,
                |list| list == &[("p".to_owned(), 2 + round)],
            )
            .await;
        }
        assert_eq!(letters(&api).await, []);
    });
}

#[test]
fn a_message_waits_for_a_store_that_is_away_for_a_moment() {
    block_on(async {
        let events = RedisServer::start();
        let mut store = RedisServer::start_durable();
        let region = region(Some(&store), &events).await;
        listened_to(&events, 1).await;
        let api = region.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        store.kill();
        publish(&events, &message(&api, &[score("p", 1, "x")])).await;
        // The first attempts have failed by the time the store answers again.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        store.restart();
        wait_until(
            async || api.get("/leaderboards/b/entries").await.status,
            |status| *status == 200,
        )
        .await;
        wait_until(async || scores(&api).await, |list| list == &[("p".to_owned(), 1)]).await;
    });
}

#[test]
fn without_an_address_there_is_no_trigger_and_http_works() {
    block_on(async {
        let service =
            leaderboard_test_support::TestService::start(leaderboard_test_support::StoreKind::Redis).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({})).await;
        let redis = service.redis.as_ref().unwrap();
        assert_eq!(publish(redis, &message(&api, &[score("p", 1, "x")])).await, 0);
        assert_eq!(scores(&api).await, []);
    });
}

#[test]
fn a_change_in_one_region_shows_in_another_long_before_its_cached_answer_ends() {
    block_on(async {
        let redis = RedisServer::start();
        let (one, two) = tokio::join!(region(Some(&redis), &redis), region(Some(&redis), &redis));
        listened_to(&redis, 2).await;
        let (here, mut there) = (one.api(), two.api());
        there.tenant.clone_from(&here.tenant);
        here.create_leaderboard("b", &json!({"cache": {"lifetime_ms": 3_600_000}}))
            .await;
        here.submit_score("b", "first", 1).await;
        let top = async || {
            let call = there
                .request("GET", "/leaderboards/b/entries")
                .without_header("cache-control");
            call.send().await
        };
        let is_hit = |reply: &leaderboard_test_support::ApiResponse| {
            reply.header("cache-status").starts_with("edgeboard; hit")
        };
        let first = wait_until(top, is_hit).await;
        assert_eq!(first.expect_status(200)["entries"][0]["player"], "first");
        here.submit_score("b", "second", 2).await;
        wait_until(
            async || top().await.expect_status(200),
            |page| page["entries"][0]["player"] == "second",
        )
        .await;
        here.put("/players/second/ban", &json!({})).await;
        wait_until(
            async || top().await.expect_status(200),
            |page| page["entries"][0]["player"] == "first",
        )
        .await;
        here.patch(
            "/leaderboards/b",
            &json!({"title": "B", "ties": "earliest", "cache": {"lifetime_ms": 0}}),
        )
        .await
        .expect_status(200);
        let uncached = |reply: &leaderboard_test_support::ApiResponse| {
            let status = reply.header("cache-status");
            status.contains("fwd=") && !status.contains("stored") && !status.contains("collapsed")
        };
        wait_until(top, uncached).await;
    });
}
