//! Tests of the list of regions.

use futures::executor::block_on;
use leaderboard_core::RegionName;
use leaderboard_core::ports::{DocumentKind, Documents};
use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region};

/// The longest time between two reports of a region whose readiness is checked, in milliseconds.
const REPORT_INTERVAL_MS: i64 = 10_000;
/// How long a region without a further report is listed, in milliseconds.
const LISTED_FOR_MS: i64 = 35_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Checks the readiness of a region, which then reports itself if that is due.
fn check_readiness(service: &Instance) {
    service.anonymous("/health/ready").expect_status(200);
    service.settle();
}

fn list_regions(service: &Instance) -> Vec<Value> {
    let mut listed = service.call("GET", "/regions", "").expect_status(200);
    serde_json::from_value(listed["regions"].take()).unwrap()
}

fn names(regions: &[Value]) -> Vec<&str> {
    regions
        .iter()
        .map(|region| region["name"].as_str().unwrap())
        .collect()
}

/// Creates an instance in another region that has this name.
fn create_elsewhere(region: &Region, name: &str) -> Instance {
    region.elsewhere().instance_with(|options| {
        options.settings(|settings| settings.region = RegionName::new(name).unwrap())
    })
}

#[test]
fn a_region_is_listed_while_its_readiness_is_checked() {
    let region = Region::with_options().region();
    let here = region.instance();
    let there = create_elsewhere(&region, "there");
    assert_eq!(list_regions(&here), [] as [Value; 0]);
    check_readiness(&here);
    region.pass_ms(1_000);
    check_readiness(&there);
    for service in [&here, &there] {
        assert_eq!(names(&list_regions(service)), ["default", "there"]);
    }
    let first = list_regions(&here).swap_remove(0);
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(first["started_at"], first["reported_at"]);
    for _ in 0..5 {
        region.pass_ms(REPORT_INTERVAL_MS);
        check_readiness(&here.beside());
    }
    let listed = list_regions(&here);
    assert_eq!(names(&listed), ["default"]);
    assert_eq!(listed[0]["started_at"], first["started_at"]);
    assert_ne!(listed[0]["reported_at"], first["reported_at"]);
    region.pass_ms(LISTED_FOR_MS);
    assert_eq!(list_regions(&here), [] as [Value; 0]);
    check_readiness(&here);
    let again = list_regions(&here).swap_remove(0);
    assert_eq!(again["started_at"], again["reported_at"]);
}

#[test]
fn checks_of_readiness_between_two_reports_write_nothing() {
    let service = Instance::new();
    check_readiness(&service);
    let first = list_regions(&service);
    service.pass_ms(REPORT_INTERVAL_MS - 1);
    check_readiness(&service.beside());
    assert_eq!(list_regions(&service), first);
}

#[test]
fn a_new_region_removes_the_reports_of_regions_that_are_long_gone() {
    let region = Region::with_options().region();
    check_readiness(&create_elsewhere(&region, "gone"));
    region.pass_ms(DAY_MS + 1);
    let here = region.instance();
    check_readiness(&here);
    let stored = block_on(here.store.list_documents(None, DocumentKind::Region, None, 10)).unwrap();
    let names: Vec<&str> = stored.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["default"]);
}

#[test]
fn a_region_measures_how_long_its_own_probe_took() {
    let service = Instance::new();
    let receive = |message: &Value| {
        let payload = message.to_string();
        block_on(leaderboard_responses::apply_change_message(
            &service,
            payload.as_bytes(),
        ))
        .unwrap();
    };
    let lag = || list_regions(&service)[0]["invalidation_lag_ms"].clone();
    let probe = |region: &str, ago_ms: i64| json!({"tenant": "default", "leaderboards": [], "probe": {"region": region, "sent_at_ms": service.now_ms() - ago_ms}});
    check_readiness(&service);
    assert_eq!(lag(), Value::Null);
    receive(&probe("default", 7));
    receive(&probe("there", 8));
    receive(&probe("default", -9));
    service.pass_ms(REPORT_INTERVAL_MS);
    check_readiness(&service);
    assert_eq!(lag(), 7);
    // Without further messages, the lag is unknown.
    for _ in 0..3 {
        service.pass_ms(REPORT_INTERVAL_MS);
        check_readiness(&service);
    }
    assert_eq!(lag(), Value::Null);
}

#[test]
fn only_the_operator_lists_regions() {
    let service = Instance::new();
    let key = service.make_server_key();
    assert_eq!(service.anonymous("/regions").status, 401);
    assert_eq!(service.with_key(&key, "GET", "/regions", "").status, 403);
    service
        .call("GET", "/regions?limit=1", "")
        .expect_problem(400, "invalid-parameter", "limit");
}
