//! Rate limits and usage. The store's clock decides, so a unit takes an hour to grow back here: what comes out does
//! not depend on how long a test takes.

use std::time::Duration;

use leaderboard_core::TenantId;
use leaderboard_core::ports::{
    Charge, ChargeRequest, MAX_BUCKET_BYTES, MAX_CHARGES, MAX_DEBT_US, MAX_OVERDRAFT_BURSTS,
    RateLimitDecision, RateLimits, Usage,
};

use crate::given::{HOUR_US, charge, charges, requests, tenant, units};
use crate::harness::{Harness, World, on_both_stores};

async fn take<H: Harness>(world: &World<H>, charge_request: &ChargeRequest) -> RateLimitDecision {
    world.store.take(&world.tenant, charge_request).await.unwrap()
}

async fn report<H: Harness>(world: &World<H>, charge_request: &ChargeRequest) -> RateLimitDecision {
    world.store.report(&world.tenant, charge_request).await.unwrap()
}

/// Whether the call was let through, and how many units each bucket is ahead after it.
fn told(rate_limit_decision: &RateLimitDecision) -> (bool, Vec<u64>) {
    (!rate_limit_decision.refused, units(rate_limit_decision))
}

/// The usage of a tenant that has used something on one day at most.
async fn used<H: Harness>(world: &World<H>, tenant: &TenantId) -> Option<Usage> {
    let (days, _) = world.store.usage(tenant, 10).await.unwrap();
    assert!(days.len() <= 1, "{days:?}");
    days.first().map(|day| day.usage)
}

on_both_stores! {
    async fn a_burst_is_let_through_and_no_more(world) {
        let one = charges(&[charge("player:ann", 3, 1)]);
        for n in 1..=3 {
            assert_eq!(told(&take(&world, &one).await), (true, vec![n]));
        }
        for _ in 0..2 {
            assert_eq!(told(&take(&world, &one).await), (false, vec![3]));
        }
        assert_eq!(told(&take(&world, &charges(&[charge("player:bob", 3, 1)])).await), (true, vec![1]));
    }

    async fn a_charge_fits_whole_or_takes_nothing(world) {
        let of = |cost| charges(&[charge("a", 5, cost)]);
        assert_eq!(told(&take(&world, &of(6)).await), (false, vec![0]));
        assert_eq!(told(&take(&world, &of(3)).await), (true, vec![3]));
        assert_eq!(told(&take(&world, &of(3)).await), (false, vec![3]));
        assert_eq!(told(&take(&world, &of(2)).await), (true, vec![5]));
        assert_eq!(told(&take(&world, &of(u64::MAX)).await), (false, vec![5]));
    }

    async fn several_limits_are_charged_all_or_none(world) {
        let both = |cost| charges(&[charge("wide", 10, cost), charge("narrow", 2, cost), charge("other", 9, 1)]);
        assert_eq!(told(&take(&world, &both(2)).await), (true, vec![2, 2, 1]));
        assert_eq!(told(&take(&world, &both(1)).await), (false, vec![2, 2, 1]));
        assert_eq!(told(&take(&world, &charges(&[charge("wide", 10, 8)])).await), (true, vec![10]));
        assert_eq!(told(&take(&world, &charges(&[charge("other", 9, 1), charge("wide", 10, 1)])).await), (false, vec![1, 10]));
    }

    async fn a_cost_of_nothing_asks_for_the_state_alone(world) {
        let ask = charges(&[charge("a", 2, 0)]);
        assert_eq!(told(&take(&world, &ask).await), (true, vec![0]));
        report(&world, &charges(&[charge("a", 2, 4)])).await;
        for _ in 0..2 {
            assert_eq!(told(&take(&world, &ask).await), (true, vec![4]));
            assert_eq!(told(&report(&world, &ask).await), (true, vec![4]));
        }
        let with_another = charges(&[charge("a", 2, 0), charge("b", 2, 1)]);
        assert_eq!(told(&take(&world, &with_another).await), (true, vec![4, 1]));
    }

    async fn a_report_is_never_refused_and_overdraws_so_far_and_no_farther(world) {
        let of = |cost| charges(&[charge("a", 5, cost)]);
        assert_eq!(told(&report(&world, &of(4)).await), (true, vec![4]));
        assert_eq!(told(&report(&world, &of(4)).await), (true, vec![8]));
        assert_eq!(told(&take(&world, &of(1)).await), (false, vec![8]));
        let most = 5 * MAX_OVERDRAFT_BURSTS;
        assert_eq!(told(&report(&world, &of(4)).await), (true, vec![most]));
        assert_eq!(told(&report(&world, &of(1_000_000)).await), (true, vec![most]));
        // A limit that was lowered does not give back what was taken under the old one.
        let lowered = charges(&[charge("a", 1, 1)]);
        assert_eq!(told(&report(&world, &lowered).await), (true, vec![most]));
        assert_eq!(told(&take(&world, &lowered).await), (false, vec![most]));
    }

    async fn a_call_that_needs_less_than_it_costs_leaves_a_debt_that_the_overdraft_does_not_cut(world) {
        let of = |needs, cost| charges(&[Charge { needs: Some(needs), ..charge("a", 4, cost) }]);
        assert_eq!(told(&take(&world, &of(3, 2)).await), (true, vec![2]));
        assert_eq!(told(&take(&world, &of(3, 100)).await), (false, vec![2]));
        assert_eq!(told(&take(&world, &of(2, 100)).await), (true, vec![102]));
        for needs in [0, 1] {
            assert_eq!(told(&take(&world, &of(needs, 0)).await), (false, vec![102]));
        }
        // A report neither cuts the debt nor adds to it.
        assert_eq!(told(&report(&world, &of(0, 1)).await), (true, vec![102]));
        let week = MAX_DEBT_US / HOUR_US;
        let free = charges(&[Charge { needs: Some(1), ..charge("b", 1, 10_000) }]);
        assert_eq!(told(&take(&world, &free).await), (true, vec![week]));
        // What is needed is looked at although nothing is taken.
        assert_eq!(told(&take(&world, &charges(&[Charge { needs: Some(1), ..charge("c", 1, 0) }])).await), (true, vec![0]));
    }

    async fn what_was_taken_grows_back(world) {
        let brief = charges(&[Charge { interval_us: 20_000, ..charge("a", 2, 2) }]);
        assert!(!take(&world, &brief).await.refused);
        tokio::time::sleep(Duration::from_millis(60)).await;
        let again = take(&world, &brief).await;
        assert!(!again.refused && again.ahead_us[0] <= 40_000);
        // Nothing is saved up beyond the burst.
        tokio::time::sleep(Duration::from_millis(60)).await;
        let ask = charges(&[Charge { interval_us: 20_000, ..charge("a", 2, 3) }]);
        assert!(take(&world, &ask).await.refused);
    }

    async fn a_long_interval_and_a_large_burst_are_exact(world) {
        let wide = |cost| charges(&[Charge { interval_us: 86_400_000_000, ..charge("a", 10_000, cost) }]);
        let days = |rate_limit_decision: RateLimitDecision| (rate_limit_decision.refused, rate_limit_decision.ahead_us[0].div_ceil(86_400_000_000));
        assert_eq!(days(take(&world, &wide(9_999)).await), (false, 9_999));
        assert_eq!(days(take(&world, &wide(2)).await), (true, 9_999));
        assert_eq!(days(take(&world, &wide(1)).await), (false, 10_000));
    }

    async fn buckets_of_tenants_and_of_any_name_are_apart(world) {
        let longest = "é".repeat(MAX_BUCKET_BYTES / 2);
        let names = ["", "a", "a:b", "b:a", " ", "*", "{a}", "player:日本", "\"", "\\", "2001:db8::/64", &longest];
        let all = charges(&names.map(|name| charge(name, 1, 1)));
        assert_eq!(told(&take(&world, &all).await), (true, vec![1; names.len()]));
        assert_eq!(told(&take(&world, &all).await), (false, vec![1; names.len()]));
        let other = world.store.take(&tenant("acme2"), &all).await.unwrap();
        assert_eq!(told(&other), (true, vec![1; names.len()]));
    }

    async fn as_many_as_a_call_can_charge(world) {
        let all: Vec<_> = (0..MAX_CHARGES as u64).map(|n| charge(&format!("b{n}"), 100, n)).collect();
        let rate_limit_decision = take(&world, &charges(&all)).await;
        assert_eq!(told(&rate_limit_decision), (true, (0..MAX_CHARGES as u64).collect()));
    }

    async fn the_other_connection_sees_what_one_has_taken(world) {
        let second = world.harness.open().await;
        let one = charges(&[charge("a", 2, 1)]);
        assert_eq!(told(&take(&world, &one).await), (true, vec![1]));
        assert_eq!(told(&second.take(&world.tenant, &one).await.unwrap()), (true, vec![2]));
        assert_eq!(told(&take(&world, &one).await), (false, vec![2]));
    }

    async fn the_quota_of_a_day_is_refused_and_reports_go_beyond_it(world) {
        let of = |count| ChargeRequest { max_requests_per_day: Some(5), ..requests(count, 1) };
        for (count, refused, today) in [(2, false, 2), (2, false, 4), (2, true, 4), (1, false, 5), (1, true, 5), (0, false, 5)] {
            let rate_limit_decision = take(&world, &of(count)).await;
            assert_eq!((rate_limit_decision.refused, rate_limit_decision.requests_today), (refused, today));
        }
        let reported = report(&world, &of(10)).await;
        assert_eq!((reported.refused, reported.requests_today), (false, 15));
        assert!(take(&world, &of(0)).await.refused);
        assert_eq!(used(&world, &world.tenant).await, Some(Usage { requests: 15, scores: 5 }));
    }

    async fn a_refused_call_is_neither_counted_nor_charged(world) {
        let charge_request = |cost, most| ChargeRequest {
            max_requests_per_day: Some(most),
            ..ChargeRequest { charges: vec![charge("a", 1, cost)], ..requests(1, 9) }
        };
        assert!(take(&world, &charge_request(2, 10)).await.refused);
        assert!(take(&world, &charge_request(1, 0)).await.refused);
        assert_eq!(used(&world, &world.tenant).await, None);
        let rate_limit_decision = take(&world, &charge_request(1, 1)).await;
        assert_eq!((told(&rate_limit_decision), rate_limit_decision.requests_today), ((true, vec![1]), 1));
        assert_eq!(used(&world, &world.tenant).await, Some(Usage { requests: 1, scores: 9 }));
    }

    async fn usage_is_counted_for_each_tenant_and_day(world) {
        let other = tenant("acme2");
        assert_eq!(used(&world, &other).await, None);
        take(&world, &requests(1, 0)).await;
        report(&world, &requests(0, 7)).await;
        world.store.report(&other, &requests(40, 2)).await.unwrap();
        assert_eq!(take(&world, &ChargeRequest::default()).await.requests_today, 1);
        assert_eq!(used(&world, &world.tenant).await, Some(Usage { requests: 1, scores: 7 }));
        assert_eq!(used(&world, &other).await, Some(Usage { requests: 40, scores: 2 }));
        assert_eq!(world.store.usage(&other, 0).await.unwrap().0, []);
        // A call that uses nothing makes no day.
        let third = tenant("acme3");
        world.store.take(&third, &charges(&[charge("a", 1, 1)])).await.unwrap();
        assert_eq!(used(&world, &third).await, None);
    }
}
