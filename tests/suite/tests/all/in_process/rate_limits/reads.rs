//! Reads: decided by the instance, reported after the response.

use futures::executor::block_on;
use leaderboard_core::ports::Counters;

use crate::in_process::environment::{Instance, Region, request};

const TOP: &str = "/leaderboards/goals/entries";
const HERE: &str = "192.0.2.1:5000";

/// A region with one public leaderboard and these limits of the operator's.
pub(super) fn region(remote: bool, limits: &str) -> Region {
    let region = Region::with_still_clock(remote);
    let instance = region.instance();
    instance
        .call("PUT", "/operator/limits", limits)
        .expect_status(201);
    // Its first page is kept before it is first answered: what waits for another instance's answer waits by a clock that stands
    // still here.
    let cache = r#"{"cache":{"lifetime_ms":3600000,"stale_ms":0,"stale_if_error_ms":0}}"#;
    instance
        .call("PUT", "/leaderboards/goals", cache)
        .expect_status(201);
    // What was changed a moment ago is not answered from what is kept.
    region.pass_ms(10_000);
    region
}

const TEN: &str = r#"{"policies":{"client":{"quota":10,"window_s":1,"burst":10}}}"#;

/// How many of these requests are let through.
fn let_through(instance: &Instance, client: &str, tries: usize) -> usize {
    (0..tries)
        .filter(|_| match instance.from(client, TOP).status {
            200 => true,
            429 => false,
            other => panic!("status {other}"),
        })
        .count()
}

#[test]
fn a_client_learns_what_is_left_and_then_is_refused() {
    let region = region(true, TEN);
    let instance = region.instance();
    let first = instance.from(HERE, TOP);
    first.expect_status(200);
    assert_eq!(first.header("ratelimit-policy"), r#""client";q=10;w=1"#);
    assert_eq!(first.header("ratelimit"), r#""client";r=9;t=1"#);
    assert_eq!(let_through(&instance, HERE, 20), 9);
    let refused = instance.from(HERE, TOP);
    refused.expect_status(429);
    let problem = refused.json();
    assert_eq!(
        problem["type"],
        "https://iana.org/assignments/http-problem-types#quota-exceeded"
    );
    assert_eq!(problem["violated-policies"], serde_json::json!(["client"]));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), r#""client";r=0;t=1"#);
    // Another client is not refused.
    assert_eq!(let_through(&instance, "192.0.2.2:5000", 20), 10);
    region.pass_ms(300);
    assert_eq!(let_through(&instance, HERE, 20), 3);
}

#[test]
fn a_problem_carries_the_limits_too() {
    let region = region(true, TEN);
    let missing = region.instance().from(HERE, "/leaderboards/nothing/entries");
    missing.expect_status(404);
    assert_eq!(
        missing.header("ratelimit"),
        r#""client";r=7;t=1"#,
        "the store was asked"
    );
}

#[test]
fn a_new_instance_knows_what_another_one_let_through() {
    for remote in [true, false] {
        let region = region(remote, TEN);
        let first = region.instance();
        assert_eq!(let_through(&first, HERE, 6), 6);
        first.settle();
        assert_eq!(let_through(&region.instance(), HERE, 20), 4, "remote: {remote}");
    }
}

#[test]
fn reports_are_few_and_one_at_a_time() {
    let region = region(true, r#"{"policies":{"client":{"quota":1000,"burst":1000}}}"#);
    let instance = region.instance();
    instance.from(HERE, TOP);
    instance.settle();
    let before = region.store.reports.get();
    let works = instance.count_later_work();
    for _ in 0..128 {
        instance.from(HERE, TOP);
    }
    assert!(
        instance.count_later_work() <= works + 3,
        "one that waits, one that is called, and the metrics"
    );
    assert_eq!(region.store.reports.get(), before, "nothing before the responses");
    instance.settle();
    assert_eq!(region.store.reports.get(), before + 1);
}

#[test]
fn without_limits_on_reads_nothing_is_reported() {
    let region = region(
        true,
        r#"{"reads":{"limits":"off"},"policies":{"client":{"quota":1}}}"#,
    );
    let instance = region.instance();
    for _ in 0..100 {
        let answer = instance.from(HERE, TOP);
        assert_eq!((answer.status, answer.headers.get("ratelimit")), (200, None));
    }
    instance.settle();
    assert_eq!(region.store.reports.get(), 0);
}

#[test]
fn many_instances_together_let_through_no_more_than_the_bound() {
    const INSTANCES: usize = 8;
    const SECONDS: usize = 20;
    const QUOTA: usize = 10;
    const BURST: usize = 10;
    let region = region(true, TEN);
    let mut all = 0;
    // Every tenth of a second all instances are new, and hammered.
    for _ in 0..SECONDS * 10 {
        let instances: Vec<Instance> = (0..INSTANCES).map(|_| region.instance()).collect();
        for instance in &instances {
            all += let_through(instance, HERE, 128);
        }
        for instance in &instances {
            instance.settle();
        }
        region.pass_ms(100);
    }
    let fair = BURST + SECONDS * QUOTA;
    assert!(all >= fair, "{all} of {fair}");
    // All that decide before the first report, once; after that what is too much is paid back, up to a second burst.
    let bound = fair + INSTANCES * BURST + SECONDS * INSTANCES;
    assert!(all <= bound, "{all}, at most {bound}");
}

#[test]
fn reads_go_on_under_the_limit_of_the_instance_while_the_store_is_out_of_reach() {
    let region = region(true, TEN);
    let instance = region.instance();
    instance.from(HERE, TOP);
    instance.settle();
    region.store.down.set(true);
    let statuses: Vec<u16> = (0..20).map(|_| instance.from(HERE, TOP).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 11);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 9);
    instance.settle();
    assert!(!region.key_value.keys("metrics:counts:").is_empty());
    // Other instances of the region learn of it through the region alone.
    region.instance().from(HERE, TOP).expect_status(429);
}

#[test]
fn refusals_are_counted_for_the_metrics() {
    let region = region(true, TEN);
    let instance = region.instance();
    for _ in 0..15 {
        instance.from(HERE, TOP);
    }
    instance.settle();
    let counters = block_on(region.store.counters()).unwrap();
    let limited = counters
        .iter()
        .find(|(series, _)| &**series == r#"edgeboard_requests_limited_total{policy="client"}"#);
    assert_eq!(limited.map(|(_, count)| *count), Some(5));
}

#[test]
fn what_the_region_keeps_is_bounded_and_may_be_damaged() {
    let region = region(true, TEN);
    for network in 0..40 {
        let instance = region.instance();
        for host in 0..25 {
            let client = format!("10.0.{network}.{host}:1");
            let_through(&instance, &client, 8);
        }
        instance.settle();
    }
    let entries = region.key_value.entries.borrow();
    let busy = entries.iter().filter(|(key, _)| key.starts_with("limits:busy:"));
    let busy: Vec<usize> = busy.map(|(_, value)| value.len()).collect();
    drop(entries);
    assert!(
        busy.len() <= 16 && busy.iter().all(|size| *size <= 1536),
        "{busy:?}"
    );
    assert!(busy.iter().any(|size| *size > 500), "{busy:?}");
    region.key_value.damage();
    assert_eq!(let_through(&region.instance(), "10.0.0.1:1", 20), 10);
}

#[test]
fn misses_and_large_pages_cost_more_than_the_page_that_all_ask_for() {
    let region = region(
        true,
        r#"{"policies":{"client":{"quota":100,"window_s":1,"burst":100}}}"#,
    );
    let instance = region.instance();
    let units = |path: &str| units(&instance, path, &[]);
    assert_eq!((units(TOP), units(TOP)), (1, 1), "made, and used again");
    assert_eq!(units("/leaderboards/goals/entries?limit=100"), 1);
    assert_eq!(units("/leaderboards/goals/entries/nobody"), 3, "a miss");
    assert_eq!(units("/leaderboards/goals/entries?limit=99"), 3);
    assert_eq!(
        units("/leaderboards/goals/entries?limit=1000"),
        12,
        "and a large page"
    );
    assert_eq!(units("/leaderboards/goals/entries?players=a,b"), 3);
    assert_eq!(
        units("/leaderboards/goals/live?top=3"),
        46,
        "a stream whose topic nobody else reads"
    );
}

/// How many units a read costs.
fn units(instance: &Instance, path: &str, headers: &[(&str, &str)]) -> u32 {
    let left = |path: &str, headers: &[(&str, &str)]| {
        let headers = [&[("spin-client-addr", HERE)], headers].concat();
        let answer = instance.answer(request("GET", path, "", &headers));
        let told = answer.header("ratelimit").to_owned();
        let left = told.split(";r=").nth(1).and_then(|rest| rest.split(';').next());
        left.and_then(|left| left.parse::<u32>().ok()).unwrap()
    };
    let before = left(TOP, &[]);
    let after = left(path, headers);
    // The next one does not wait for what this one has left to do.
    instance.settle();
    before - after
}

const HUNDREDS: &str = r#"{"policies":{"client":{"quota":500,"window_s":1,"burst":500}}}"#;

#[test]
fn a_miss_that_is_not_cached_is_charged_on_common_pages_too() {
    let region = region(true, HUNDREDS);
    let instance = region.instance();
    let uncached = r#"{"cache":{"lifetime_ms":0,"stale_ms":0,"stale_if_error_ms":0,"warm":[]}}"#;
    instance
        .call("PUT", "/leaderboards/raw", uncached)
        .expect_status(201);
    let forced = [("cache-control", "no-cache")];
    for path in [
        TOP,
        "/leaderboards/goals/entries?limit=100",
        "/leaderboards/raw/entries",
    ] {
        region.pass_ms(10_000);
        units(&instance, path, &[]);
        let reads = region.store.reads.get();
        for _ in 0..3 {
            assert_eq!(units(&instance, path, &forced), 3, "{path}");
        }
        assert_eq!(region.store.reads.get(), reads + 3, "{path}");
    }
    for _ in 0..3 {
        assert_eq!(units(&instance, TOP, &[]), 1);
        assert_eq!(units(&instance, "/leaderboards/raw/entries", &[]), 3);
        assert_eq!(units(&instance, "/leaderboards/nothing/entries", &[]), 3);
    }
}

#[test]
fn a_page_of_leaderboards_costs_its_limit_even_if_private_ones_are_skipped() {
    let region = region(true, HUNDREDS);
    let instance = region.instance();
    let costs = || {
        ["?limit=1", "?limit=10", "?limit=11", "", "?limit=200"]
            .map(|query| units(&instance, &format!("/leaderboards{query}"), &[]))
    };
    assert_eq!(costs(), [3, 3, 4, 7, 22]);
    for number in 0..30 {
        let body = r#"{"access":{"read":"private"}}"#;
        let path = format!("/leaderboards/a{number}");
        instance.call("PUT", &path, body).expect_status(201);
    }
    region.pass_ms(1000);
    assert_eq!(costs(), [3, 3, 4, 7, 22]);
}

#[test]
fn a_leaderboard_that_is_not_there_is_looked_up_once() {
    let region = region(true, TEN);
    let instance = region.instance();
    // A period's id may cost a read, so a client that may not know the leaderboard pays for it in any case.
    for (query, left) in [
        ("", 7),
        ("?period=2026-01-01", 6),
        ("?period=2026-01-01T00:00:00Z", 6),
    ] {
        region.pass_ms(1000);
        let reads = region.store.board_reads.get();
        let answer = instance.from(HERE, &format!("/leaderboards/nope/entries{query}"));
        assert_eq!(answer.problem().1, "leaderboard-not-found", "{query}");
        let told = format!(r#""client";r={left};t=1"#);
        assert_eq!(answer.header("ratelimit"), told, "{query}");
        assert_eq!(region.store.board_reads.get(), reads + 1, "{query}");
    }
}
