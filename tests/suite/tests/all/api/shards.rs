//! Tests of the API on two Redis servers that are shards.

use leaderboard_host::VariableSource;
use leaderboard_redis::Connection;
use leaderboard_test_support::{
    ApiClient, RedisServer, StoreKind, TestService, block_on, native_redis, wait_until,
};
use serde_json::{Value, json};

use super::snapshots::compare;
use crate::cases::on_both_kinds;

/// So many tenants that each of two shards gets some.
const TENANTS: usize = 8;

/// A service on two shards.
struct ShardedService {
    service: TestService,
    /// The second shard. The first one belongs to the service.
    second: RedisServer,
}

impl ShardedService {
    async fn start() -> Self {
        let second = RedisServer::start_durable();
        let (first, url) = (RedisServer::start_durable(), second.url());
        let service = TestService::start_configured(Some(first), |config| {
            let name = "redis_url2".to_owned();
            config.variables.push(VariableSource::Value { name, value: url });
        })
        .await;
        service.api().switch_limits_off().await;
        Self { service, second }
    }

    /// Returns the server of a shard.
    fn server(&mut self, shard: u64) -> &mut RedisServer {
        match shard {
            1 => self.service.redis.as_mut().unwrap(),
            _ => &mut self.second,
        }
    }

    /// Starts another region, whose instances have cached nothing. Requests that come one after another reach the same instance.
    async fn start_region(&mut self) -> TestService {
        let variables = [("redis_url", 1), ("redis_url2", 2)];
        let variables = variables.map(|(name, shard)| (name, self.server(shard).url()));
        TestService::start_configured(None, |config| {
            let variables = variables.map(|(name, value)| {
                let name = name.to_owned();
                VariableSource::Value { name, value }
            });
            config.workers = 1;
            config.variables.extend(variables);
        })
        .await
    }

    /// Creates a leaderboard with an entry for each of some tenants. Returns clients of the tenants, with their shards.
    async fn fill(&self) -> Vec<(ApiClient, u64)> {
        let mut tenants = Vec::new();
        for number in 0..TENANTS {
            let api = self.service.api().for_tenant(&format!("t{number}"));
            api.create_leaderboard("b", &json!({"operator": "increment"}))
                .await;
            api.submit_score("b", "ann", 1).await;
            let shard = find_shard(&api).await;
            tenants.push((api, shard));
        }
        for shard in [1, 2] {
            assert!(tenants.iter().any(|(_, of_tenant)| *of_tenant == shard));
        }
        tenants
    }

    /// Does the same as [`Self::fill`], and returns clients of the tenants of one shard.
    async fn fill_shard(&self, shard: u64) -> Vec<ApiClient> {
        let tenants = self.fill().await.into_iter();
        tenants
            .filter(|(_, of_tenant)| *of_tenant == shard)
            .map(|(tenant, _)| tenant)
            .collect()
    }
}

async fn find_shard(api: &ApiClient) -> u64 {
    let found = api.get(&shard_path(api)).await.expect_status(200);
    assert_eq!(found["tenant"], api.tenant);
    found["shard"].as_u64().unwrap()
}

fn shard_path(api: &ApiClient) -> String {
    format!("/tenants/{}/shard", api.tenant)
}

/// Moves a tenant, with as many requests as the move needs.
async fn move_to(api: &ApiClient, shard: u64) -> Value {
    let moved = wait_until(
        async || api.put(&shard_path(api), &json!({"shard": shard})).await,
        |answer| answer.status != 202,
    );
    moved.await.expect_status(200)
}

/// Submits a score to the tenant's leaderboard, and returns the status.
async fn submit(api: &ApiClient) -> u16 {
    let submission = json!({"player": "ann", "score": 1});
    api.post("/leaderboards/b/scores", &submission).await.status
}

/// Reads the entries from the store, not from a cache, and returns the status.
async fn read_uncached(api: &ApiClient) -> u16 {
    let read = api.request("GET", "/leaderboards/b/entries");
    read.header("cache-control", "no-cache").send().await.status
}

#[test]
fn while_a_shard_is_down_its_tenants_get_503_and_the_others_go_on() {
    block_on(async {
        for down in [2, 1] {
            let mut sharded = ShardedService::start().await;
            let tenants = sharded.fill().await;
            sharded.server(down).kill();
            for round in 0..3 {
                for (api, shard) in &tenants {
                    let expected = if *shard == down { 503 } else { 200 };
                    let tried = (submit(api).await, read_uncached(api).await);
                    assert_eq!(tried, (expected, expected), "{down} {round} {}", api.tenant);
                }
            }
            let api = sharded.service.api();
            api.get("/health/ready").await.expect_status(200);
            if down == 2 {
                let health = api.get("/health/detailed").await.expect_status(200);
                let store = &health["components"]["store"];
                assert_eq!(store["status"], "warn");
                let status = |at: usize| store["metadata"]["shards"][at]["status"].clone();
                assert_eq!((status(0), status(1)), (json!("pass"), json!("fail")));
            }

            sharded.server(down).restart();
            for (api, _) in &tenants {
                assert_eq!(
                    wait_until(async || submit(api).await, |status| *status == 200).await,
                    200
                );
            }
        }
    });
}

#[test]
fn a_tenant_who_was_moved_away_does_not_notice_that_the_old_shard_is_down() {
    block_on(async {
        let mut sharded = ShardedService::start().await;
        let mut on_second = sharded.fill_shard(2).await;
        let left = on_second.pop().unwrap();
        assert!(!on_second.is_empty());
        for moved in &on_second {
            move_to(moved, 1).await;
        }
        let region = sharded.start_region().await;
        let in_region = |tenant: &ApiClient| region.api().for_tenant(&tenant.tenant);
        sharded.server(2).kill();
        for moved in &on_second {
            assert_eq!(submit(&in_region(&left)).await, 503);
            assert_eq!(submit(&in_region(moved)).await, 200, "{}", moved.tenant);
        }
    });
}

#[test]
fn a_failure_of_the_shard_that_a_tenant_was_moved_to_is_not_blamed_on_the_old_one() {
    block_on(async {
        let mut sharded = ShardedService::start().await;
        let on_first = sharded.fill_shard(1).await;
        let (moved, left) = on_first.split_at(on_first.len() / 2);
        assert!(!moved.is_empty());
        for tenant in moved {
            move_to(tenant, 2).await;
        }
        let region = sharded.start_region().await;
        let in_region = |tenant: &ApiClient| region.api().for_tenant(&tenant.tenant);
        sharded.server(2).kill();
        for (moved, left) in moved.iter().zip(left) {
            assert_eq!(submit(&in_region(moved)).await, 503, "{}", moved.tenant);
            assert_eq!(submit(&in_region(left)).await, 200, "{}", left.tenant);
        }
    });
}

#[test]
fn a_tenant_is_moved_with_its_data_and_its_queue() {
    block_on(async {
        let sharded = ShardedService::start().await;
        let tenants = sharded.fill().await;
        for (api, from) in &tenants {
            let queued = api
                .request("POST", "/leaderboards/b/scores")
                .header("prefer", "respond-async")
                .json(&json!({"player": "ben", "score": 5, "id": "queued"}))
                .send()
                .await;
            queued.expect_status(202);
            let to = 3 - from;
            let moved = move_to(api, to).await;
            assert_eq!(moved, json!({"tenant": api.tenant, "shard": to, "state": "done"}));
            assert_eq!(find_shard(api).await, to);
            assert_eq!((submit(api).await, read_uncached(api).await), (200, 200));
            let page = wait_until(
                async || api.page("b", "").await,
                |page| page["entries"][1]["values"]["score"] == 2,
            )
            .await;
            assert_eq!(page["entries"][0]["values"]["score"], 5);
            // A second move there changes nothing.
            assert_eq!(move_to(api, to).await, moved);
        }
        let audit = sharded
            .service
            .api()
            .get("/operator/audit")
            .await
            .expect_status(200);
        assert!(audit.to_string().contains("/tenants/:tenant/shard"), "{audit}");
    });
}

/// Sends a command to a server, words with spaces between them.
async fn send(server: &RedisServer, command: &[&str]) {
    let connection = native_redis::connect(&server.url()).await;
    let arguments: Vec<&[u8]> = command[1..].iter().map(|word| word.as_bytes()).collect();
    connection.command(command[0], &arguments).await.unwrap();
}

#[test]
fn a_shard_that_is_down_stops_no_item_of_others_and_kills_none_of_its_own() {
    block_on(async {
        let mut sharded = ShardedService::start().await;
        let tenants = sharded.fill().await;
        // A backend appends to any of the streams.
        for (api, _) in &tenants {
            let score = json!({"leaderboards": ["b"], "player": "ann", "score": 5, "id": "appended"});
            let message = json!({"tenant": api.tenant, "scores": [score]}).to_string();
            let first = sharded.service.redis.as_ref().unwrap();
            send(first, &["XADD", "eb::queue", "*", "message", &message]).await;
        }
        sharded.server(2).kill();
        let api = sharded.service.api();
        let tick = async || {
            api.request_at("POST", "/internal/tick")
                .send()
                .await
                .expect_status(200)
        };
        wait_until(&tick, |drained| drained["finished"] == 0).await;
        for (api, shard) in &tenants {
            if *shard == 1 {
                assert_eq!(api.page("b", "").await["entries"][0]["values"]["score"], 6);
            }
        }
        // More attempts than an item has whose store answers.
        for _ in 0..12 {
            tick().await;
        }
        sharded.server(2).restart();
        for (api, _) in &tenants {
            let all = wait_until(
                async || {
                    tick().await;
                    api.page("b", "").await
                },
                |page| page["entries"][0]["values"]["score"] == 6,
            );
            all.await;
        }
        let letters = api.get("/dead-letters").await.expect_status(200);
        assert_eq!(letters["letters"], json!([]), "{letters}");
    });
}

#[test]
fn an_erasure_deletes_what_a_move_has_left() {
    block_on(async {
        let mut sharded = ShardedService::start().await;
        let tenants = sharded.fill().await;
        let (api, home) = &tenants[0];
        let other = 3 - home;
        // As if the move to this shard had ended before it deleted the last key.
        let marker = format!("{home} cleaning 7 0 a-b");
        let (key, left) = (
            format!("eb:{}:shard", api.tenant),
            format!("eb:{}:d:left", api.tenant),
        );
        send(sharded.server(other), &["SET", &key, &marker]).await;
        send(sharded.server(other), &["SET", &left, "ann"]).await;
        let found = api.get(&shard_path(api)).await.expect_status(200);
        assert_eq!(
            found,
            json!({"tenant": api.tenant, "shard": home, "state": "cleaning"})
        );
        wait_until(
            async || api.delete("/players/ann").await.status,
            |status| *status == 204,
        )
        .await;
        let server = native_redis::connect(&sharded.server(other).url()).await;
        let exists = server.command("EXISTS", &[left.as_bytes()]).await.unwrap();
        assert_eq!(exists, [leaderboard_redis::Reply::Integer(0)]);
        let found = api.get(&shard_path(api)).await.expect_status(200);
        assert_eq!(found, json!({"tenant": api.tenant, "shard": home}));
    });
}

#[test]
fn a_move_that_waits_for_the_queue_answers_202() {
    block_on(async {
        let sharded = ShardedService::start().await;
        let api = sharded.service.api().for_tenant("acme");
        api.create_leaderboard("b", &json!({})).await;
        assert_eq!(find_shard(&api).await, 2);
        // As if a request of the tenant waited. Nothing drains the queue of this service.
        let second = &sharded.second;
        send(second, &["HSET", "eb:acme:queue:sizes", "items", "1"]).await;
        send(second, &["XADD", "eb::queue", "*", "tenant", "acme"]).await;
        compare(
            "tenant-moving",
            &api.put(&shard_path(&api), &json!({"shard": 1})).await,
        );
        assert_eq!(submit(&api).await, 200);
        // The tenant lives on the second shard, so this ends the move.
        move_to(&api, 2).await;
        assert_eq!(find_shard(&api).await, 2);
        send(second, &["HSET", "eb:acme:queue:sizes", "items", "0"]).await;
        assert_eq!(move_to(&api, 1).await["state"], "done");
    });
}

on_both_kinds! {
    the_number_of_a_shard_is_checked
}

async fn the_number_of_a_shard_is_checked(store: StoreKind) {
    let service = TestService::start(store).await;
    let api = service.api();
    let path = shard_path(&api);
    for (body, detail) in [
        (json!({}), "is required"),
        (json!({"shard": 2}), "must be 1: the store has one shard"),
        (json!({"shard": 0}), "must be 1: the store has one shard"),
        (json!({"shard": "x"}), "must be an integer"),
        (json!({"shard": 1, "to": 2}), "to"),
    ] {
        let refused = api.put(&path, &body).await.expect_problem(422, "validation");
        let text = refused["errors"].to_string();
        assert!(text.contains(detail) && text.contains("#/"), "{text}");
    }
    assert_eq!(move_to(&api, 1).await["state"], "done");
    assert_eq!(find_shard(&api).await, 1);
}
