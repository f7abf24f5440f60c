//! Tests of several hosts on one channel, and of a Redis server that is down for a moment.

use leaderboard_test_support::{RedisServer, block_on, wait_until};
use serde_json::json;

use super::{connect, message, publish, read_letters, read_scores, score, start_region, wait_for_listeners};

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
fn two_regions_receive_every_message_and_apply_it_once() {
    const MESSAGES: u64 = 40;
    block_on(async {
        let redis = RedisServer::start();
        let (one, two) = tokio::join!(
            start_region(Some(&redis), &redis),
            start_region(Some(&redis), &redis)
        );
        wait_for_listeners(&redis, 2).await;
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
        // A region calls at least one function for each message, so both regions have handled all messages.
        wait_until(
            async || function_calls(&redis).await - before,
            |calls| *calls >= 2 * MESSAGES + 2,
        )
        .await;
        wait_until(
            async || read_scores(&api).await,
            |list| list == &[("p".to_owned(), 40)],
        )
        .await;
        let kept = wait_until(async || read_letters(&api).await, |letters| !letters.is_empty()).await;
        // One region finishes its work and stops. The other region continues.
        two.host.stop().await;
        wait_for_listeners(&redis, 1).await;
        publish(&redis, &message(&api, &[score("p", 2, "alone")])).await;
        wait_until(
            async || read_scores(&api).await,
            |list| list == &[("p".to_owned(), 42)],
        )
        .await;
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(read_letters(&api).await, kept);
    });
}

#[test]
fn the_subscription_returns_after_a_restart_of_redis() {
    block_on(async {
        let mut redis = RedisServer::start_durable();
        let region = start_region(Some(&redis), &redis).await;
        wait_for_listeners(&redis, 1).await;
        let api = region.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        publish(&redis, &message(&api, &[score("p", 1, "before")])).await;
        wait_until(
            async || read_scores(&api).await,
            |list| list == &[("p".to_owned(), 1)],
        )
        .await;
        for round in 0..2 {
            redis.restart();
            wait_for_listeners(&redis, 1).await;
            publish(&redis, &message(&api, &[score("p", 1, &round.to_string())])).await;
            wait_until(
                async || api.get("/leaderboards/b/entries").await.status,
                |status| *status == 200,
            )
            .await;
            wait_until(
                async || read_scores(&api).await,
                |list| list == &[("p".to_owned(), 2 + round)],
            )
            .await;
        }
        assert_eq!(read_letters(&api).await, []);
    });
}

#[test]
fn a_message_is_applied_when_its_store_is_available_again() {
    block_on(async {
        let events = RedisServer::start();
        let mut store = RedisServer::start_durable();
        let region = start_region(Some(&store), &events).await;
        wait_for_listeners(&events, 1).await;
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
        wait_until(
            async || read_scores(&api).await,
            |list| list == &[("p".to_owned(), 1)],
        )
        .await;
    });
}

#[test]
fn without_an_events_url_no_host_listens_and_http_works() {
    block_on(async {
        let service =
            leaderboard_test_support::TestService::start(leaderboard_test_support::StoreKind::Redis).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({})).await;
        let redis = service.redis.as_ref().unwrap();
        assert_eq!(publish(redis, &message(&api, &[score("p", 1, "x")])).await, 0);
        assert_eq!(read_scores(&api).await, []);
    });
}

#[test]
fn a_change_in_one_region_invalidates_the_cache_of_another_region() {
    block_on(async {
        let redis = RedisServer::start();
        let (one, two) = tokio::join!(
            start_region(Some(&redis), &redis),
            start_region(Some(&redis), &redis)
        );
        wait_for_listeners(&redis, 2).await;
        let (first_api, mut second_api) = (one.api(), two.api());
        second_api.tenant.clone_from(&first_api.tenant);
        first_api
            .create_leaderboard("b", &json!({"cache": {"lifetime_ms": 3_600_000}}))
            .await;
        first_api.submit_score("b", "first", 1).await;
        let top = async || {
            let call = second_api
                .request("GET", "/leaderboards/b/entries")
                .without_header("cache-control");
            call.send().await
        };
        let is_hit = |reply: &leaderboard_test_support::ApiResponse| {
            reply.header("cache-status").starts_with("edgeboard; hit")
        };
        let first = wait_until(top, is_hit).await;
        assert_eq!(first.expect_status(200)["entries"][0]["player"], "first");
        first_api.submit_score("b", "second", 2).await;
        wait_until(
            async || top().await.expect_status(200),
            |page| page["entries"][0]["player"] == "second",
        )
        .await;
        first_api.put("/players/second/ban", &json!({})).await;
        wait_until(
            async || top().await.expect_status(200),
            |page| page["entries"][0]["player"] == "first",
        )
        .await;
        first_api
            .patch(
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
