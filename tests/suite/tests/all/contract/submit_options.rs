//! Tests of submissions with options: the rate limit is charged with the write, and a refused call changes
//! nothing.

use leaderboard_core::ports::{
    ChargeRequest, DayUsage, RankDetail, RateLimits, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{PreparedSubmission, RefusalReason};
use leaderboard_test_support::values::{
    Board, board, charge, charges, prepared, requests, submission, submission_id, units,
};
use leaderboard_test_support::{StoreBackend, StoreFixture, ranked_line, with_submission_id};

use crate::cases::on_both_stores;

fn options_with(charge_request: ChargeRequest) -> SubmitOptions {
    SubmitOptions {
        charge_request,
        ..SubmitOptions::new(RankDetail::Full)
    }
}

/// Returns options that count one request and `scores` scores, and charge the scores to a bucket with this
/// burst.
fn charged_options(burst: u64, scores: u64) -> SubmitOptions {
    options_with(ChargeRequest {
        charges: vec![charge("player", burst, scores)],
        ..requests(1, scores)
    })
}

fn prepare_scores<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
    names: &[&str],
) -> Vec<PreparedSubmission> {
    names
        .iter()
        .map(|name| prepared(&submission(&[board], name, &[5]), &[board], fixture.now()))
        .collect()
}

async fn read_usage<B: StoreBackend>(fixture: &StoreFixture<B>) -> Vec<Usage> {
    let (days, _) = fixture.store.usage(&fixture.tenant, 10).await.unwrap();
    days.into_iter().map(|DayUsage { usage, .. }| usage).collect()
}

on_both_stores! {
    async fn a_call_is_charged_with_the_write(fixture) {
        let board = fixture.put(&board("l")).await;
        let prepared_submissions = prepare_scores(&fixture, &board, &["ann", "bob"]);
        let submitted = fixture.store.submit_with_options(&fixture.tenant, &prepared_submissions, &charged_options(5, 2)).await.unwrap();
        assert_eq!((submitted.rate_limit_decision.refused, units(&submitted.rate_limit_decision)), (false, vec![2]));
        assert_eq!(submitted.rate_limit_decision.requests_today, 1);
        let ranks: Vec<_> = submitted.answers.iter().map(|answer| answer.as_ref().unwrap()[0].rank).collect();
        assert_eq!(ranks, [Some(1), Some(2)]);
        assert_eq!(read_usage(&fixture).await, [Usage { requests: 1, scores: 2 }]);
        // Other calls use the same bucket.
        let state = fixture.store.take(&fixture.tenant, &charges(&[charge("player", 5, 0)])).await.unwrap();
        assert_eq!(units(&state), [2]);
    }

    async fn a_refused_call_changes_nothing(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 3).await;
        let prepared_submissions: Vec<_> = prepare_scores(&fixture, &board, &["ann", "bob"]).into_iter().map(|prepared| with_submission_id(prepared, "x")).collect();
        let quota = ChargeRequest { max_requests_per_day: Some(0), ..requests(1, 2) };
        for options in [charged_options(1, 2), options_with(quota)] {
            let refused = fixture.store.submit_with_options(&fixture.tenant, &prepared_submissions, &options).await.unwrap();
            assert!(refused.rate_limit_decision.refused);
            assert_eq!(refused.answers, []);
        }
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 3)]);
        assert_eq!(fixture.read_events(&board).await.len(), 2);
        assert_eq!(read_usage(&fixture).await, []);
        assert!(!fixture.submit_score_with_id(&board, "bob", 9, "x").await.unwrap().replayed);
    }

    async fn refused_and_replayed_scores_are_charged_like_all_others(fixture) {
        let board = fixture.put(&board("l")).await;
        let first = with_submission_id(prepare_scores(&fixture, &board, &["ann"]).remove(0), "x");
        let other = with_submission_id(prepared(&submission(&[&board], "ann", &[6]), &[&board], fixture.now()), "x");
        let prepared_submissions = [first.clone(), first, other];
        let submitted = fixture.store.submit_with_options(&fixture.tenant, &prepared_submissions, &charged_options(3, 3)).await.unwrap();
        assert_eq!(units(&submitted.rate_limit_decision), [3]);
        let [made, again, conflict] = &submitted.answers[..] else { panic!("{submitted:?}") };
        assert_eq!((made.as_ref().unwrap()[0].replayed, again.as_ref().unwrap()[0].replayed), (false, true));
        assert_eq!(conflict.as_ref().unwrap_err().reason, RefusalReason::IdConflict { id: submission_id("x") });
        assert_eq!(read_usage(&fixture).await, [Usage { requests: 1, scores: 3 }]);
    }

    async fn a_large_call_is_charged_once(fixture) {
        let board = fixture.put(&board("l")).await;
        let names: Vec<_> = (0..1000).map(|n| format!("p{n}")).collect();
        let prepared_submissions = prepare_scores(&fixture, &board, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let submitted = fixture.store.submit_with_options(&fixture.tenant, &prepared_submissions, &charged_options(1000, 1000)).await.unwrap();
        assert_eq!((units(&submitted.rate_limit_decision), submitted.rate_limit_decision.requests_today), (vec![1000], 1));
        assert!(submitted.answers.len() == 1000 && submitted.answers.iter().all(Result::is_ok));
        assert_eq!(read_usage(&fixture).await, [Usage { requests: 1, scores: 1000 }]);
        let refused = fixture.store.submit_with_options(&fixture.tenant, &prepared_submissions, &charged_options(1000, 1000)).await.unwrap();
        assert!(refused.rate_limit_decision.refused && refused.answers.is_empty());
        assert_eq!(fixture.read_events(&board).await.len(), 1001);
    }

    async fn a_call_without_scores_is_charged_too(fixture) {
        let submitted = fixture.store.submit_with_options(&fixture.tenant, &[], &charged_options(1, 1)).await.unwrap();
        assert_eq!((units(&submitted.rate_limit_decision), submitted.answers), (vec![1], vec![]));
        let refused = fixture.store.submit_with_options(&fixture.tenant, &[], &charged_options(1, 1)).await.unwrap();
        assert!(refused.rate_limit_decision.refused);
        assert_eq!(read_usage(&fixture).await, [Usage { requests: 1, scores: 1 }]);
    }
}
