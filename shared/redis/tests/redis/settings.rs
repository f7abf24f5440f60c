//! The settings of the server that the store checks.

use leaderboard_core::ports::{Readiness, SettingCheck};
use leaderboard_redis::RedisStore;

use crate::native_redis::connect;
use crate::server::Server;

/// Returns the check of this setting.
async fn found(server: &Server, url: &str, setting: &str) -> SettingCheck {
    let store = RedisStore::new(connect(url).await);
    assert_eq!(store.check_ready().await, Ok(()), "{url} is let in");
    let mut checks = store.check_settings().await.unwrap();
    assert_eq!(checks.len(), 2, "{}", server.url());
    checks.retain(|check| check.setting == setting);
    checks.remove(0)
}

#[tokio::test]
async fn a_policy_that_deletes_scores_is_found_and_the_one_to_use_is_named() {
    let server = Server::start().await;
    for (policy, wrong) in [
        ("allkeys-lru", true),
        ("volatile-ttl", true),
        ("noeviction", false),
    ] {
        server.ask(&format!("CONFIG SET maxmemory-policy {policy}")).await;
        let check = found(&server, &server.url(), "maxmemory-policy").await;
        assert_eq!(
            (check.wanted, check.found.as_deref(), check.is_wrong()),
            ("noeviction", Some(policy), wrong)
        );
    }
}

#[tokio::test]
async fn expiry_that_holds_up_others_is_found_and_the_setting_to_use_is_named() {
    let server = Server::start().await;
    for (lazy, wrong) in [("no", true), ("yes", false)] {
        server
            .ask(&format!("CONFIG SET lazyfree-lazy-expire {lazy}"))
            .await;
        let check = found(&server, &server.url(), "lazyfree-lazy-expire").await;
        assert_eq!(
            (check.wanted, check.found.as_deref(), check.is_wrong()),
            ("yes", Some(lazy), wrong)
        );
    }
}

#[tokio::test]
async fn a_user_who_may_not_read_settings_gets_no_error_and_no_warning() {
    let server = Server::start().await;
    server.ask("CONFIG SET maxmemory-policy allkeys-lru").await;
    for (user, forbidden, policy) in [
        ("careful", "-config", Some("allkeys-lru")),
        ("blind", "-config -info", None),
    ] {
        server
            .ask(&format!("ACL SETUSER {user} on >secret ~* &* +@all {forbidden}"))
            .await;
        let url = server
            .url()
            .replace("redis://", &format!("redis://{user}:secret@"));
        let check = found(&server, &url, "maxmemory-policy").await;
        assert_eq!(
            (check.found.as_deref(), check.is_wrong()),
            (policy, policy.is_some()),
            "{user}"
        );
        let check = found(&server, &url, "lazyfree-lazy-expire").await;
        assert_eq!((&check.found, check.is_wrong()), (&None, false), "{user}");
    }
}
