//! Tests of the check of server settings.

use leaderboard_core::ports::{Readiness, SettingCheck};
use leaderboard_redis::RedisStore;

use crate::native_redis::connect;
use crate::server::Server;

/// Returns the result of the check of this setting.
async fn find_check(server: &Server, url: &str, setting: &str) -> SettingCheck {
    let store = RedisStore::new(connect(url).await);
    assert_eq!(store.check_ready().await, Ok(()), "{url} is ready");
    let mut checks = store.check_settings().await.unwrap();
    assert_eq!(checks.len(), 2, "{}", server.url());
    checks.retain(|check| check.setting == setting);
    checks.remove(0)
}

#[tokio::test]
async fn an_eviction_policy_that_deletes_scores_is_reported() {
    let server = Server::start().await;
    for (policy, wrong) in [
        ("allkeys-lru", true),
        ("volatile-ttl", true),
        ("noeviction", false),
    ] {
        server
            .run_command(&format!("CONFIG SET maxmemory-policy {policy}"))
            .await;
        let check = find_check(&server, &server.url(), "maxmemory-policy").await;
        assert_eq!(
            (check.wanted, check.found.as_deref(), check.is_wrong()),
            ("noeviction", Some(policy), wrong)
        );
    }
}

#[tokio::test]
async fn expiry_that_blocks_other_commands_is_reported() {
    let server = Server::start().await;
    for (lazy, wrong) in [("no", true), ("yes", false)] {
        server
            .run_command(&format!("CONFIG SET lazyfree-lazy-expire {lazy}"))
            .await;
        let check = find_check(&server, &server.url(), "lazyfree-lazy-expire").await;
        assert_eq!(
            (check.wanted, check.found.as_deref(), check.is_wrong()),
            ("yes", Some(lazy), wrong)
        );
    }
}

#[tokio::test]
async fn a_user_without_permission_for_settings_gets_no_error() {
    let server = Server::start().await;
    server
        .run_command("CONFIG SET maxmemory-policy allkeys-lru")
        .await;
    for (user, forbidden, policy) in [
        ("careful", "-config", Some("allkeys-lru")),
        ("blind", "-config -info", None),
    ] {
        server
            .run_command(&format!("ACL SETUSER {user} on >secret ~* &* +@all {forbidden}"))
            .await;
        let url = server
            .url()
            .replace("redis://", &format!("redis://{user}:secret@"));
        let check = find_check(&server, &url, "maxmemory-policy").await;
        assert_eq!(
            (check.found.as_deref(), check.is_wrong()),
            (policy, policy.is_some()),
            "{user}"
        );
        let check = find_check(&server, &url, "lazyfree-lazy-expire").await;
        assert_eq!((&check.found, check.is_wrong()), (&None, false), "{user}");
    }
}
