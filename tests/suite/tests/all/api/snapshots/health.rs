//! Snapshots of health, metrics and regions.

use leaderboard_test_support::{RedisServer, TestService, block_on, wait_until};

use super::compare;
use crate::cases::api_cases;

api_cases! {
    async fn health(api) {
        compare("health-live", &api.get("/health/live").await);
        compare("health-ready", &api.get("/health/ready").await);
        compare("health-detailed", &api.get("/health/detailed").await);
        let draft = api.request("GET", "/health/detailed").header("accept", "application/health+json");
        compare("health-draft", &draft.send().await);
        compare("metrics", &api.get("/metrics").await);
        let listed = wait_until(async || api.get("/regions").await, |listed| listed.json()["regions"][0].is_object());
        compare("regions", &listed.await);
    }
}

#[test]
fn without_its_store() {
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        service.redis.as_mut().unwrap().kill();
        // The response from before the outage is reused for up to a second.
        wait_until(
            async || api.get("/health/ready").await.status,
            |status| *status == 503,
        )
        .await;
        compare("health-not-ready", &api.get("/health/ready").await);
        compare("health-failing", &api.get("/health/detailed").await);
    });
}
