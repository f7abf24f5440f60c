//! A new instance knows used-up limits, whatever other tenants do.

use super::reads::region;
use crate::in_process::environment::{Instance, Region, request};

const TOP: &str = "/leaderboards/goals/entries";
const TEN: &str = r#"{"policies":{"client":{"quota":10,"window_s":1,"burst":10}}}"#;
const VICTIM: &str = "192.0.2.1:5000";

/// How many reads of a client are let through.
fn let_through(instance: &Instance, client: &str, tenant: &str, tries: usize) -> usize {
    let headers = [("spin-client-addr", client), ("x-tenant-id", tenant)];
    (0..tries)
        .filter(|_| {
            let answer = instance.answer(request("GET", TOP, "", &headers));
            assert!(matches!(answer.status, 200 | 429), "{answer:?}");
            answer.status == 200
        })
        .count()
}

fn set(region: &Region, tenant: &str, path: &str, body: &str) {
    let instance = region.instance();
    assert_eq!(instance.for_tenant(tenant, "PUT", path, body), 201);
}

#[test]
fn long_windows_of_a_tenant_do_not_reset_the_limits_of_others() {
    let region = region(true, TEN);
    let day = r#"{"policies":{"client":{"quota":1,"window_s":86400,"burst":2}}}"#;
    set(&region, "evil", "/limits", day);
    let cache = r#"{"cache":{"lifetime_ms":3600000,"stale_ms":0,"stale_if_error_ms":0}}"#;
    set(&region, "evil", "/leaderboards/goals", cache);
    let instance = region.instance();
    assert_eq!(let_through(&instance, VICTIM, "default", 20), 10);
    instance.settle();
    for network in 0..20 {
        let instance = region.instance();
        for host in 0..50 {
            let client = format!("10.0.{network}.{host}:1");
            assert_eq!(let_through(&instance, &client, "evil", 3), 2);
        }
        instance.settle();
    }
    assert_eq!(let_through(&region.instance(), VICTIM, "default", 20), 0);
    // What the tenant itself has chosen is still known, as far as its space goes.
    let known = (0..50).filter(|host| {
        let client = format!("10.0.19.{host}:1");
        let_through(&region.instance(), &client, "evil", 1) == 0
    });
    assert!(known.count() > 0);
}

#[test]
fn a_new_instance_knows_that_the_quota_of_the_day_is_used_up() {
    let region = region(true, "{}");
    set(
        &region,
        "default",
        "/tenants/default",
        r#"{"quotas":{"requests_per_day":40}}"#,
    );
    let instance = region.instance();
    assert_eq!(let_through(&instance, VICTIM, "default", 50), 40);
    instance.settle();
    let new = region.instance();
    assert_eq!(let_through(&new, VICTIM, "default", 1), 0);
    // The next day begins with all of it.
    region.pass_ms(86_400_000);
    assert_eq!(let_through(&region.instance(), VICTIM, "default", 50), 40);
}
