//! A Redis that hangs: connections stay open, and nothing is answered.

use std::time::{Duration, Instant};

use leaderboard_test_support::{ApiClient, RedisServer, TestService, block_on, wait_until};
use serde_json::json;
use tokio::task::JoinSet;

/// How many readers there are, and how long each pauses after a response: 40 requests a second, of the 100 that are allowed.
const READERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(100);
/// How long Redis hangs: several times as long as a component waits for it.
const HANGS_FOR: Duration = Duration::from_secs(9);
/// How long readers go on after that.
const AFTER: Duration = Duration::from_secs(4);
/// The longest that a read may take that has a cached response. A component waits half a second for a store that is not known to
/// hang, and three for one that is asked without such a response.
const LONGEST: Duration = Duration::from_millis(2_000);

/// Reads the top over and over without a credential: the longest wait, how many waited, and what came instead of 200.
async fn reader(api: ApiClient, until: Instant) -> (Duration, u32, Vec<u16>) {
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
        waited += u32::from(sent.elapsed() > LONGEST / 4);
        if answer.status != 200 {
            others.push(answer.status);
        }
        tokio::time::sleep(PAUSE).await;
    }
    (longest, waited, others)
}

#[test]
fn cached_reads_do_not_wait_for_a_hanging_redis_and_are_not_limited_after_it() {
    block_on(async {
        let mut service = TestService::start_with_default_limits(Some(RedisServer::start())).await;
        let api = service.api();
        // Soon out of date, so that every reader would like to ask the store.
        let cache = json!({"lifetime_ms": 200, "stale_ms": 0, "stale_if_error_ms": 300_000});
        api.create_leaderboard("b", &json!({"cache": cache})).await;
        api.submit_score("b", "p", 1).await;
        let until = Instant::now() + Duration::from_secs(2) + HANGS_FOR + AFTER;
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn_local(reader(api.clone(), until));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        service.redis.as_mut().unwrap().hang();
        tokio::time::sleep(HANGS_FOR).await;
        service.redis.as_mut().unwrap().resume();
        let mut slow = 0;
        for (longest, waited, others) in readers.join_all().await {
            assert_eq!(others, Vec::<u16>::new());
            assert!(longest < LONGEST, "{longest:?}");
            slow += waited;
        }
        // Those that found out: each may be one of those that were under way when it began.
        assert!(slow <= 4 * u32::try_from(READERS).unwrap(), "{slow} reads waited");
        // It is known to be back.
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
