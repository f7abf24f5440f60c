//! Submissions on terms: charged with the write, or refused without a trace.

use leaderboard_core::ports::{
    ChargeRequest, DayUsage, RankDetail, RateLimits, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{PreparedSubmission, RefusalReason};

use crate::given::{Board, board, charge, charges, requests, resolved, submission, submission_id, units};
use crate::harness::{Harness, World, line, on_both_stores, with_id};

fn on(charge_request: ChargeRequest) -> SubmitOptions {
    SubmitOptions {
        charge_request,
        ..SubmitOptions::new(RankDetail::Full)
    }
}

/// One charge on a bucket with room for `burst`, one request and so many scores.
fn metered(burst: u64, scores: u64) -> SubmitOptions {
    on(ChargeRequest {
        charges: vec![charge("player", burst, scores)],
        ..requests(1, scores)
    })
}

fn scores<H: Harness>(world: &World<H>, board: &Board, names: &[&str]) -> Vec<PreparedSubmission> {
    names
        .iter()
        .map(|name| resolved(&submission(&[board], name, &[5]), &[board], world.now()))
        .collect()
}

async fn usage<H: Harness>(world: &World<H>) -> Vec<Usage> {
    let (days, _) = world.store.usage(&world.tenant, 10).await.unwrap();
    days.into_iter().map(|DayUsage { usage, .. }| usage).collect()
}

on_both_stores! {
    async fn a_call_is_charged_with_the_write(world) {
        let board = world.put(&board("l")).await;
        let attempts = scores(&world, &board, &["ann", "bob"]);
        let submitted = world.store.submit_with_options(&world.tenant, &attempts, &metered(5, 2)).await.unwrap();
        assert_eq!((submitted.rate_limit_decision.refused, units(&submitted.rate_limit_decision)), (false, vec![2]));
        assert_eq!(submitted.rate_limit_decision.requests_today, 1);
        let ranks: Vec<_> = submitted.answers.iter().map(|answer| answer.as_ref().unwrap()[0].rank).collect();
        assert_eq!(ranks, [Some(1), Some(2)]);
        assert_eq!(usage(&world).await, [Usage { requests: 1, scores: 2 }]);
        // The same bucket as that of any other call.
        let state = world.store.take(&world.tenant, &charges(&[charge("player", 5, 0)])).await.unwrap();
        assert_eq!(units(&state), [2]);
    }

    async fn a_refused_call_leaves_no_trace(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "ann", 3).await;
        let attempts: Vec<_> = scores(&world, &board, &["ann", "bob"]).into_iter().map(|one| with_id(one, "x")).collect();
        let quota = ChargeRequest { max_requests_per_day: Some(0), ..requests(1, 2) };
        for terms in [metered(1, 2), on(quota)] {
            let refused = world.store.submit_with_options(&world.tenant, &attempts, &terms).await.unwrap();
            assert!(refused.rate_limit_decision.refused);
            assert_eq!(refused.answers, []);
        }
        assert_eq!(world.list(&board).await, [line(1, "ann", 3)]);
        assert_eq!(world.events(&board).await.len(), 2);
        assert_eq!(usage(&world).await, []);
        assert!(!world.score_with_id(&board, "bob", 9, "x").await.unwrap().replayed);
    }

    async fn refused_and_replayed_scores_are_charged_like_all_others(world) {
        let board = world.put(&board("l")).await;
        let first = with_id(scores(&world, &board, &["ann"]).remove(0), "x");
        let other = with_id(resolved(&submission(&[&board], "ann", &[6]), &[&board], world.now()), "x");
        let attempts = [first.clone(), first, other];
        let submitted = world.store.submit_with_options(&world.tenant, &attempts, &metered(3, 3)).await.unwrap();
        assert_eq!(units(&submitted.rate_limit_decision), [3]);
        let [made, again, conflict] = &submitted.answers[..] else { panic!("{submitted:?}") };
        assert_eq!((made.as_ref().unwrap()[0].replayed, again.as_ref().unwrap()[0].replayed), (false, true));
        assert_eq!(conflict.as_ref().unwrap_err().reason, RefusalReason::IdConflict { id: submission_id("x") });
        assert_eq!(usage(&world).await, [Usage { requests: 1, scores: 3 }]);
    }

    async fn a_large_call_is_charged_once(world) {
        let board = world.put(&board("l")).await;
        let names: Vec<_> = (0..1000).map(|n| format!("p{n}")).collect();
        let attempts = scores(&world, &board, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let submitted = world.store.submit_with_options(&world.tenant, &attempts, &metered(1000, 1000)).await.unwrap();
        assert_eq!((units(&submitted.rate_limit_decision), submitted.rate_limit_decision.requests_today), (vec![1000], 1));
        assert!(submitted.answers.len() == 1000 && submitted.answers.iter().all(Result::is_ok));
        assert_eq!(usage(&world).await, [Usage { requests: 1, scores: 1000 }]);
        let refused = world.store.submit_with_options(&world.tenant, &attempts, &metered(1000, 1000)).await.unwrap();
        assert!(refused.rate_limit_decision.refused && refused.answers.is_empty());
        assert_eq!(world.events(&board).await.len(), 1001);
    }

    async fn a_call_without_scores_is_charged_too(world) {
        let submitted = world.store.submit_with_options(&world.tenant, &[], &metered(1, 1)).await.unwrap();
        assert_eq!((units(&submitted.rate_limit_decision), submitted.answers), (vec![1], vec![]));
        let refused = world.store.submit_with_options(&world.tenant, &[], &metered(1, 1)).await.unwrap();
        assert!(refused.rate_limit_decision.refused);
        assert_eq!(usage(&world).await, [Usage { requests: 1, scores: 1 }]);
    }
}
