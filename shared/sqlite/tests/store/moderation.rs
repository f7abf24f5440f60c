//! Hidden players and removed entries.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Ban, Bans, Events, PeriodRef, Scores};
use leaderboard_core::{EventBody, PeriodId, Ties};

use crate::support::*;

#[test]
fn everyone_closes_ranks_around_a_hidden_player_who_does_not_notice() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = configured(&store, &board("goals")).await;
        for (name, points) in [("ann", 9), ("bob", 7), ("cid", 5)] {
            score(&store, &board, name, points, 0).await;
        }
        store
            .ban(&tenant(), &Ban::new(player("bob"), at(1)))
            .await
            .unwrap()
            .unwrap();
        store
            .ban(&tenant(), &Ban::new(player("bob"), at(2)))
            .await
            .unwrap()
            .unwrap();
        let page = top(&store, &board, 10).await;
        assert_eq!(lines(&page), [line(1, "ann", 9), line(2, "cid", 5)]);
        assert_eq!((page.version, page.count), (5, 2));

        let (tenant, period) = (tenant(), PeriodId::all_time());
        let place = PeriodRef {
            tenant: &tenant,
            board: &board,
            period: &period,
            now: at(2),
        };
        let bob = Caller::Player(player("bob"));
        let seen = store
            .entries_by_player(&place, &[player("bob")], &bob)
            .await
            .unwrap();
        assert_eq!((seen.count, seen.entries[0].rank), (3, 2));
        let unseen = store
            .entries_by_player(&place, &[player("bob")], &Caller::Anonymous)
            .await
            .unwrap();
        assert_eq!((unseen.count, unseen.entries.len()), (2, 0));
        let own = store
            .around(&place, &player("bob"), 3, &bob)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            lines(&own),
            [line(1, "ann", 9), line(2, "bob", 7), line(3, "cid", 5)]
        );
        assert_eq!(
            store.around(&place, &player("bob"), 3, &Caller::Anonymous).await,
            Ok(None)
        );

        let better = score(&store, &board, "bob", 10, 3).await;
        assert_eq!((better.rank, better.previous.unwrap().rank), (Some(1), Some(2)));
        assert_eq!(top(&store, &board, 10).await.count, 2);
        let events = store.read(&tenant, &board.value.id, 5, 10).await.unwrap();
        assert!(matches!(
            events[0].event.body,
            EventBody::Submitted { banned: true, .. }
        ));

        store.unban(&tenant, &player("bob"), at(4)).await.unwrap();
        store.unban(&tenant, &player("bob"), at(5)).await.unwrap();
        let page = top(&store, &board, 10).await;
        assert_eq!(
            lines(&page),
            [line(1, "bob", 10), line(2, "ann", 9), line(3, "cid", 5)]
        );
        assert_eq!((page.version, page.count), (7, 3));
    });
}

#[test]
fn one_event_for_each_leaderboard_with_entries_in_any_period() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut dense = daily("daily", 5);
        dense.ties = Ties::Dense;
        let daily = configured(&store, &dense).await;
        let other = configured(&store, &board("other")).await;
        score(&store, &daily, "ann", 5, 0).await;
        score(&store, &daily, "ann", 5, DAY_MS).await;
        score(&store, &daily, "bob", 3, DAY_MS).await;
        score(&store, &other, "bob", 3, 0).await;
        store
            .ban(&tenant(), &Ban::new(player("ann"), at(DAY_MS)))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            store.read(&tenant(), &other.value.id, 0, 10).await.unwrap().len(),
            2
        );
        let events = store.read(&tenant(), &daily.value.id, 4, 10).await.unwrap();
        assert_eq!(events.len(), 1);
        let periods = store
            .periods(&tenant(), &daily.value.id, at(DAY_MS))
            .await
            .unwrap();
        let seen: Vec<_> = periods
            .iter()
            .map(|period| (period.count, period.version))
            .collect();
        assert_eq!(seen, [(1, 5), (0, 5)]);
        assert_eq!(rows(&file, "tuples"), 1);
        store.unban(&tenant(), &player("ann"), at(DAY_MS)).await.unwrap();
        assert_eq!(rows(&file, "tuples"), 3);
    });
}

#[test]
fn a_removed_player_begins_anew() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut goals = board("goals");
        goals.limits.max_attempts = Some(1);
        let board = configured(&store, &goals).await;
        score(&store, &board, "ann", 5, 0).await;
        let again = attempt(&[Rc::clone(&board)], "ann", 6, None, at(1));
        assert!(submit(&store, std::slice::from_ref(&again)).await[0].is_err());
        let (tenant, period) = (tenant(), PeriodId::all_time());
        let place = PeriodRef {
            tenant: &tenant,
            board: &board,
            period: &period,
            now: at(2),
        };
        assert_eq!(store.remove(&place, &player("ann"), at(2)).await, Ok(Some(3)));
        let page = top(&store, &board, 10).await;
        assert_eq!((page.count, page.version), (0, 3));
        assert!(submit(&store, &[again]).await[0].is_ok());
    });
}
