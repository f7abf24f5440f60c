//! Tests of rate limits and usage. The store's own clock decides. In these tests a unit takes an hour to grow
//! back, so the results do not depend on the duration of a test.

use std::time::Duration;

use leaderboard_core::TenantId;
use leaderboard_core::ports::{
    Charge, ChargeRequest, MAX_BUCKET_BYTES, MAX_CHARGES, MAX_DEBT_US, MAX_OVERDRAFT_BURSTS,
    RateLimitDecision, RateLimits, Usage,
};
use leaderboard_test_support::values::{HOUR_US, charge, charges, requests, tenant, units};
use leaderboard_test_support::{StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

async fn take<B: StoreBackend>(fixture: &StoreFixture<B>, request: &ChargeRequest) -> RateLimitDecision {
    fixture.store.take(&fixture.tenant, request).await.unwrap()
}

async fn report<B: StoreBackend>(fixture: &StoreFixture<B>, request: &ChargeRequest) -> RateLimitDecision {
    fixture.store.report(&fixture.tenant, request).await.unwrap()
}

/// Returns whether the call was allowed, and by how many units each bucket is ahead afterwards.
fn decision_summary(decision: &RateLimitDecision) -> (bool, Vec<u64>) {
    (!decision.refused, units(decision))
}

/// Returns the usage of a tenant that was active on one day at most.
async fn read_usage<B: StoreBackend>(fixture: &StoreFixture<B>, tenant: &TenantId) -> Option<Usage> {
    let (days, _) = fixture.store.usage(tenant, 10).await.unwrap();
    assert!(days.len() <= 1, "{days:?}");
    days.first().map(|day| day.usage)
}

on_both_stores! {
    async fn a_burst_is_allowed_and_further_calls_are_refused(fixture) {
        let one = charges(&[charge("player:ann", 3, 1)]);
        for n in 1..=3 {
            assert_eq!(decision_summary(&take(&fixture, &one).await), (true, vec![n]));
        }
        for _ in 0..2 {
            assert_eq!(decision_summary(&take(&fixture, &one).await), (false, vec![3]));
        }
        assert_eq!(decision_summary(&take(&fixture, &charges(&[charge("player:bob", 3, 1)])).await), (true, vec![1]));
    }

    async fn a_charge_that_does_not_fit_takes_nothing(fixture) {
        let charge_of = |cost| charges(&[charge("a", 5, cost)]);
        assert_eq!(decision_summary(&take(&fixture, &charge_of(6)).await), (false, vec![0]));
        assert_eq!(decision_summary(&take(&fixture, &charge_of(3)).await), (true, vec![3]));
        assert_eq!(decision_summary(&take(&fixture, &charge_of(3)).await), (false, vec![3]));
        assert_eq!(decision_summary(&take(&fixture, &charge_of(2)).await), (true, vec![5]));
        assert_eq!(decision_summary(&take(&fixture, &charge_of(u64::MAX)).await), (false, vec![5]));
    }

    async fn several_limits_are_charged_all_or_none(fixture) {
        let both = |cost| charges(&[charge("wide", 10, cost), charge("narrow", 2, cost), charge("other", 9, 1)]);
        assert_eq!(decision_summary(&take(&fixture, &both(2)).await), (true, vec![2, 2, 1]));
        assert_eq!(decision_summary(&take(&fixture, &both(1)).await), (false, vec![2, 2, 1]));
        assert_eq!(decision_summary(&take(&fixture, &charges(&[charge("wide", 10, 8)])).await), (true, vec![10]));
        assert_eq!(decision_summary(&take(&fixture, &charges(&[charge("other", 9, 1), charge("wide", 10, 1)])).await), (false, vec![1, 10]));
    }

    async fn a_charge_of_zero_reads_the_state(fixture) {
        let zero_charge = charges(&[charge("a", 2, 0)]);
        assert_eq!(decision_summary(&take(&fixture, &zero_charge).await), (true, vec![0]));
        report(&fixture, &charges(&[charge("a", 2, 4)])).await;
        for _ in 0..2 {
            assert_eq!(decision_summary(&take(&fixture, &zero_charge).await), (true, vec![4]));
            assert_eq!(decision_summary(&report(&fixture, &zero_charge).await), (true, vec![4]));
        }
        let with_another = charges(&[charge("a", 2, 0), charge("b", 2, 1)]);
        assert_eq!(decision_summary(&take(&fixture, &with_another).await), (true, vec![4, 1]));
    }

    async fn a_report_is_never_refused_and_overdraws_up_to_a_limit(fixture) {
        let charge_of = |cost| charges(&[charge("a", 5, cost)]);
        assert_eq!(decision_summary(&report(&fixture, &charge_of(4)).await), (true, vec![4]));
        assert_eq!(decision_summary(&report(&fixture, &charge_of(4)).await), (true, vec![8]));
        assert_eq!(decision_summary(&take(&fixture, &charge_of(1)).await), (false, vec![8]));
        let most = 5 * MAX_OVERDRAFT_BURSTS;
        assert_eq!(decision_summary(&report(&fixture, &charge_of(4)).await), (true, vec![most]));
        assert_eq!(decision_summary(&report(&fixture, &charge_of(1_000_000)).await), (true, vec![most]));
        // A lowered limit does not return units that were taken under the higher limit.
        let lowered = charges(&[charge("a", 1, 1)]);
        assert_eq!(decision_summary(&report(&fixture, &lowered).await), (true, vec![most]));
        assert_eq!(decision_summary(&take(&fixture, &lowered).await), (false, vec![most]));
    }

    async fn a_charge_may_leave_a_debt_beyond_the_overdraft(fixture) {
        let charge_of = |needs, cost| charges(&[Charge { needs: Some(needs), ..charge("a", 4, cost) }]);
        assert_eq!(decision_summary(&take(&fixture, &charge_of(3, 2)).await), (true, vec![2]));
        assert_eq!(decision_summary(&take(&fixture, &charge_of(3, 100)).await), (false, vec![2]));
        assert_eq!(decision_summary(&take(&fixture, &charge_of(2, 100)).await), (true, vec![102]));
        for needs in [0, 1] {
            assert_eq!(decision_summary(&take(&fixture, &charge_of(needs, 0)).await), (false, vec![102]));
        }
        // A report does not change the debt.
        assert_eq!(decision_summary(&report(&fixture, &charge_of(0, 1)).await), (true, vec![102]));
        let week = MAX_DEBT_US / HOUR_US;
        let free = charges(&[Charge { needs: Some(1), ..charge("b", 1, 10_000) }]);
        assert_eq!(decision_summary(&take(&fixture, &free).await), (true, vec![week]));
        // A charge of 0 units is allowed when the needed units are available.
        assert_eq!(decision_summary(&take(&fixture, &charges(&[Charge { needs: Some(1), ..charge("c", 1, 0) }])).await), (true, vec![0]));
    }

    async fn taken_units_grow_back(fixture) {
        let brief = charges(&[Charge { interval_us: 20_000, ..charge("a", 2, 2) }]);
        assert!(!take(&fixture, &brief).await.refused);
        tokio::time::sleep(Duration::from_millis(60)).await;
        let again = take(&fixture, &brief).await;
        assert!(!again.refused && again.ahead_us[0] <= 40_000);
        // Unused units do not grow beyond the burst.
        tokio::time::sleep(Duration::from_millis(60)).await;
        let too_large = charges(&[Charge { interval_us: 20_000, ..charge("a", 2, 3) }]);
        assert!(take(&fixture, &too_large).await.refused);
    }

    async fn a_long_interval_and_a_large_burst_are_exact(fixture) {
        let wide = |cost| charges(&[Charge { interval_us: 86_400_000_000, ..charge("a", 10_000, cost) }]);
        let days = |decision: RateLimitDecision| (decision.refused, decision.ahead_us[0].div_ceil(86_400_000_000));
        assert_eq!(days(take(&fixture, &wide(9_999)).await), (false, 9_999));
        assert_eq!(days(take(&fixture, &wide(2)).await), (true, 9_999));
        assert_eq!(days(take(&fixture, &wide(1)).await), (false, 10_000));
    }

    async fn buckets_of_different_tenants_and_names_are_separate(fixture) {
        let longest = "é".repeat(MAX_BUCKET_BYTES / 2);
        let names = ["", "a", "a:b", "b:a", " ", "*", "{a}", "player:日本", "\"", "\\", "2001:db8::/64", &longest];
        let all = charges(&names.map(|name| charge(name, 1, 1)));
        assert_eq!(decision_summary(&take(&fixture, &all).await), (true, vec![1; names.len()]));
        assert_eq!(decision_summary(&take(&fixture, &all).await), (false, vec![1; names.len()]));
        let other = fixture.store.take(&tenant("acme2"), &all).await.unwrap();
        assert_eq!(decision_summary(&other), (true, vec![1; names.len()]));
    }

    async fn a_call_can_charge_the_maximum_number_of_buckets(fixture) {
        let all: Vec<_> = (0..MAX_CHARGES as u64).map(|n| charge(&format!("b{n}"), 100, n)).collect();
        let decision = take(&fixture, &charges(&all)).await;
        assert_eq!(decision_summary(&decision), (true, (0..MAX_CHARGES as u64).collect()));
    }

    async fn a_second_connection_sees_the_taken_units(fixture) {
        let second = fixture.backend.open().await;
        let one = charges(&[charge("a", 2, 1)]);
        assert_eq!(decision_summary(&take(&fixture, &one).await), (true, vec![1]));
        assert_eq!(decision_summary(&second.take(&fixture.tenant, &one).await.unwrap()), (true, vec![2]));
        assert_eq!(decision_summary(&take(&fixture, &one).await), (false, vec![2]));
    }

    async fn calls_beyond_the_daily_quota_are_refused_and_reports_are_not(fixture) {
        let request_of = |count| ChargeRequest { max_requests_per_day: Some(5), ..requests(count, 1) };
        for (count, refused, today) in [(2, false, 2), (2, false, 4), (2, true, 4), (1, false, 5), (1, true, 5), (0, false, 5)] {
            let decision = take(&fixture, &request_of(count)).await;
            assert_eq!((decision.refused, decision.requests_today), (refused, today));
        }
        let reported = report(&fixture, &request_of(10)).await;
        assert_eq!((reported.refused, reported.requests_today), (false, 15));
        assert!(take(&fixture, &request_of(0)).await.refused);
        assert_eq!(read_usage(&fixture, &fixture.tenant).await, Some(Usage { requests: 15, scores: 5 }));
    }

    async fn a_refused_call_is_neither_counted_nor_charged(fixture) {
        let request = |cost, most| ChargeRequest {
            max_requests_per_day: Some(most),
            ..ChargeRequest { charges: vec![charge("a", 1, cost)], ..requests(1, 9) }
        };
        assert!(take(&fixture, &request(2, 10)).await.refused);
        assert!(take(&fixture, &request(1, 0)).await.refused);
        assert_eq!(read_usage(&fixture, &fixture.tenant).await, None);
        let decision = take(&fixture, &request(1, 1)).await;
        assert_eq!((decision_summary(&decision), decision.requests_today), ((true, vec![1]), 1));
        assert_eq!(read_usage(&fixture, &fixture.tenant).await, Some(Usage { requests: 1, scores: 9 }));
    }

    async fn usage_is_counted_for_each_tenant_and_day(fixture) {
        let other = tenant("acme2");
        assert_eq!(read_usage(&fixture, &other).await, None);
        take(&fixture, &requests(1, 0)).await;
        report(&fixture, &requests(0, 7)).await;
        fixture.store.report(&other, &requests(40, 2)).await.unwrap();
        assert_eq!(take(&fixture, &ChargeRequest::default()).await.requests_today, 1);
        assert_eq!(read_usage(&fixture, &fixture.tenant).await, Some(Usage { requests: 1, scores: 7 }));
        assert_eq!(read_usage(&fixture, &other).await, Some(Usage { requests: 40, scores: 2 }));
        assert_eq!(fixture.store.usage(&other, 0).await.unwrap().0, []);
        // A call without usage adds no day.
        let third = tenant("acme3");
        fixture.store.take(&third, &charges(&[charge("a", 1, 1)])).await.unwrap();
        assert_eq!(read_usage(&fixture, &third).await, None);
    }
}
