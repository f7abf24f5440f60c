//! Charges of a tenant's limits and quotas.

use std::collections::BTreeMap;

use futures::executor::block_on;
use futures::future::join_all;
use leaderboard_core::TenantId;
use leaderboard_core::ports::RateLimits;
use leaderboard_pipeline::handle;
use serde_json::{Value, json};

use super::reads::region;
use crate::in_process::environment::{Answer, Instance, Region, request};

const TOP: &str = "/leaderboards/goals/entries";
const MISSING: &str = "/leaderboards/nothing/entries";
const HERE: &str = "192.0.2.1:5000";
const TWO: &str = r#"{"policies":{"client":{"quota":1,"window_s":60,"burst":2}}}"#;

fn of_tenant(instance: &Instance, path: &str, tenant: &str) -> Answer {
    let headers = [("spin-client-addr", HERE), ("x-tenant-id", tenant)];
    instance.answer(request("GET", path, "", &headers))
}

fn statuses(tries: usize, mut ask: impl FnMut(usize) -> Answer) -> Vec<u16> {
    (0..tries).map(|number| ask(number).status).collect()
}

/// A region whose default tenant has a quota for the day.
fn with_quota(requests: u32) -> (Region, Instance) {
    let region = region(true, "{}");
    let instance = region.instance();
    set_quota(&instance, requests);
    (region, instance)
}

fn set_quota(instance: &Instance, requests: u32) {
    let record = format!(r#"{{"quotas":{{"requests_per_day":{requests}}}}}"#);
    let answer = instance.call("PUT", "/tenants/default", &record);
    assert!(answer.status < 300, "{}", answer.text);
}

#[test]
fn a_client_gets_no_more_by_naming_other_tenants() {
    let region = region(true, TWO);
    let instance = region.instance();
    let names = |number| format!("t{number}");
    let all = statuses(10, |number| of_tenant(&instance, TOP, &names(number)));
    // The store was asked, so that the first one cost more than there was.
    assert_eq!(all, [404, 429, 429, 429, 429, 429, 429, 429, 429, 429]);
    instance.from(HERE, TOP).expect_status(429);
    let asked = region.store.document_reads.get();
    of_tenant(&instance, TOP, "t11").expect_status(429);
    assert_eq!(
        region.store.document_reads.get(),
        asked,
        "nothing is asked of the tenant"
    );
    instance.settle();
    of_tenant(&region.instance(), TOP, "t12").expect_status(429);
    for number in 0..10 {
        let tenant = TenantId::new(names(number)).unwrap();
        let (days, _) = block_on(region.store.usage(&tenant, 10)).unwrap();
        assert!(days.is_empty(), "{tenant}");
    }
}

#[test]
fn missing_and_private_leaderboards_cost_the_tenant_nothing() {
    let (region, instance) = with_quota(3);
    let private = r#"{"access":{"read":"private"}}"#;
    instance
        .call("PUT", "/leaderboards/private", private)
        .expect_status(201);
    for (path, status) in [(MISSING, 404), ("/leaderboards/private/entries", 404)] {
        assert!(
            (0..5).all(|_| instance.from(HERE, path).status == status),
            "{path}"
        );
    }
    assert_eq!(
        statuses(5, |_| instance.from(HERE, TOP)),
        [200, 200, 200, 429, 429]
    );
    instance.settle();
    let (days, _) = block_on(region.store.usage(&TenantId::new("default").unwrap(), 1)).unwrap();
    assert_eq!(days[0].usage.requests, 3);
}

#[test]
fn a_tenants_own_limit_counts_what_is_found() {
    let limits = r#"{"policies":{"tenant":{"quota":1,"window_s":60,"burst":2}}}"#;
    let instance = region(true, limits).instance();
    assert_eq!(statuses(3, |_| instance.from(HERE, MISSING)), [404, 404, 404]);
    let first = instance.from(HERE, TOP);
    assert_eq!(
        first.header("ratelimit"),
        r#""client";r=190;t=1, "tenant";r=1;t=60"#
    );
    assert_eq!(statuses(3, |_| instance.from(HERE, TOP)), [200, 429, 429]);
}

#[test]
fn a_quota_that_is_raised_holds_at_once() {
    let (_, instance) = with_quota(2);
    assert_eq!(statuses(3, |_| instance.from(HERE, TOP)), [200, 200, 429]);
    set_quota(&instance, 4);
    assert_eq!(statuses(3, |_| instance.from(HERE, TOP)), [200, 200, 429]);
}

#[test]
fn the_operator_has_no_quota() {
    let (_, instance) = with_quota(1);
    assert_eq!(statuses(2, |_| instance.from(HERE, TOP)), [200, 429]);
    instance.settle();
    for number in 0..3 {
        let body = format!(r#"{{"player":"p","score":{number}}}"#);
        let answer = instance.call("POST", "/leaderboards/goals/scores", &body);
        answer.expect_status(200);
    }
}

#[test]
fn a_limit_that_is_relaxed_is_relaxed_at_once() {
    let strict = r#"{"policies":{"client":{"quota":1,"window_s":86400,"burst":2}}}"#;
    let region = region(true, strict);
    let instance = region.instance();
    assert_eq!(statuses(3, |_| instance.from(HERE, TOP)), [200, 200, 429]);
    instance.settle();
    instance.call(
        "PUT",
        "/operator/limits",
        r#"{"policies":{"client":{"quota":5}}}"#,
    );
    instance.from(HERE, TOP).expect_status(200);
    region.instance().from(HERE, TOP).expect_status(200);
}

#[test]
fn a_batch_asks_once_for_a_leaderboard_that_there_is_not() {
    let region = region(true, "{}");
    let scores: Vec<_> = (0..100)
        .map(|number| format!(r#"{{"player":"p{number}","score":1}}"#))
        .collect();
    let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
    let before = region.store.board_reads.get();
    let answer = region
        .instance()
        .call("POST", "/leaderboards/nothing/scores", &body);
    answer.expect_status(207);
    assert_eq!(region.store.board_reads.get(), before + 1);
}

#[test]
fn flags_are_evaluated_for_callers_with_room_alone() {
    let instance = region(true, TWO).instance();
    let ask = |_| {
        let mut request = request("GET", TOP, "", &[("spin-client-addr", HERE)]);
        *request.uri_mut() = format!("/api{TOP}").parse().unwrap();
        instance.answer(request)
    };
    // A flag says which version is the default one.
    let answers: Vec<_> = (0..4).map(ask).collect();
    let told = answers
        .iter()
        .map(|answer| (answer.status, answer.log.api_version.is_some()));
    assert!(told.eq([(200, true), (200, true), (429, false), (429, false)]));
}

#[test]
fn of_what_two_instances_let_through_the_region_keeps_the_more() {
    let ten = r#"{"policies":{"client":{"quota":10,"window_s":1,"burst":10}}}"#;
    let region = region(true, ten);
    let (first, second) = (region.instance(), region.instance());
    let warm = region.instance();
    warm.from("192.0.2.9:1", TOP).expect_status(200);
    warm.settle();
    for instance in [&first, &second] {
        instance.from(HERE, MISSING).expect_status(404);
    }
    region.store.down.set(true);
    assert_eq!(statuses(6, |_| first.from(HERE, TOP)), [200; 6]);
    assert_eq!(statuses(5, |_| second.from(HERE, TOP)), [200; 5]);
    first.settle();
    second.settle();
    let all = statuses(3, |_| region.instance().from(HERE, TOP));
    assert_eq!(all, [200, 200, 200]);
    let third = region.instance();
    assert_eq!(statuses(3, |_| third.from(HERE, TOP)), [200, 429, 429]);
}

#[test]
fn of_requests_that_come_together_none_begins_with_a_full_burst() {
    let region = region(true, TWO);
    let first = region.instance();
    assert_eq!(statuses(3, |_| first.from(HERE, TOP)), [200, 200, 429]);
    first.settle();
    let new = region.instance();
    region.key_value.takes_time.set(true);
    let ask = || {
        let request = request("GET", TOP, "", &[("spin-client-addr", HERE)]);
        handle::<leaderboard_ranks_function::RanksFunction, _, _>(&new, request)
    };
    let together = block_on(join_all((0..8).map(|_| ask())));
    let all: Vec<u16> = together
        .iter()
        .map(|one| one.response.status().as_u16())
        .collect();
    assert_eq!(all, [429; 8]);
}

#[test]
fn a_tenants_document_stays_within_what_the_operator_sets() {
    let limits = r#"{"policies":{"tenant":{"quota":50}},"bounds":{"player":{"quota":50}}}"#;
    let instance = region(true, limits).instance();
    for policy in ["tenant", "player"] {
        let put = |limit: Value| instance.call("PUT", "/limits", json!({"policies": {policy: limit}}));
        for more in [json!({"quota": 51}), json!("off")] {
            put(more).expect_problem(422, "validation", &format!("#/policies/{policy}"));
        }
        assert!(put(json!({"quota": 50})).status < 300);
    }
}

#[test]
fn a_quota_that_would_not_be_kept_is_refused_with_its_neighbours() {
    let instance = region(true, "{}").instance();
    let refused = instance.call(
        "PUT",
        "/operator/limits",
        r#"{"policies":{"key":{"quota":600000}},"bounds":{"client":{"quota":500000}}}"#,
    );
    assert_eq!(
        refused.json()["errors"],
        serde_json::json!([{
            "pointer": "#/policies/key/quota",
            "detail": "one unit must grow back in whole microseconds: in 1 s, 500000 and 1000000 do",
        }])
    );
}

#[test]
fn no_counter_goes_backwards_when_the_store_goes_away_or_comes_back() {
    let region = region(true, TWO);
    let instance = region.instance();
    let metrics = || -> BTreeMap<String, u64> {
        let text = instance.call("GET", "/metrics", "").text;
        let counted = text.lines().filter(|line| line.contains("_total"));
        let counted = counted.filter_map(|line| line.rsplit_once(' '));
        counted
            .filter_map(|(series, count)| Some((series.to_owned(), count.parse().ok()?)))
            .collect()
    };
    let refuse = |times| {
        statuses(times, |_| instance.from(HERE, TOP));
        instance.settle();
    };
    refuse(5);
    let mut before = metrics();
    for (down, series) in [
        (
            true,
            r#"edgeboard_requests_limited_total{kept="region",policy="client"}"#,
        ),
        (false, r#"edgeboard_requests_limited_total{policy="client"}"#),
    ] {
        region.store.down.set(down);
        refuse(2);
        let now = metrics();
        for (series, count) in &now {
            assert!(
                before.get(series).is_none_or(|before| before <= count),
                "{series}"
            );
        }
        assert!(now.contains_key(series), "{now:?}");
        before.extend(now);
    }
}
