//! Detailed health and metrics, also while stores fail.

use futures::executor::block_on;
use leaderboard_core::ports::{ANNOUNCEMENT_FAILED_AT, ANNOUNCEMENTS_FAILED, Counters, SettingCheck};
use leaderboard_test_support::ADMIN_KEY;
use serde_json::json;

use crate::in_process::environment::{Answer, BEGIN_S, Instance, METRICS_KEY};

fn metrics(service: &Instance) -> String {
    let answer = service.call("GET", "/metrics", "");
    answer.expect_status(200);
    answer.text
}

fn detailed(service: &Instance, accept: &str) -> Answer {
    service.call_with("GET", "/health/detailed", "", &[("accept", accept)])
}

#[test]
fn a_store_that_fails_is_a_failure_and_a_region_that_fails_a_warning() {
    let service = Instance::new();
    service.key_value.down.set(true);
    let warned = detailed(&service, "*/*");
    assert_eq!((warned.status, &warned.json()["status"]), (200, &json!("warn")));
    service.store.down.set(true);
    let failed = detailed(&service, "*/*");
    assert_eq!((failed.status, failed.header("retry-after")), (503, "1"));
    assert_eq!(failed.json()["components"]["store"]["status"], "fail");
    assert!(!failed.text.contains("10.0.0.7") && failed.log.cause.unwrap().contains("10.0.0.7"));
}

#[test]
fn announcements_that_fail_are_a_warning_for_an_hour_and_a_metric() {
    let store_after = |ago_s: u64| {
        let service = Instance::new();
        let at = u64::try_from(BEGIN_S).unwrap() - ago_s;
        let counts = [
            (ANNOUNCEMENT_FAILED_AT.into(), at),
            (ANNOUNCEMENTS_FAILED.into(), 3),
        ];
        block_on(service.store.add(&counts)).unwrap();
        let health = detailed(&service, "*/*").expect_status(200);
        let store = &health["components"]["store"];
        assert_eq!(
            (&health["status"], &store["metadata"]["announcements_failed"]),
            (&store["status"], &json!(3))
        );
        (store.clone(), metrics(&service))
    };
    let (store, text) = store_after(3599);
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
    assert_eq!(store_after(3600).0["status"], "pass");
    let quiet = detailed(&Instance::new(), "*/*").json();
    assert_eq!(
        quiet["components"]["store"]["metadata"]["announcements_failed"],
        0
    );
}

#[test]
fn a_setting_of_the_stores_server_that_endangers_it_is_a_warning() {
    let check = |setting, wanted, found: Option<&str>| SettingCheck {
        setting,
        wanted,
        found: found.map(str::to_owned),
    };
    let service = Instance::new();
    let ready = || service.anonymous("/health/ready");
    let unknown = check("lazyfree-lazy-expire", "yes", None);
    *service.store.settings.borrow_mut() = vec![
        check("maxmemory-policy", "noeviction", Some("noeviction")),
        unknown.clone(),
    ];
    assert_eq!((ready().status, &ready().json()["status"]), (200, &json!("pass")));
    let store = detailed(&service, "*/*").json()["components"]["store"].take();
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
    let warned = ready();
    assert_eq!((warned.status, &warned.json()["status"]), (200, &json!("warn")));
    assert!(
        !warned.text.contains("maxmemory"),
        "that is the operator's to know"
    );
    let health = detailed(&service, "*/*");
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("warn")));
    let setting = &health.json()["components"]["store"]["metadata"]["settings"][0];
    assert_eq!(
        (&setting["found"], &setting["message"]),
        (&json!("allkeys-lru"), &json!("set maxmemory-policy noeviction"))
    );
}

#[test]
fn counting_needs_no_store_and_survives_its_absence() {
    let service = Instance::new();
    service.store.down.set(true);
    service.call("GET", "/leaderboards", "");
    let text = metrics(&service);
    assert!(
        text.contains("edgeboard_requests_total{family=\"leaderboards\",status=\"5xx\"} 1"),
        "{text}"
    );
    assert!(text.contains("edgeboard_store_up 0"));
    service.key_value.down.set(true);
    service.call("GET", "/leaderboards", "").expect_status(503);
    assert!(metrics(&service).contains("edgeboard_store_up 0"));
}

#[test]
fn metrics_are_for_the_operator_and_for_a_key_that_allows_nothing_else() {
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
    assert_eq!(
        service
            .send("GET", "/tenants", "", &[("x-api-key", METRICS_KEY)])
            .problem()
            .0,
        401
    );
}
