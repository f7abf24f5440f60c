//! Tests with a Redis that hangs: its connections stay open, but it does not answer.

use std::time::{Duration, Instant};

use leaderboard_test_support::{ApiClient, RedisServer, TestService, block_on, wait_until};
use serde_json::json;
use tokio::task::JoinSet;

/// How many readers there are.
const READERS: usize = 4;
/// How long each reader pauses after a response. All readers together send at most 40 requests a second; the
/// rate limit is 100.
const PAUSE: Duration = Duration::from_millis(100);
/// How long Redis hangs. This is several times as long as a component waits for Redis.
const HANGS_FOR: Duration = Duration::from_secs(9);
/// How long readers go on after Redis answers again.
const READS_GO_ON_FOR: Duration = Duration::from_secs(4);
/// The longest time that a read with a cached response may take. A component waits half a second for a store
/// that is not known to hang, and three seconds if it has no cached response.
const LONGEST_READ: Duration = Duration::from_millis(2_000);

/// Reads the first page again and again until `until`, without a credential. Returns the longest duration of
/// a read, how many reads took longer than a quarter of `LONGEST_READ`, and every status other than 200.
async fn read_repeatedly(api: ApiClient, until: Instant) -> (Duration, u32, Vec<u16>) {
    let (mut longest, mut waited, mut others) = (Duration::ZERO, 0, Vec::new());
    while Instant::now() < until {
        let sent = Instant::now();
        let call = api.request("GET", "/leaderboards/b/entries");
        let answer = call
            .without_header("x-api-key")
            .without_header("cache-control")
            .send()
            .await;
        longest = longest.max(sent.elapsed());
        waited += u32::from(sent.elapsed() > LONGEST_READ / 4);
        if answer.status != 200 {
            others.push(answer.status);
        }
        tokio::time::sleep(PAUSE).await;
    }
    (longest, waited, others)
}

#[test]
fn reads_of_cached_responses_stay_fast_and_succeed_while_redis_hangs() {
    block_on(async {
        let mut service = TestService::start_with_default_limits(Some(RedisServer::start())).await;
        let api = service.api();
        // The lifetime is short, so that the cached response expires and reads have to ask the store.
        let cache = json!({"lifetime_ms": 200, "stale_ms": 0, "stale_if_error_ms": 300_000});
        api.create_leaderboard("b", &json!({"cache": cache})).await;
        api.submit_score("b", "p", 1).await;
        let until = Instant::now() + Duration::from_secs(2) + HANGS_FOR + READS_GO_ON_FOR;
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn_local(read_repeatedly(api.clone(), until));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        service.redis.as_mut().unwrap().hang();
        tokio::time::sleep(HANGS_FOR).await;
        service.redis.as_mut().unwrap().resume();
        let mut slow = 0;
        for (longest, waited, others) in readers.join_all().await {
            assert_eq!(others, Vec::<u16>::new());
            assert!(longest < LONGEST_READ, "{longest:?}");
            slow += waited;
        }
        // Only a few reads may wait: those that were in flight when Redis began to hang.
        assert!(slow <= 4 * u32::try_from(READERS).unwrap(), "{slow} reads waited");
        // Writes and reads reach Redis again.
        wait_until(
            async || {
                api.post("/leaderboards/b/scores", &json!({"player": "q", "score": 2}))
                    .await
                    .status
            },
            |status| *status == 200,
        )
        .await;
        wait_until(
            async || {
                let call = api.request("GET", "/leaderboards/b/entries");
                call.without_header("cache-control")
                    .send()
                    .await
                    .expect_status(200)
            },
            |page| page["entries"][0]["player"] == "q",
        )
        .await;
    });
}
