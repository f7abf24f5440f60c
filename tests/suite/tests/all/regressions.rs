//! What users of other leaderboards suffer from: each one a test.

use std::collections::BTreeSet;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Expected, PageFrom, Scores};
use leaderboard_core::{Leaderboard, Operator, Order, PeriodSelector, Status, Submission, Ties};

use crate::given::{DAY_MS, board, columns, instant, metadata, player, schedule, submission, with_ties};
use crate::harness::{line, lines, on_both_stores};

on_both_stores! {
    /// Ties ordered by id instead of by who was first.
    async fn the_first_to_reach_a_score_stands_above_the_later_whatever_the_names(world) {
        let board = world.put(&board("l")).await;
        for name in ["zoe", "max", "ann"] {
            world.score(&board, name, 100).await;
        }
        assert_eq!(world.list(&board).await, [line(1, "zoe", 100), line(2, "max", 100), line(3, "ann", 100)]);
    }

    /// No shared ranks.
    async fn equal_scores_can_share_a_rank(world) {
        for (name, ties, last) in [("skipping", Ties::Shared, 4), ("dense", Ties::Dense, 3)] {
            let board = world.put(&with_ties(name, ties)).await;
            for (player, value) in [("a", 9), ("b", 7), ("c", 7), ("d", 1)] {
                world.score(&board, player, value).await;
            }
            let ranks: Vec<u64> = world.list(&board).await.iter().map(|(rank, _, _)| *rank).collect();
            assert_eq!(ranks, [1, 2, 2, last]);
        }
    }

    /// A best score whose subscore came from another attempt.
    async fn subscore_and_metadata_belong_to_the_attempt_that_won(world) {
        let board = world.put(&Leaderboard {
            operator: Operator::Best,
            columns: columns(&[Order::Descending, Order::Ascending]),
            ..board("l")
        }).await;
        for (values, note) in [([50, 30], "first"), ([40, 5], "fast but low"), ([50, 29], "won"), ([50, 29], "again")] {
            let attempt = Submission { metadata: Some(metadata(&format!("\"{note}\""))), ..submission(&[&board], "ann", &values) };
            world.submit(&attempt, &[&board]).await.unwrap();
        }
        let entry = world.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry;
        assert_eq!(entry.values.as_slice(), [50, 29]);
        assert_eq!(entry.metadata, Some(metadata("\"won\"")));
        assert_eq!(entry.attempts, 4);
    }

    /// A non-improving write that corrupts the rank.
    async fn a_score_that_does_not_improve_moves_nobody(world) {
        let board = world.put(&Leaderboard { operator: Operator::Best, ..board("l") }).await;
        for (name, value) in [("a", 9), ("b", 9), ("c", 5)] {
            world.score(&board, name, value).await;
        }
        let before = world.list(&board).await;
        for (name, value) in [("a", 9), ("b", 8), ("c", i64::MIN), ("a", 0)] {
            let outcome = world.score(&board, name, value).await;
            assert_eq!(outcome.status, Status::Kept);
            assert_eq!(outcome.rank, outcome.previous.unwrap().rank);
        }
        assert_eq!(world.list(&board).await, before);
    }

    /// Deleted or banned players who still take a rank.
    async fn who_is_removed_or_hidden_takes_no_rank(world) {
        for (name, ties) in [("earliest", Ties::Earliest), ("shared", Ties::Shared), ("dense", Ties::Dense)] {
            let board = world.put(&with_ties(name, ties)).await;
            for (player, value) in [("cheat", 99), ("gone", 90), ("ann", 80), ("bob", 70)] {
                world.score(&board, &format!("{name}-{player}"), value).await;
            }
            world.hide(&format!("{name}-cheat")).await;
            world.remove(&board, &format!("{name}-gone")).await;
            assert_eq!(world.rank(&board, &format!("{name}-ann")).await, Some(1));
            assert_eq!(world.score(&board, &format!("{name}-bob"), 85).await.rank, Some(1));
            assert_eq!(world.page(&board, &PageFrom::Top, 10).await.count, 2);
        }
    }

    /// Around-me that omits the top, or comes short at the ends.
    async fn a_window_is_full_wherever_the_player_stands(world) {
        let board = world.put(&board("l")).await;
        for n in 0..12 {
            world.score(&board, &format!("p{n:02}"), 100 - n).await;
        }
        for n in 0..12 {
            let page = world.around(&board, &format!("p{n:02}"), 5, &Caller::Anonymous).await.unwrap();
            assert_eq!(page.entries.len(), 5, "around p{n:02}");
            assert!(page.entries.iter().any(|ranked| ranked.entry.player == player(&format!("p{n:02}"))));
            let ranks: Vec<u64> = page.entries.iter().map(|ranked| ranked.rank).collect();
            assert!(ranks.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ranks:?}");
        }
        let top = world.around(&board, "p00", 5, &Caller::Anonymous).await.unwrap();
        assert_eq!(top.entries[0].rank, 1);
    }

    /// Previous-page ranks that are wrong.
    async fn a_page_backwards_has_the_ranks_of_the_page_forwards(world) {
        for (name, ties) in [("earliest", Ties::Earliest), ("latest", Ties::Latest), ("shared", Ties::Shared), ("dense", Ties::Dense)] {
            let board = world.put(&with_ties(name, ties)).await;
            for n in 0..11 {
                world.score(&board, &format!("p{n:02}"), 100 - n / 3).await;
            }
            let all = world.page(&board, &PageFrom::Top, 100).await.entries;
            let entry = &all[8].entry;
            let key = board.value.layout().key(&entry.values, entry.reached_at, &entry.player);
            let back = world.page(&board, &PageFrom::Before(key), 4).await;
            assert_eq!(back.entries, all[4..8], "{name}");
        }
    }

    /// Pages that repeat or lose players.
    async fn pages_meet_every_player_once_while_scores_come_in(world) {
        let board = world.put(&board("l")).await;
        for n in 0..30 {
            world.score(&board, &format!("p{n:02}"), 1000 - n).await;
        }
        let mut seen = Vec::new();
        let mut from = PageFrom::Top;
        loop {
            let page = world.page(&board, &from, 7).await;
            let Some(last) = page.entries.last() else {
                break;
            };
            let (values, at, player) = (last.entry.values.clone(), last.entry.reached_at, last.entry.player.clone());
            from = PageFrom::After(board.value.layout().key(&values, at, &player));
            seen.extend(page.entries.into_iter().map(|ranked| ranked.entry.player));
            // Newcomers above do not push anyone over the edge of a page.
            world.score(&board, &format!("new{}", seen.len()), 5000).await;
        }
        let different: BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), different.len()), (30, 30));
    }

    /// Resets in the wrong time zone, or on a day that changes the clock.
    async fn a_day_ends_at_midnight_where_the_players_live(world) {
        let board = world.put(&Leaderboard { schedule: schedule("0 0 * * *", "Europe/Madrid"), ..board("l") }).await;
        for (now, period) in [
            ("2026-10-24T21:59:59.999Z", "2026-10-23T22:00:00Z"),
            ("2026-10-24T22:00:00Z", "2026-10-24T22:00:00Z"),
            ("2026-10-25T22:59:59.999Z", "2026-10-24T22:00:00Z"),
            ("2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z"),
        ] {
            world.now.set(instant(now));
            assert_eq!(world.score(&board, "ann", 1).await.period.as_str(), period, "at {now}");
        }
    }

    /// A reset missed while the server was down.
    async fn nothing_has_to_run_at_a_reset(world) {
        let weekly = Leaderboard { schedule: schedule("0 0 * * 1", "UTC"), ..board("l") };
        let board = world.put(&weekly).await;
        world.score(&board, "ann", 7).await;
        world.pass_ms(23 * DAY_MS);
        assert_eq!(world.list(&board).await, []);
        let second = world.harness.open().await;
        let old = PeriodSelector::Named(leaderboard_core::PeriodId::parse("2026-07-19T12:00:00Z").unwrap());
        let old = old.resolve(&weekly, world.now()).unwrap();
        let page = second.page(&world.place(&board, &old.id), &PageFrom::Top, 10, &Caller::Anonymous).await.unwrap();
        assert_eq!(lines(&page.entries), [line(1, "ann", 7)]);
    }

    /// A retried submission counted twice.
    async fn a_retry_counts_once(world) {
        let board = world.put(&Leaderboard { operator: Operator::Increment, ..board("l") }).await;
        let first = world.score_with_id(&board, "ann", 1, "goal-1").await.unwrap();
        for _ in 0..3 {
            let again = world.score_with_id(&board, "ann", 1, "goal-1").await.unwrap();
            assert!(again.replayed);
            assert_eq!((again.values, again.rank), (first.values.clone(), first.rank));
        }
        assert_eq!(world.list(&board).await, [line(1, "ann", 1)]);
    }

    /// Configuration frozen after creation.
    async fn everything_about_a_leaderboard_can_be_changed_later(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "ann", 1).await;
        world.score(&board, "bob", 2).await;
        let changed = Leaderboard {
            title: "Golf".into(),
            operator: Operator::Best,
            operator_override: false,
            columns: leaderboard_core::Columns::new(vec![leaderboard_core::Column::new("score", Order::Ascending).unwrap()]).unwrap(),
            ties: Ties::Shared,
            keep_periods: 3,
            ..board.value.clone()
        };
        assert!(world.try_put(&changed, Expected::Version(board.version), false).await.is_err());
        let board = world.rebuilt(&changed).await;
        assert_eq!(world.list(&board).await, [line(1, "ann", 1), line(2, "bob", 2)]);
        assert_eq!(world.score(&board, "bob", 1).await.rank, Some(1));
    }

    /// A write that changes nothing but the update time.
    async fn a_score_that_changes_nothing_keeps_its_place_in_a_tie(world) {
        for (name, operator) in [("set", Operator::Set), ("best", Operator::Best), ("add", Operator::Increment)] {
            let board = world.put(&Leaderboard { operator, ..board(name) }).await;
            world.score(&board, "ann", 5).await;
            world.score(&board, "bob", 5).await;
            let reached_at = world.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry.reached_at;
            let nothing = if operator == Operator::Increment { 0 } else { 5 };
            let outcome = world.score(&board, "ann", nothing).await;
            assert_eq!((outcome.status, outcome.rank), (Status::Kept, Some(1)), "{name}");
            let entry = world.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry;
            assert_eq!((entry.player, entry.reached_at), (player("ann"), reached_at), "{name}");
        }
    }

    /// An undefined score that became 0.
    async fn a_missing_value_is_refused_and_makes_no_zero(world) {
        let board = world.put(&Leaderboard {
            columns: columns(&[Order::Descending, Order::Descending]),
            ..board("l")
        }).await;
        let half = submission(&[&board], "ann", &[5]);
        let refused = half.resolve(std::slice::from_ref(&board), world.now()).unwrap_err();
        assert!(matches!(refused.reason, leaderboard_core::RefusalReason::ColumnsMismatch { .. }));
        assert_eq!(world.list(&board).await, []);
        let period = world.period(&board);
        let place = world.place(&board, &period);
        let found = world.store.entries_by_player(&place, &[player("ann")], &Caller::Server).await.unwrap();
        assert_eq!(found.entries, []);
    }

    /// One slow friends query.
    async fn friends_are_ranked_among_all_in_one_call(world) {
        let board = world.put(&board("l")).await;
        for n in 0..300 {
            world.score(&board, &format!("p{n:03}"), n).await;
        }
        let friends: Vec<_> = (0..200).map(|n| player(&format!("p{n:03}"))).collect();
        let period = world.period(&board);
        let found = world.store.entries_by_player(&world.place(&board, &period), &friends, &Caller::Anonymous).await.unwrap();
        let ranks: Vec<u64> = found.entries.iter().map(|ranked| ranked.rank).collect();
        assert_eq!(ranks, (101..=300).collect::<Vec<_>>());
    }
}
