//! What operators look at: health in detail, metrics.

use futures::executor::block_on;
use leaderboard_core::ports::{ANNOUNCEMENT_FAILED_AT, ANNOUNCEMENTS_FAILED, Counters, SettingCheck};
use serde_json::json;

use crate::service::{Answer, KEY, METRICS_KEY, Service};

fn metrics(service: &Service) -> String {
    let answer = service.call("GET", "/metrics", "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

fn detailed(service: &Service, accept: &str) -> Answer {
    service.with("GET", "/health/detailed", "", &[("accept", accept)])
}

#[test]
fn every_part_has_its_status() {
    let service = Service::new();
    let answer = detailed(&service, "*/*");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    let health = answer.json();
    assert_eq!(health["status"], "pass");
    for part in ["store", "key_value"] {
        let part = &health["components"][part];
        assert_eq!(
            (&part["status"], &part["message"]),
            (&json!("pass"), &json!("answers"))
        );
        assert_eq!(part["last_checked"], "2026-07-19T21:04:00.000Z");
        assert_eq!(part["metadata"]["took_ms"], 0);
    }
    assert_eq!(service.anonymous("GET", "/health/detailed").problem().0, 401);
}

#[test]
fn a_store_that_fails_is_a_failure_and_a_region_that_fails_a_warning() {
    let service = Service::new();
    service.region.down.set(true);
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
    let service = Service::new();
    let failed = |ago_s: u64| {
        // The service's clock stands at 2026-07-19T21:04:00Z.
        let at = (ANNOUNCEMENT_FAILED_AT.into(), 1_784_495_040 - ago_s);
        block_on(service.store.add(&[at, (ANNOUNCEMENTS_FAILED.into(), 3)])).unwrap();
    };
    let quiet = detailed(&service, "*/*").json();
    assert_eq!(
        quiet["components"]["store"]["metadata"]["announcements_failed"],
        0
    );
    failed(3599);
    let answer = detailed(&service, "*/*");
    assert_eq!(answer.status, 200);
    let health = answer.json();
    let store = &health["components"]["store"];
    assert_eq!(
        (&health["status"], &store["status"]),
        (&json!("warn"), &json!("warn"))
    );
    assert_eq!(store["metadata"]["announcements_failed"], 3);
    assert!(
        store["message"].as_str().unwrap().contains("changes_channel"),
        "{store}"
    );
    let text = metrics(&service);
    for line in [
        "# TYPE edgeboard_announcements_failed_total counter",
        "edgeboard_announcements_failed_total 3",
        "# TYPE edgeboard_announcement_failed_timestamp_seconds gauge",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    let later = Service::new();
    let hour_ago = (ANNOUNCEMENT_FAILED_AT.into(), 1_784_495_040 - 3600);
    block_on(later.store.add(&[hour_ago, (ANNOUNCEMENTS_FAILED.into(), 3)])).unwrap();
    let health = detailed(&later, "*/*").json();
    assert_eq!(health["components"]["store"]["status"], "pass");
    assert_eq!(
        health["components"]["store"]["metadata"]["announcements_failed"],
        3
    );
}

#[test]
fn health_comes_in_the_drafts_form_when_that_is_asked_for() {
    let service = Service::new();
    for accept in ["application/health+json", "application/health+json, */*;q=0.5"] {
        let answer = detailed(&service, accept);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/health+json")
        );
        let health = answer.json();
        assert_eq!(
            (&health["status"], &health["version"]),
            (&json!("pass"), &json!("1"))
        );
        let check = &health["checks"]["store:responseTime"][0];
        assert_eq!(
            (&check["status"], &check["observedUnit"]),
            (&json!("pass"), &json!("ms"))
        );
    }
    let plain = detailed(&service, "application/json, application/health+json;q=0.1");
    assert_eq!(plain.header("content-type"), "application/json");
    let elsewhere = service.with("GET", "/tenants", "", &[("accept", "application/health+json")]);
    assert_eq!(elsewhere.problem().0, 406);
}

#[test]
fn a_setting_of_the_stores_server_that_endangers_it_is_a_warning() {
    let check = |setting, wanted, found: Option<&str>| SettingCheck {
        setting,
        wanted,
        found: found.map(str::to_owned),
    };
    let service = Service::new();
    let ready = || service.anonymous("GET", "/health/ready");
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
fn health_and_metrics_are_at_the_root_and_the_root_leads_to_the_documents() {
    let service = Service::new();
    let operator = [("x-api-key", KEY)];
    for base in ["", "/api/v1", "/api/v2", "/api"] {
        for path in ["/health/live", "/health/ready", "/health/detailed", "/metrics"] {
            let answer = service.at("GET", &format!("{base}{path}"), "", &operator);
            assert_eq!(answer.status, 200, "{base}{path}: {answer:?}");
        }
    }
    assert_eq!(service.at("GET", "/metrics", "", &[]).problem().0, 401);
    assert_eq!(service.at("GET", "/health/detailed", "", &[]).problem().0, 401);
    let start = service.at("GET", "/", "", &[]);
    assert_eq!((start.status, start.header("location")), (307, "/docs"));
    assert_eq!(service.at("POST", "/health/live", "", &[]).problem().0, 405);
    assert_eq!(service.at("GET", "/leaderboards", "", &operator).problem().0, 404);
}

#[test]
fn requests_are_counted_by_family_and_status() {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    service.call("PUT", "/leaderboards/goals", "{");
    service.call("GET", "/leaderboards/goals/entries", "");
    service.anonymous("GET", "/leaderboards/goals/entries");
    service.raw("GET", "/leaderboards", "", &[("x-api-key", "wrong")]);
    let text = metrics(&service);
    for line in [
        "# TYPE edgeboard_requests_total counter",
        "edgeboard_requests_total{family=\"leaderboards\",status=\"2xx\"} 1",
        "edgeboard_requests_total{family=\"leaderboards\",status=\"4xx\"} 2",
        "edgeboard_requests_total{family=\"ranks\",status=\"2xx\"} 2",
        "edgeboard_credentials_refused_total 1",
        "edgeboard_store_up 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
}

#[test]
fn counting_needs_no_store_and_survives_its_absence() {
    let service = Service::new();
    service.store.down.set(true);
    service.call("GET", "/leaderboards", "");
    let text = metrics(&service);
    assert!(
        text.contains("edgeboard_requests_total{family=\"leaderboards\",status=\"5xx\"} 1"),
        "{text}"
    );
    assert!(text.contains("edgeboard_store_up 0"));
    service.region.down.set(true);
    assert_eq!(service.call("GET", "/leaderboards", "").status, 503);
    assert!(metrics(&service).contains("edgeboard_store_up 0"));
}

#[test]
fn metrics_are_for_the_operator_and_for_a_key_that_allows_nothing_else() {
    let service = Service::new();
    let bearer = format!("Bearer {METRICS_KEY}");
    for header in [
        ("x-api-key", KEY),
        ("x-api-key", METRICS_KEY),
        ("authorization", bearer.as_str()),
    ] {
        let answer = service.raw(
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
    let operator = format!("Bearer {KEY}");
    for header in [
        ("x-api-key", "wrong"),
        ("authorization", operator.as_str()),
        ("authorization", METRICS_KEY),
        ("x-a", "b"),
    ] {
        assert_eq!(
            service.raw("GET", "/metrics", "", &[header]).problem().0,
            401,
            "{header:?}"
        );
    }
    assert_eq!(
        service
            .raw("GET", "/tenants", "", &[("x-api-key", METRICS_KEY)])
            .problem()
            .0,
        401
    );
}
