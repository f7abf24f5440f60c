//! Tests of detailed health and metrics, also while the stores fail.

use futures::executor::block_on;
use leaderboard_core::ports::{ANNOUNCEMENT_FAILED_AT, ANNOUNCEMENTS_FAILED, Counters, SettingCheck};
use leaderboard_test_support::ADMIN_KEY;
use serde_json::json;

use crate::in_process::environment::{Answer, BEGIN_S, Instance, METRICS_KEY};

fn get_metrics(service: &Instance) -> String {
    let answer = service.call("GET", "/metrics", "");
    answer.expect_status(200);
    answer.text
}

fn get_detailed_health(service: &Instance, accept: &str) -> Answer {
    service.call_with("GET", "/health/detailed", "", &[("accept", accept)])
}

#[test]
fn health_fails_without_the_store_and_warns_without_the_key_value_store() {
    let service = Instance::new();
    service.key_value.down.set(true);
    let warned = get_detailed_health(&service, "*/*");
    assert_eq!((warned.status, &warned.json()["status"]), (200, &json!("warn")));
    service.store.down.set(true);
    let failed = get_detailed_health(&service, "*/*");
    assert_eq!((failed.status, failed.header("retry-after")), (503, "1"));
    assert_eq!(failed.json()["components"]["store"]["status"], "fail");
    assert!(!failed.text.contains("10.0.0.7") && failed.log.cause.unwrap().contains("10.0.0.7"));
}

#[test]
fn a_failed_announcement_is_a_warning_for_an_hour_and_a_metric() {
    let check_store_after = |ago_s: u64| {
        let service = Instance::new();
        let at = u64::try_from(BEGIN_S).unwrap() - ago_s;
        let counts = [
            (ANNOUNCEMENT_FAILED_AT.into(), at),
            (ANNOUNCEMENTS_FAILED.into(), 3),
        ];
        block_on(service.store.add(&counts)).unwrap();
        let health = get_detailed_health(&service, "*/*").expect_status(200);
        let store = &health["components"]["store"];
        assert_eq!(
            (&health["status"], &store["metadata"]["announcements_failed"]),
            (&store["status"], &json!(3))
        );
        (store.clone(), get_metrics(&service))
    };
    let (store, text) = check_store_after(3599);
    assert_eq!(store["status"], "warn");
    assert!(
        store["message"].as_str().unwrap().contains("changes_channel"),
        "{store}"
    );
    for line in [
        "# TYPE edgeboard_announcements_failed_total counter",
        "edgeboard_announcements_failed_total 3",
        "# TYPE edgeboard_announcement_failed_timestamp_seconds gauge",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    assert_eq!(check_store_after(3600).0["status"], "pass");
    let without_failures = get_detailed_health(&Instance::new(), "*/*").json();
    assert_eq!(
        without_failures["components"]["store"]["metadata"]["announcements_failed"],
        0
    );
}

#[test]
fn a_dangerous_setting_of_the_stores_server_is_a_warning() {
    let check = |setting, wanted, found: Option<&str>| SettingCheck {
        setting,
        wanted,
        found: found.map(str::to_owned),
    };
    let service = Instance::new();
    let get_readiness = || service.anonymous("/health/ready");
    let unknown = check("lazyfree-lazy-expire", "yes", None);
    *service.store.settings.borrow_mut() = vec![
        check("maxmemory-policy", "noeviction", Some("noeviction")),
        unknown.clone(),
    ];
    assert_eq!(
        (get_readiness().status, &get_readiness().json()["status"]),
        (200, &json!("pass"))
    );
    let store = get_detailed_health(&service, "*/*").json()["components"]["store"].take();
    let settings = &store["metadata"]["settings"];
    assert_eq!(
        (&store["status"], &settings[0]["status"]),
        (&json!("pass"), &json!("pass"))
    );
    assert!(
        settings[1]["message"]
            .as_str()
            .unwrap()
            .starts_with("could not be checked")
    );

    *service.store.settings.borrow_mut() = vec![
        check("maxmemory-policy", "noeviction", Some("allkeys-lru")),
        unknown,
    ];
    service.pass_ms(60_000);
    let warned = get_readiness();
    assert_eq!((warned.status, &warned.json()["status"]), (200, &json!("warn")));
    assert!(
        !warned.text.contains("maxmemory"),
        "only the operator sees the setting"
    );
    let health = get_detailed_health(&service, "*/*");
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("warn")));
    let setting = &health.json()["components"]["store"]["metadata"]["settings"][0];
    assert_eq!(
        (&setting["found"], &setting["message"]),
        (&json!("allkeys-lru"), &json!("set maxmemory-policy noeviction"))
    );
}

#[test]
fn requests_are_counted_and_metrics_shown_without_the_stores() {
    let service = Instance::new();
    service.store.down.set(true);
    service.call("GET", "/leaderboards", "");
    let text = get_metrics(&service);
    assert!(
        text.contains("edgeboard_requests_total{family=\"leaderboards\",status=\"5xx\"} 1"),
        "{text}"
    );
    assert!(text.contains("edgeboard_store_up 0"));
    service.key_value.down.set(true);
    service.call("GET", "/leaderboards", "").expect_status(503);
    assert!(get_metrics(&service).contains("edgeboard_store_up 0"));
}

#[test]
fn only_the_operators_key_and_the_metrics_key_can_read_the_metrics() {
    let service = Instance::new();
    let bearer = format!("Bearer {METRICS_KEY}");
    for header in [
        ("x-api-key", ADMIN_KEY),
        ("x-api-key", METRICS_KEY),
        ("authorization", bearer.as_str()),
    ] {
        let answer = service.send(
            "GET",
            "/metrics",
            "",
            &[header, ("accept", "text/plain;version=0.0.4")],
        );
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/plain; version=0.0.4; charset=utf-8")
        );
    }
    let operator = format!("Bearer {ADMIN_KEY}");
    for header in [
        ("x-api-key", "wrong"),
        ("authorization", operator.as_str()),
        ("authorization", METRICS_KEY),
        ("x-a", "b"),
    ] {
        assert_eq!(
            service.send("GET", "/metrics", "", &[header]).problem().0,
            401,
            "{header:?}"
        );
    }
    // The metrics key has no other permission.
    assert_eq!(
        service
            .send("GET", "/tenants", "", &[("x-api-key", METRICS_KEY)])
            .problem()
            .0,
        401
    );
}
