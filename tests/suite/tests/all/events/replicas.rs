//! Tests of a region that reads from a replica: one that is behind, hangs, or is down.

use std::time::{Duration, Instant};

use leaderboard_host::Host;
use leaderboard_test_support::{
    ApiClient, ApiResponse, HeldLink, RedisServer, block_on, host_config, state_dir, wait_until,
};
use serde_json::{Value, json};

use super::{Region, connect, start_region, wait_for_listeners};

/// How long the replica gets nothing from its primary.
const BEHIND_FOR: Duration = Duration::from_secs(10);
/// How long after its response a write may not show in the reads of its region: the time of a put into the key-value store, and two
/// intervals in which an instance does not look for changes. The machine of a test can be slow.
const SHOWS_AFTER: Duration = Duration::from_millis(250);
/// How long a read may take while the replica does not answer: a read that finds this out, with the primary's answer.
const LONGEST_READ: Duration = Duration::from_millis(1_500);
/// The cached responses of these leaderboards live long, so a response from before a change would show for long.
const LONG_LIFETIME: &str = r#"{"operator": "increment", "cache": {"lifetime_ms": 3600000}}"#;

/// A primary and its replica, and a region that reads from the replica.
struct Replicated {
    primary: RedisServer,
    /// What the primary sends to the replica goes over this link.
    link: HeldLink,
    replica: RedisServer,
    region: Region,
}

impl Replicated {
    async fn start() -> Self {
        let primary = RedisServer::start();
        let link = HeldLink::to_port(primary.port());
        let replica = RedisServer::start_replica(link.port());
        let state = state_dir();
        let configuration = host_config(state.path(), Some(&primary.url()))
            .variable("events_url", primary.url())
            .variable("redis_read_url", replica.url());
        let host = Host::start(configuration).await.unwrap();
        let region = Region { host, _state: state };
        wait_for_listeners(&primary, 1).await;
        region.api().switch_limits_off().await;
        Self {
            primary,
            link,
            replica,
            region,
        }
    }

    /// Creates the leaderboard `b`, and reads it until the replica answers.
    async fn create_leaderboard(&self) -> ApiClient {
        let api = self.region.api();
        let configuration: Value = serde_json::from_str(LONG_LIFETIME).unwrap();
        api.create_leaderboard("b", &configuration).await;
        api.submit_score("b", "p", 1).await;
        self.wait_for_replica(&api).await;
        api
    }

    /// Reads until a read runs on the replica alone.
    async fn wait_for_replica(&self, api: &ApiClient) {
        let read = async || {
            let before = count_reads(&self.primary).await;
            let found = score_of(api, "p").await;
            (found, count_reads(&self.primary).await - before)
        };
        wait_until(read, |(found, on_primary)| found.is_some() && *on_primary == 0).await;
    }
}

/// Returns how often a server ran a read of the library.
async fn count_reads(server: &RedisServer) -> u64 {
    let mut redis = connect(server).await;
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_fcall_ro:calls="));
    line.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
}

/// Reads the list as a reader whose response may come from a cache.
async fn read_list(api: &ApiClient) -> ApiResponse {
    let call = api.request("GET", "/leaderboards/b/entries");
    call.without_header("cache-control").send().await
}

/// Returns the best score of the list.
async fn best_score(api: &ApiClient) -> i64 {
    let page = read_list(api).await.expect_status(200);
    page["entries"][0]["values"]["score"].as_i64().unwrap_or(0)
}

/// Returns the score of a player, from a read that no cache answers.
async fn score_of(api: &ApiClient, player: &str) -> Option<i64> {
    let path = format!("/leaderboards/b/entries?players={player}");
    let call = api.request("GET", &path).without_header("cache-control");
    let page = call.send().await.expect_status(200);
    page["entries"][0]["values"]["score"].as_i64()
}

#[test]
fn a_region_reads_its_own_writes_while_its_replica_is_ten_seconds_behind() {
    block_on(async {
        let replicated = Replicated::start().await;
        let api = replicated.create_leaderboard().await;
        replicated.link.hold();
        let until = Instant::now() + BEHIND_FOR;
        let mut score = 1;
        while Instant::now() < until {
            api.submit_score("b", "p", 1).await;
            score += 1;
            tokio::time::sleep(SHOWS_AFTER).await;
            assert_eq!(
                (score_of(&api, "p").await, best_score(&api).await),
                (Some(score), score)
            );
        }
        replicated.link.release();
        replicated.wait_for_replica(&api).await;
        assert_eq!(
            (score_of(&api, "p").await, best_score(&api).await),
            (Some(score), score)
        );
    });
}

#[test]
fn a_change_of_another_region_shows_although_the_replica_does_not_have_it() {
    block_on(async {
        let replicated = Replicated::start().await;
        let far = replicated.create_leaderboard().await;
        let region = start_region(Some(&replicated.primary), &replicated.primary).await;
        wait_for_listeners(&replicated.primary, 2).await;
        let near = region.api().for_tenant(&far.tenant);
        assert_eq!(best_score(&far).await, 1);
        replicated.link.hold();
        near.submit_score("b", "p", 1).await;
        wait_until(async || best_score(&far).await, |score| *score == 2).await;
        // From then on the region never shows the state of its replica, which is older; and the cache has the change.
        let until = Instant::now() + BEHIND_FOR / 2;
        while Instant::now() < until {
            assert_eq!((score_of(&far, "p").await, best_score(&far).await), (Some(2), 2));
            tokio::time::sleep(SHOWS_AFTER / 5).await;
        }
        // Nobody learns from the replica what has become private. A private leaderboard looks like one that does not exist.
        let read = async || {
            let call = far.request("GET", "/leaderboards/b/entries");
            let call = call.without_header("cache-control").without_header("x-api-key");
            call.send().await.status
        };
        assert_eq!(read().await, 200);
        let configuration = json!({"access": {"read": "private"}});
        near.patch("/leaderboards/b", &configuration)
            .await
            .expect_status(200);
        wait_until(async || read().await, |status| *status == 404).await;
        for _ in 0..20 {
            assert_eq!(read().await, 404);
            tokio::time::sleep(SHOWS_AFTER / 5).await;
        }
    });
}

#[test]
fn reads_succeed_while_the_replica_is_down_or_hangs_and_use_it_afterwards() {
    block_on(async {
        let mut replicated = Replicated::start().await;
        let api = replicated.create_leaderboard().await;
        for hangs in [false, true] {
            if hangs {
                replicated.replica.hang();
            } else {
                replicated.replica.kill();
            }
            let (mut slow, mut score) = (0, best_score(&api).await);
            for _ in 0..30 {
                api.submit_score("b", "p", 1).await;
                score += 1;
                tokio::time::sleep(SHOWS_AFTER / 5).await;
                let sent = Instant::now();
                score_of(&api, "p").await.unwrap();
                assert!(sent.elapsed() < LONGEST_READ, "{:?}", sent.elapsed());
                slow += u32::from(sent.elapsed() > LONGEST_READ / 5);
            }
            // One read finds out that the replica hangs, and the breaker keeps the others away.
            assert!(slow <= 3, "{slow} reads waited");
            assert_eq!(score_of(&api, "p").await, Some(score));
            if hangs {
                replicated.replica.resume();
            } else {
                replicated.replica.restart();
            }
            replicated.wait_for_replica(&api).await;
            assert_eq!(score_of(&api, "p").await, Some(score));
        }
    });
}
