//! Tests of expired periods.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::Status;
use leaderboard_core::ports::{
    Claim, ClaimOutcome, Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail, ReadSource, Scores,
    Standings, SubmitOptions,
};

use crate::support::*;

#[test]
fn expired_periods_are_not_listed_and_are_deleted_in_steps() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard(&store, &daily_leaderboard("daily", 1)).await;
        let boards = [Rc::clone(&board)];
        let first: Vec<_> = (0..2500)
            .map(|n| prepare(&boards, &format!("p{n}"), n, None, at(0)))
            .collect();
        submit(&store, &first).await;
        let id = &board.value.id;
        assert_eq!(
            store.periods(&tenant(), id, at(DAY_MS - 1)).await.unwrap().len(),
            1
        );
        assert_eq!(store.periods(&tenant(), id, at(DAY_MS)).await.unwrap().len(), 0);
        let mut left = Vec::new();
        for n in 0..4 {
            submit_score(&store, &board, "ann", n, DAY_MS + n).await;
            left.push(count_rows(&file, "entries"));
        }
        assert_eq!(left, [1501, 501, 1, 1]);
        assert_eq!(
            (count_rows(&file, "periods"), count_rows(&file, "discarded")),
            (1, 0)
        );
        let periods = store.periods(&tenant(), id, at(DAY_MS)).await.unwrap();
        assert_eq!(periods.len(), 1);
        assert_eq!(periods[0].period, board.value.schedule.period_at(at(DAY_MS)));
        assert_eq!((periods[0].count, periods[0].version), (1, 2505));
    });
}

#[test]
fn an_expired_period_stays_expired_when_more_periods_are_kept() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut daily = daily_leaderboard("daily", 1);
        let board = create_leaderboard(&store, &daily).await;
        submit_score(&store, &board, "ann", 5, 0).await;
        let today = board.value.schedule.period_at(at(0));
        daily.keep_periods = 3;
        let now = at(DAY_MS);
        let expires_at = daily.schedule.expires_at(&today, 3);
        let tenant = tenant();
        let put = PutLeaderboard {
            max_leaderboards: None,
            tenant: &tenant,
            leaderboard: &daily,
            expected: Expected::Any,
            current: &daily.schedule.period_at(now).id,
            rebuild: false,
            verified: None,
            expiries: &[(today.id.clone(), expires_at)],
            at: now,
        };
        store.put(&put).await.unwrap().unwrap();
        let board = get(&store, &daily.id).await;
        let mut late = submission(&[Rc::clone(&board)], "ann", 3, None);
        late.occurred_at = Some(at(0));
        let late = late.resolve(&[Rc::clone(&board)], now).unwrap();
        let outcome = submit(&store, &[late]).await.remove(0).unwrap().remove(0);
        assert_eq!((outcome.status, outcome.previous), (Status::Created, None));
    });
}

#[test]
fn expired_entries_do_not_count_for_the_quota_before_their_deletion() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let quiet = create_leaderboard(&store, &daily_leaderboard("quiet", 1)).await;
        let busy = create_leaderboard(&store, &board("busy")).await;
        submit_score(&store, &quiet, "ann", 5, 0).await;
        submit_score(&store, &quiet, "bob", 5, 0).await;
        let options = SubmitOptions {
            max_tenant_entries: Some(2),
            ..SubmitOptions::new(RankDetail::Full)
        };
        let boards = [Rc::clone(&busy)];
        let mut fits = Vec::new();
        for ms in [DAY_MS - 1, DAY_MS] {
            let submissions = ["ann", "bob", "cid"].map(|name| prepare(&boards, name, 1, None, at(ms)));
            let submitted = store
                .submit_with_options(&tenant(), &submissions, &options)
                .await
                .unwrap();
            fits.push(submitted.answers.iter().map(Result::is_ok).collect::<Vec<_>>());
        }
        assert_eq!(fits, [vec![false; 3], vec![true, true, false]]);
        assert_eq!(count_rows(&file, "entries"), 4);
    });
}

#[test]
fn claims_are_deleted_when_their_period_expires() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard(&store, &daily_leaderboard("daily", 2)).await;
        submit_score(&store, &board, "ann", 1, 0).await;
        let period = board.value.schedule.period_at(at(0));
        let period_ref = PeriodRef {
            tenant: &tenant(),
            leaderboard: &board,
            period: &period.id,
            now: at(DAY_MS),
            source: ReadSource::Primary,
        };
        let expires_at = board.value.schedule.expires_at(&period, 2);
        let freeze = store.freeze(&period_ref, &period, expires_at).await.unwrap();
        let claim = Claim {
            prize: "cup".into(),
            rank: 1,
            claimed_at: at(DAY_MS),
            replaces: None,
        };
        let outcome = store
            .claim_prize(&period_ref, &player("ann"), &freeze, &claim)
            .await;
        assert_eq!(outcome, Ok(ClaimOutcome::Created));
        assert_eq!(count_rows(&file, "claims"), 1);
        submit_score(&store, &board, "bob", 1, 2 * DAY_MS).await;
        while store.sweep(&tenant()).await.unwrap() {}
        assert_eq!(
            (count_rows(&file, "claims"), count_rows(&file, "discarded")),
            (0, 0)
        );
    });
}
