//! Tests of the buckets of one instance.

use super::*;
use crate::shared_usage::UsageLevel;
use leaderboard_api::rate_limits::{Policy, PolicyName};

fn create_tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn create_limit(bucket: &str, quota: u32, burst: u32) -> AppliedLimit {
    AppliedLimit {
        name: PolicyName::Client,
        policy: Policy {
            quota,
            window_s: 1,
            burst,
        },
        bucket: bucket.into(),
        is_tenants_own: false,
        owner: None,
        paid: 0,
    }
}

/// Charges `tries` requests at an instant, and returns how many of them are admitted.
fn count_admitted(buckets: &BucketStates, limits: &[AppliedLimit], tries: u32, now_us: u64) -> u32 {
    let tenant = create_tenant("a");
    let mut count = 0;
    for _ in 0..tries {
        if buckets.has_room(&tenant, limits, RequestCost::ONE, now_us) {
            buckets.charge(&tenant, limits, RequestCost::ONE, 1, now_us);
            count += 1;
        }
    }
    count
}

#[test]
fn a_bucket_admits_its_burst_and_then_its_rate() {
    let buckets = BucketStates::default();
    let limits = [create_limit("x", 10, 5)];
    assert_eq!(count_admitted(&buckets, &limits, 100, 1_000_000), 5);
    assert_eq!(count_admitted(&buckets, &limits, 100, 1_099_999), 0);
    assert_eq!(count_admitted(&buckets, &limits, 100, 1_100_000), 1);
    assert_eq!(count_admitted(&buckets, &limits, 100, 1_350_000), 2);
    assert_eq!(count_admitted(&buckets, &limits, 100, 9_000_000), 5);
}

#[test]
fn a_request_is_charged_by_its_cost() {
    let buckets = BucketStates::default();
    let (limits, tenant, now) = ([create_limit("x", 10, 100)], create_tenant("a"), 1_000_000);
    let cost = |units| RequestCost {
        units,
        max_requests_per_day: None,
    };
    let has_room = |units| buckets.has_room(&tenant, &limits, cost(units), now);
    buckets.charge(&tenant, &limits, cost(30), 1, now);
    buckets.charge(&tenant, &limits, cost(30), 1, now);
    assert_eq!((has_room(40), has_room(41), has_room(1)), (true, false, true));
    let reported = &buckets.take_reports()[0].charge_request;
    assert_eq!((reported.charges[0].cost, reported.usage.requests), (60, 2));
}

#[test]
fn a_request_that_costs_more_than_it_needs_leaves_a_debt() {
    let buckets = BucketStates::default();
    let (limits, tenant, now) = ([create_limit("x", 10, 100)], create_tenant("a"), 1_000_000);
    let cost = |units| RequestCost {
        units,
        max_requests_per_day: None,
    };
    assert!(buckets.has_room(&tenant, &limits, cost(5000), now));
    buckets.charge(&tenant, &limits, cost(5000), 1, now);
    let room_at = |s: u64| buckets.has_room(&tenant, &limits, RequestCost::ONE, now + s * 1_000_000);
    assert_eq!((room_at(490), room_at(491)), (false, true));
    // The longest debt is one week.
    buckets.charge(&tenant, &limits, cost(u64::MAX), 1, now);
    let decision = buckets.read_decision(&tenant, &limits, RequestCost::ONE, now);
    assert_eq!(decision.ahead_us, [7 * DAY_US]);
}

#[test]
fn a_unit_is_refunded_unless_it_was_reported_to_the_store() {
    let buckets = BucketStates::default();
    let (limits, tenant, now) = ([create_limit("x", 10, 1)], create_tenant("a"), 1_000_000);
    let charge = || buckets.charge(&tenant, &limits, RequestCost::ONE, 0, now);
    let has_room = || buckets.has_room(&tenant, &limits, RequestCost::ONE, now);
    charge();
    assert_eq!((has_room(), buckets.is_urgent()), (false, true));
    assert!(buckets.refund_unit(&tenant, "x") && has_room());
    assert_eq!((buckets.pending(), buckets.is_urgent()), (0, false));
    assert!(buckets.take_reports().is_empty() && !buckets.refund_unit(&tenant, "x"));
    charge();
    assert_eq!(buckets.take_reports().len(), 1);
    assert!(!buckets.refund_unit(&tenant, "x") && !has_room());
}

#[test]
fn several_limits_are_charged_together_or_not_at_all() {
    let buckets = BucketStates::default();
    let both = [create_limit("x", 1, 10), create_limit("y", 1, 3)];
    assert_eq!(count_admitted(&buckets, &both, 100, 1_000_000), 3);
    let decision = buckets.read_decision(&create_tenant("a"), &both, RequestCost::ONE, 1_000_000);
    assert_eq!(
        (decision.ahead_us, decision.refused),
        (vec![3_000_000, 3_000_000], true)
    );
}

#[test]
fn pending_charges_are_reported_once_and_the_answer_sets_the_state() {
    let buckets = BucketStates::default();
    let limits = [create_limit("x", 10, 5)];
    count_admitted(&buckets, &limits, 3, 1_000_000);
    assert_eq!((buckets.pending(), buckets.is_urgent()), (3, true));
    let reports = buckets.take_reports();
    let [
        UsageReport {
            tenant,
            charge_request,
        },
    ] = reports.as_slice()
    else {
        panic!("{reports:?}");
    };
    assert_eq!(
        (charge_request.charges[0].cost, charge_request.usage.requests),
        (3, 3)
    );
    // Another request is charged before the answer to the report arrives.
    count_admitted(&buckets, &limits, 1, 1_000_000);
    let decision = RateLimitDecision {
        ahead_us: vec![900_000],
        ..RateLimitDecision::default()
    };
    buckets.update_from_store(tenant, &charge_request.charges, &decision, 2_000_000);
    let now = buckets.read_decision(tenant, &limits, RequestCost::ONE, 2_000_000);
    assert_eq!((now.ahead_us, now.refused), (vec![1_000_000], true));
    assert_eq!(buckets.take_reports()[0].charge_request.charges[0].cost, 1);
    assert!(buckets.take_reports().is_empty());
}

#[test]
fn charges_are_split_into_reports_of_limited_size() {
    let buckets = BucketStates::default();
    for number in 0..=MAX_CHARGES {
        count_admitted(
            &buckets,
            &[create_limit(&number.to_string(), 10, 50)],
            1,
            1_000_000,
        );
    }
    let reports = buckets.take_reports();
    let counts: Vec<_> = reports
        .iter()
        .map(|report| {
            (
                report.charge_request.charges.len(),
                report.charge_request.usage.requests,
            )
        })
        .collect();
    assert_eq!(counts, [(MAX_CHARGES, MAX_CHARGES as u64 + 1), (1, 0)]);
}

#[test]
fn the_usage_of_a_day_ends_with_the_day() {
    let buckets = BucketStates::default();
    let tenant = create_tenant("a");
    let noon = DAY_US * 20_000 + DAY_US / 2;
    buckets.charge(&tenant, &[create_limit("x", 10, 50)], RequestCost::ONE, 1, noon);
    let answer = RateLimitDecision {
        ahead_us: Vec::new(),
        requests_today: 100,
        refused: false,
    };
    buckets.take_reports();
    buckets.update_from_store(&tenant, &[], &answer, noon);
    let in_quota = |max_requests_per_day, now_us| {
        let cost = RequestCost {
            units: 1,
            max_requests_per_day,
        };
        buckets.has_room(&tenant, &[], cost, now_us)
    };
    assert!(!in_quota(Some(100), noon));
    assert!(in_quota(Some(100), noon + DAY_US));
    // A changed or removed quota applies to the next request.
    assert!(in_quota(Some(101), noon) && in_quota(None, noon) && !in_quota(Some(99), noon));
}

#[test]
fn a_bucket_is_shared_when_half_of_it_is_used() {
    let buckets = BucketStates::default();
    let limits = [create_limit("x", 10, 8)];
    let now = 1_000_000;
    let charge = |cost| vec![limits[0].charge(cost)];
    count_admitted(&buckets, &limits, 3, now);
    assert!(
        buckets
            .take_usage_to_share(&create_tenant("a"), &charge(3), now)
            .is_empty()
    );
    count_admitted(&buckets, &limits, 1, now);
    let level = UsageLevel::Bucket {
        full_at_us: now + 400_000,
        capacity_us: 800_000,
    };
    assert_eq!(
        buckets.take_usage_to_share(&create_tenant("a"), &charge(1), now)[0].level,
        level
    );
    assert!(
        buckets
            .take_usage_to_share(&create_tenant("a"), &charge(1), now)
            .is_empty(),
        "the same usage is shared only once"
    );
}

#[test]
fn the_usage_of_a_day_is_shared_when_half_of_the_quota_is_used() {
    let buckets = BucketStates::default();
    let (tenant, noon) = (create_tenant("a"), DAY_US * 20_000 + DAY_US / 2);
    let cost = RequestCost {
        units: 1,
        max_requests_per_day: Some(16),
    };
    let share_after = |requests, now_us| {
        buckets.charge(&tenant, &[], cost, requests, now_us);
        let usage = buckets.take_usage_to_share(&tenant, &[], now_us);
        usage.first().map(|usage| match usage.level {
            UsageLevel::Quota { day, requests, most } => (day, requests, most),
            UsageLevel::Bucket { .. } => panic!("{usage:?}"),
        })
    };
    assert_eq!(share_after(7, noon), None);
    assert_eq!(share_after(1, noon), Some((20_000, 8, 16)));
    assert_eq!(
        (share_after(1, noon), share_after(1, noon)),
        (None, Some((20_000, 10, 16)))
    );
    // An instance that reads the shared usage applies it.
    let other = BucketStates::default();
    assert!(!other.knows_day(&tenant, noon));
    other.raise_day_usage(&tenant, 20_000, 16, noon);
    assert!(other.knows_day(&tenant, noon) && !other.has_room(&tenant, &[], cost, noon));
    assert!(!other.knows_day(&tenant, noon + DAY_US) && other.has_room(&tenant, &[], cost, noon + DAY_US));
}

#[test]
fn the_number_of_buckets_is_limited_and_pending_buckets_are_kept() {
    let buckets = BucketStates::default();
    for number in 0..MAX_BUCKETS {
        buckets.raise_bucket(
            &create_tenant("a"),
            &create_limit(&number.to_string(), 10, 5),
            0,
            1,
        );
    }
    buckets.charge(
        &create_tenant("a"),
        &[create_limit("pending", 10, 5)],
        RequestCost::ONE,
        1,
        1,
    );
    buckets.raise_bucket(&create_tenant("b"), &create_limit("more", 10, 5), 0, 1);
    assert!(buckets.knows_bucket(&create_tenant("a"), "pending"));
    assert!(!buckets.knows_bucket(&create_tenant("a"), "7"));
    assert!(buckets.count.get() <= MAX_BUCKETS / 2 + 2);
}

#[test]
fn the_least_recently_used_bucket_of_any_tenant_is_removed() {
    let buckets = BucketStates::default();
    let raise = |tenant: &str, name: &str| {
        buckets.raise_bucket(&create_tenant(tenant), &create_limit(name, 10, 5), 0, 1);
    };
    raise("a", "in use");
    for number in 0..MAX_BUCKETS - 1 {
        raise("b", &number.to_string());
    }
    raise("a", "in use");
    raise("c", "new");
    assert!(
        buckets.knows_bucket(&create_tenant("a"), "in use")
            && buckets.knows_bucket(&create_tenant("c"), "new")
    );
    assert!(!buckets.knows_bucket(&create_tenant("b"), "0"));
    assert!(buckets.knows_bucket(&create_tenant("b"), &(MAX_BUCKETS - 2).to_string()));
}

#[test]
fn a_shared_level_is_limited_to_the_overdraft() {
    let buckets = BucketStates::default();
    let limits = [create_limit("x", 10, 5)];
    buckets.raise_bucket(&create_tenant("a"), &limits[0], u64::MAX, 1_000_000);
    let decision = buckets.read_decision(&create_tenant("a"), &limits, RequestCost::ONE, 1_000_000);
    assert_eq!(decision.ahead_us, [1_000_000]);
}
