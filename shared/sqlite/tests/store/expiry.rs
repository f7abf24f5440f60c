//! Periods that are no longer kept.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::Status;
use leaderboard_core::ports::{Expected, Leaderboards, PutLeaderboard, RankDetail, Scores, SubmitOptions};

use crate::support::*;

#[test]
fn expired_periods_are_out_of_sight_and_go_in_pieces() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = configured(&store, &daily("daily", 1)).await;
        let boards = [Rc::clone(&board)];
        let first: Vec<_> = (0..2500)
            .map(|n| attempt(&boards, &format!("p{n}"), n, None, at(0)))
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
            score(&store, &board, "ann", n, DAY_MS + n).await;
            left.push(rows(&file, "entries"));
        }
        assert_eq!(left, [1501, 501, 1, 1]);
        assert_eq!((rows(&file, "periods"), rows(&file, "discarded")), (1, 0));
        let periods = store.periods(&tenant(), id, at(DAY_MS)).await.unwrap();
        assert_eq!(periods.len(), 1);
        assert_eq!(periods[0].period, board.value.schedule.period_at(at(DAY_MS)));
        assert_eq!((periods[0].count, periods[0].version), (1, 2505));
    });
}

#[test]
fn a_period_that_expired_is_not_revived_by_keeping_more() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut daily = daily("daily", 1);
        let board = configured(&store, &daily).await;
        score(&store, &board, "ann", 5, 0).await;
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
fn what_has_expired_leaves_room_for_the_tenant_before_it_is_deleted() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let quiet = configured(&store, &daily("quiet", 1)).await;
        let busy = configured(&store, &board("busy")).await;
        score(&store, &quiet, "ann", 5, 0).await;
        score(&store, &quiet, "bob", 5, 0).await;
        let terms = SubmitOptions {
            max_tenant_entries: Some(2),
            ..SubmitOptions::new(RankDetail::Full)
        };
        let boards = [Rc::clone(&busy)];
        let mut fits = Vec::new();
        for ms in [DAY_MS - 1, DAY_MS] {
            let attempts = ["ann", "bob", "cid"].map(|name| attempt(&boards, name, 1, None, at(ms)));
            let submitted = store
                .submit_with_options(&tenant(), &attempts, &terms)
                .await
                .unwrap();
            fits.push(submitted.answers.iter().map(Result::is_ok).collect::<Vec<_>>());
        }
        assert_eq!(fits, [vec![false; 3], vec![true, true, false]]);
        assert_eq!(rows(&file, "entries"), 4);
    });
}
