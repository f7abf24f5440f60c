//! Health, metrics.

use leaderboard_suite::RedisServer;

use super::compare;
use crate::edgeboard::{Site, eventually, over_http};
use crate::harness::block_on;

over_http! {
    async fn health(edgeboard) {
        compare("health-live", &edgeboard.get("/health/live").await);
        compare("health-ready", &edgeboard.get("/health/ready").await);
        compare("health-detailed", &edgeboard.get("/health/detailed").await);
        let draft = edgeboard.call("GET", "/health/detailed").header("accept", "application/health+json");
        compare("health-draft", &draft.send().await);
        compare("metrics", &edgeboard.get("/metrics").await);
    }
}

#[test]
fn without_its_store() {
    block_on(async {
        let mut site = Site::on(Some(RedisServer::start())).await;
        let edgeboard = site.edgeboard();
        site.redis.as_mut().unwrap().kill();
        // An answer from before is reused for a second.
        eventually(
            async || edgeboard.get("/health/ready").await.status,
            |status| *status == 503,
        )
        .await;
        compare("health-not-ready", &edgeboard.get("/health/ready").await);
        compare("health-failing", &edgeboard.get("/health/detailed").await);
    });
}
