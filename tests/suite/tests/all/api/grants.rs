//! Tests that `spin.toml` grants each component only what it needs. Some tests remove a grant.

use leaderboard_host::{Host, Running};
use leaderboard_test_support::{ApiClient, RedisServer, block_on, host_config, project_root, state_dir};
use serde_json::json;
use tempfile::TempDir;

/// Starts a host on a copy of the manifest in which one component lacks this line. Returns the host and its
/// state directory.
async fn start_host_without(component: &str, line: &str, redis: Option<&RedisServer>) -> (Running, TempDir) {
    let original = std::fs::read_to_string(project_root().join("spin.toml")).unwrap();
    let start = original.find(&format!("[component.{component}]")).unwrap();
    let (before, section) = original.split_at(start);
    assert!(
        section
            .find(line)
            .is_some_and(|at| at < section.find("[component.x").unwrap_or(800)),
        "no {line} in {component}"
    );
    let edited = format!("{before}{}", section.replacen(line, "", 1));
    let sources = project_root().join("target/functions").display().to_string();
    let edited = edited.replace("target/functions", &sources);
    let state = state_dir();
    let manifest = state.path().join("spin.toml");
    std::fs::write(&manifest, edited).unwrap();
    let mut configuration = host_config(state.path(), redis.map(RedisServer::url).as_deref());
    configuration.manifest = manifest;
    (Host::start(configuration).await.unwrap(), state)
}

#[test]
fn a_component_without_the_redis_grant_fails_and_the_others_work() {
    block_on(async {
        let redis = RedisServer::start();
        let (host, _state) = start_host_without(
            "ranks",
            r#"allowed_outbound_hosts = ["{{ redis_url }}", "{{ redis_url2 }}", "{{ redis_url3 }}", "{{ redis_url4 }}", "{{ redis_read_url }}", "{{ issuer_hosts }}"]"#,
            Some(&redis),
        )
        .await;
        let api = ApiClient::over_http(&host.url());
        api.create_leaderboard("b", &json!({})).await;
        assert_eq!(api.submit_score("b", "p", 1).await["rank"], 1);
        api.get("/leaderboards/b/entries")
            .await
            .expect_problem(503, "unavailable");
        api.get("/health/ready").await.expect_status(200);
    });
}

#[test]
fn a_component_without_the_database_grant_fails_and_the_others_work() {
    block_on(async {
        let (host, _state) = start_host_without("ranks", r#"sqlite_databases = ["default"]"#, None).await;
        let api = ApiClient::over_http(&host.url());
        api.create_leaderboard("b", &json!({})).await;
        assert_eq!(api.submit_score("b", "p", 1).await["rank"], 1);
        api.get("/leaderboards/b/entries")
            .await
            .expect_problem(503, "unavailable");
    });
}

#[test]
fn a_component_without_the_key_value_grant_gives_the_same_responses() {
    block_on(async {
        let redis = RedisServer::start();
        let (host, _state) =
            start_host_without("scores", r#"key_value_stores = ["default"]"#, Some(&redis)).await;
        let api = ApiClient::over_http(&host.url());
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        for sum in 1..=3 {
            assert_eq!(api.submit_score("b", "p", 1).await["values"]["score"], sum);
        }
    });
}

/// The servers of the store.
const SHARDS: [&str; 4] = [
    "{{ redis_url }}",
    "{{ redis_url2 }}",
    "{{ redis_url3 }}",
    "{{ redis_url4 }}",
];

/// Returns the hosts that a component may reach beside [`SHARDS`], and its stores. `docs` only serves files and reaches none.
/// Components that verify tokens also fetch the keys of issuers. Components that read entries for cached responses use the replica;
/// the others do without it.
fn granted_hosts_and_store(component: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match component {
        "docs" => (&[], &[]),
        // The only component that sends requests to receivers.
        "webhooks" => (&["{{ issuer_hosts }}", "{{ webhook_hosts }}"], &["default"]),
        "ops" | "cache-events" | "score-events" => (&["{{ redis_read_url }}"], &["default"]),
        "ranks" | "scores" => (&["{{ redis_read_url }}", "{{ issuer_hosts }}"], &["default"]),
        _ => (&["{{ issuer_hosts }}"], &["default"]),
    }
}

#[test]
fn each_component_has_only_the_grants_that_it_needs() {
    let manifest: toml::Table = std::fs::read_to_string(project_root().join("spin.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let components = manifest["component"].as_table().unwrap();
    let functions = std::fs::read_dir(project_root().join("functions")).unwrap();
    assert_eq!(components.len(), functions.count());
    for (name, component) in components {
        let list = |field: &str| -> Vec<&str> {
            let values = component.get(field).and_then(toml::Value::as_array);
            values
                .into_iter()
                .flatten()
                .map(|value| value.as_str().unwrap())
                .collect()
        };
        let (hosts, store) = granted_hosts_and_store(name);
        let shards = SHARDS.iter().filter(|_| name != "docs");
        let granted: Vec<&str> = shards.chain(hosts).copied().collect();
        assert_eq!(list("allowed_outbound_hosts"), granted, "{name}");
        assert_eq!(list("key_value_stores"), store, "{name}");
        assert_eq!(list("sqlite_databases"), store, "{name}");
        for not_needed in [
            "files",
            "ai_models",
            "environment",
            "dependencies_inherit_configuration",
        ] {
            assert!(component.get(not_needed).is_none(), "{not_needed} of {name}");
        }
        // These components do not check credentials: two handle messages, and `docs` serves public files.
        let settings = component["variables"]["settings"].as_str().unwrap();
        let has = |variable: &str| {
            let line = format!("{variable}={{{{ {variable} }}}}");
            settings.lines().any(|other| other == line)
        };
        assert_eq!(
            !has("admin_key"),
            matches!(name.as_str(), "cache-events" | "docs" | "score-events"),
            "{name}"
        );
        // Components that serve HTTP read from a proxy's header whether the request came over TLS.
        for proxy_variable in ["trusted_proxies", "forwarded_header"] {
            assert_eq!(
                !has(proxy_variable),
                matches!(name.as_str(), "cache-events" | "score-events"),
                "{proxy_variable} of {name}"
            );
        }
    }
    let key = &manifest["variables"]["admin_key"];
    assert_eq!(
        (
            key["required"].as_bool(),
            key["secret"].as_bool(),
            key.get("default")
        ),
        (Some(true), Some(true), None)
    );
}
