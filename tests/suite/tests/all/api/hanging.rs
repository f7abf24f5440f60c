//! A Redis that hangs: connections stay open, and nothing is answered.

use std::time::{Duration, Instant};

use leaderboard_suite::RedisServer;
use serde_json::json;
use tokio::task::JoinSet;

use crate::edgeboard::{Edgeboard, Site, eventually};
use crate::harness::block_on;

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
async fn reader(edgeboard: Edgeboard, until: Instant) -> (Duration, u32, Vec<u16>) {
    let (mut longest, mut waited, mut others) = (Duration::ZERO, 0, Vec::new());
    while Instant::now() < until {
        let sent = Instant::now();
        let call = edgeboard.call("GET", "/leaderboards/b/entries");
        let answer = call.without("x-api-key").without("cache-control").send().await;
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
fn no_read_with_a_cached_response_waits_for_a_redis_that_hangs_and_none_is_limited_after_it() {
    block_on(async {
        let mut site = Site::limited(Some(RedisServer::start())).await;
        let edgeboard = site.edgeboard();
        // Soon out of date, so that every reader would like to ask the store.
        let cache = json!({"lifetime_ms": 200, "stale_ms": 0, "stale_if_error_ms": 300_000});
        edgeboard.board("b", &json!({"cache": cache})).await;
        edgeboard.score("b", "p", 1).await;
        let until = Instant::now() + Duration::from_secs(2) + HANGS_FOR + AFTER;
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn(reader(edgeboard.clone(), until));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        site.redis.as_mut().unwrap().hang();
        tokio::time::sleep(HANGS_FOR).await;
        site.redis.as_mut().unwrap().go_on();
        let mut slow = 0;
        for (longest, waited, others) in readers.join_all().await {
            assert_eq!(others, Vec::<u16>::new());
            assert!(longest < LONGEST, "{longest:?}");
            slow += waited;
        }
        // Those that found out: each may be one of those that were under way when it began.
        assert!(slow <= 4 * u32::try_from(READERS).unwrap(), "{slow} reads waited");
        // It is known to be back.
        eventually(
            async || {
                edgeboard
                    .post("/leaderboards/b/scores", &json!({"player": "q", "score": 2}))
                    .await
                    .status
            },
            |status| *status == 200,
        )
        .await;
        eventually(
            async || {
                let call = edgeboard.call("GET", "/leaderboards/b/entries");
                call.without("cache-control").send().await.is(200)
            },
            |page| page["entries"][0]["player"] == "q",
        )
        .await;
    });
}
