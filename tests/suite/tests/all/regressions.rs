//! What users of other leaderboards suffer from: each one a test.

use std::collections::BTreeSet;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Expected, PageFrom, Scores};
use leaderboard_core::{Leaderboard, Operator, Order, PeriodSelector, Status, Submission, Ties};
use leaderboard_test_support::values::{
    DAY_MS, board, columns, instant, metadata, player, schedule, submission, with_ties,
};
use leaderboard_test_support::{ranked_line, ranked_lines};

use crate::cases::on_both_stores;

on_both_stores! {
    /// Ties ordered by id instead of by who was first.
    async fn equal_scores_rank_by_time_and_not_by_name(fixture) {
        let board = fixture.put(&board("l")).await;
        for name in ["zoe", "max", "ann"] {
            fixture.submit_score(&board, name, 100).await;
        }
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "zoe", 100), ranked_line(2, "max", 100), ranked_line(3, "ann", 100)]);
    }

    /// No shared ranks.
    async fn equal_scores_can_share_a_rank(fixture) {
        for (name, ties, last) in [("skipping", Ties::Shared, 4), ("dense", Ties::Dense, 3)] {
            let board = fixture.put(&with_ties(name, ties)).await;
            for (player, value) in [("a", 9), ("b", 7), ("c", 7), ("d", 1)] {
                fixture.submit_score(&board, player, value).await;
            }
            let ranks: Vec<u64> = fixture.list_entries(&board).await.iter().map(|(rank, _, _)| *rank).collect();
            assert_eq!(ranks, [1, 2, 2, last]);
        }
    }

    /// Once, a best score had the subscore of another submission.
    async fn subscore_and_metadata_belong_to_the_attempt_that_won(fixture) {
        let board = fixture.put(&Leaderboard {
            operator: Operator::Best,
            columns: columns(&[Order::Descending, Order::Ascending]),
            ..board("l")
        }).await;
        for (values, note) in [([50, 30], "first"), ([40, 5], "fast but low"), ([50, 29], "won"), ([50, 29], "again")] {
            let prepared_submission = Submission { metadata: Some(metadata(&format!("\"{note}\""))), ..submission(&[&board], "ann", &values) };
            fixture.submit(&prepared_submission, &[&board]).await.unwrap();
        }
        let entry = fixture.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry;
        assert_eq!(entry.values.as_slice(), [50, 29]);
        assert_eq!(entry.metadata, Some(metadata("\"won\"")));
        assert_eq!(entry.attempts, 4);
    }

    /// A non-improving write that corrupts the rank.
    async fn a_score_that_does_not_improve_changes_no_rank(fixture) {
        let board = fixture.put(&Leaderboard { operator: Operator::Best, ..board("l") }).await;
        for (name, value) in [("a", 9), ("b", 9), ("c", 5)] {
            fixture.submit_score(&board, name, value).await;
        }
        let before = fixture.list_entries(&board).await;
        for (name, value) in [("a", 9), ("b", 8), ("c", i64::MIN), ("a", 0)] {
            let outcome = fixture.submit_score(&board, name, value).await;
            assert_eq!(outcome.status, Status::Kept);
            assert_eq!(outcome.rank, outcome.previous.unwrap().rank);
        }
        assert_eq!(fixture.list_entries(&board).await, before);
    }

    /// Deleted or banned players who still take a rank.
    async fn removed_and_banned_players_have_no_rank(fixture) {
        for (name, ties) in [("earliest", Ties::Earliest), ("shared", Ties::Shared), ("dense", Ties::Dense)] {
            let board = fixture.put(&with_ties(name, ties)).await;
            for (player, value) in [("cheat", 99), ("gone", 90), ("ann", 80), ("bob", 70)] {
                fixture.submit_score(&board, &format!("{name}-{player}"), value).await;
            }
            fixture.ban(&format!("{name}-cheat")).await;
            fixture.remove(&board, &format!("{name}-gone")).await;
            assert_eq!(fixture.find_rank(&board, &format!("{name}-ann")).await, Some(1));
            assert_eq!(fixture.submit_score(&board, &format!("{name}-bob"), 85).await.rank, Some(1));
            assert_eq!(fixture.page(&board, &PageFrom::Top, 10).await.count, 2);
        }
    }

    /// Around-me that omits the top, or comes short at the ends.
    async fn a_window_is_full_at_every_rank(fixture) {
        let board = fixture.put(&board("l")).await;
        for n in 0..12 {
            fixture.submit_score(&board, &format!("p{n:02}"), 100 - n).await;
        }
        for n in 0..12 {
            let page = fixture.around(&board, &format!("p{n:02}"), 5, &Caller::Anonymous).await.unwrap();
            assert_eq!(page.entries.len(), 5, "around p{n:02}");
            assert!(page.entries.iter().any(|ranked| ranked.entry.player == player(&format!("p{n:02}"))));
            let ranks: Vec<u64> = page.entries.iter().map(|ranked| ranked.rank).collect();
            assert!(ranks.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ranks:?}");
        }
        let top = fixture.around(&board, "p00", 5, &Caller::Anonymous).await.unwrap();
        assert_eq!(top.entries[0].rank, 1);
    }

    /// Previous-page ranks that are wrong.
    async fn a_page_backwards_has_the_ranks_of_the_page_forwards(fixture) {
        for (name, ties) in [("earliest", Ties::Earliest), ("latest", Ties::Latest), ("shared", Ties::Shared), ("dense", Ties::Dense)] {
            let board = fixture.put(&with_ties(name, ties)).await;
            for n in 0..11 {
                fixture.submit_score(&board, &format!("p{n:02}"), 100 - n / 3).await;
            }
            let all = fixture.page(&board, &PageFrom::Top, 100).await.entries;
            let entry = &all[8].entry;
            let key = board.value.layout().key(&entry.values, entry.reached_at, &entry.player);
            let back = fixture.page(&board, &PageFrom::Before(key), 4).await;
            assert_eq!(back.entries, all[4..8], "{name}");
        }
    }

    /// Pages that repeat or lose players.
    async fn pages_meet_every_player_once_while_scores_come_in(fixture) {
        let board = fixture.put(&board("l")).await;
        for n in 0..30 {
            fixture.submit_score(&board, &format!("p{n:02}"), 1000 - n).await;
        }
        let mut seen = Vec::new();
        let mut from = PageFrom::Top;
        loop {
            let page = fixture.page(&board, &from, 7).await;
            let Some(last) = page.entries.last() else {
                break;
            };
            let (values, at, player) = (last.entry.values.clone(), last.entry.reached_at, last.entry.player.clone());
            from = PageFrom::After(board.value.layout().key(&values, at, &player));
            seen.extend(page.entries.into_iter().map(|ranked| ranked.entry.player));
            // Newcomers above do not push anyone over the edge of a page.
            fixture.submit_score(&board, &format!("new{}", seen.len()), 5000).await;
        }
        let different: BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), different.len()), (30, 30));
    }

    /// Resets in the wrong time zone, or on a day that changes the clock.
    async fn a_day_ends_at_midnight_where_the_players_live(fixture) {
        let board = fixture.put(&Leaderboard { schedule: schedule("0 0 * * *", "Europe/Madrid"), ..board("l") }).await;
        for (now, period) in [
            ("2026-10-24T21:59:59.999Z", "2026-10-23T22:00:00Z"),
            ("2026-10-24T22:00:00Z", "2026-10-24T22:00:00Z"),
            ("2026-10-25T22:59:59.999Z", "2026-10-24T22:00:00Z"),
            ("2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z"),
        ] {
            fixture.now.set(instant(now));
            assert_eq!(fixture.submit_score(&board, "ann", 1).await.period.as_str(), period, "at {now}");
        }
    }

    /// A reset missed while the server was down.
    async fn nothing_has_to_run_at_a_reset(fixture) {
        let weekly = Leaderboard { schedule: schedule("0 0 * * 1", "UTC"), ..board("l") };
        let board = fixture.put(&weekly).await;
        fixture.submit_score(&board, "ann", 7).await;
        fixture.advance_ms(23 * DAY_MS);
        assert_eq!(fixture.list_entries(&board).await, []);
        let second = fixture.backend.open().await;
        let old = PeriodSelector::Named(leaderboard_core::PeriodId::parse("2026-07-19T12:00:00Z").unwrap());
        let old = old.resolve(&weekly, fixture.now()).unwrap();
        let page = second.page(&fixture.period_ref(&board, &old.id), &PageFrom::Top, 10, &Caller::Anonymous).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "ann", 7)]);
    }

    /// A retried submission counted twice.
    async fn a_retry_counts_once(fixture) {
        let board = fixture.put(&Leaderboard { operator: Operator::Increment, ..board("l") }).await;
        let first = fixture.submit_score_with_id(&board, "ann", 1, "goal-1").await.unwrap();
        for _ in 0..3 {
            let again = fixture.submit_score_with_id(&board, "ann", 1, "goal-1").await.unwrap();
            assert!(again.replayed);
            assert_eq!((again.values, again.rank), (first.values.clone(), first.rank));
        }
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 1)]);
    }

    /// Configuration frozen after creation.
    async fn everything_about_a_leaderboard_can_be_changed_later(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 1).await;
        fixture.submit_score(&board, "bob", 2).await;
        let changed = Leaderboard {
            title: "Golf".into(),
            operator: Operator::Best,
            operator_override: false,
            columns: leaderboard_core::Columns::new(vec![leaderboard_core::Column::new("score", Order::Ascending).unwrap()]).unwrap(),
            ties: Ties::Shared,
            keep_periods: 3,
            ..board.value.clone()
        };
        assert!(fixture.try_put(&changed, Expected::Version(board.version), false).await.is_err());
        let board = fixture.rebuild(&changed).await;
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 1), ranked_line(2, "bob", 2)]);
        assert_eq!(fixture.submit_score(&board, "bob", 1).await.rank, Some(1));
    }

    /// A write that changes nothing but the update time.
    async fn a_score_that_changes_nothing_keeps_its_place_in_a_tie(fixture) {
        for (name, operator) in [("set", Operator::Set), ("best", Operator::Best), ("add", Operator::Increment)] {
            let board = fixture.put(&Leaderboard { operator, ..board(name) }).await;
            fixture.submit_score(&board, "ann", 5).await;
            fixture.submit_score(&board, "bob", 5).await;
            let reached_at = fixture.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry.reached_at;
            let nothing = if operator == Operator::Increment { 0 } else { 5 };
            let outcome = fixture.submit_score(&board, "ann", nothing).await;
            assert_eq!((outcome.status, outcome.rank), (Status::Kept, Some(1)), "{name}");
            let entry = fixture.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry;
            assert_eq!((entry.player, entry.reached_at), (player("ann"), reached_at), "{name}");
        }
    }

    /// An undefined score that became 0.
    async fn a_missing_value_is_refused_and_makes_no_zero(fixture) {
        let board = fixture.put(&Leaderboard {
            columns: columns(&[Order::Descending, Order::Descending]),
            ..board("l")
        }).await;
        let half = submission(&[&board], "ann", &[5]);
        let refused = half.resolve(std::slice::from_ref(&board), fixture.now()).unwrap_err();
        assert!(matches!(refused.reason, leaderboard_core::RefusalReason::ColumnsMismatch { .. }));
        assert_eq!(fixture.list_entries(&board).await, []);
        let period = fixture.current_period(&board);
        let place = fixture.period_ref(&board, &period);
        let found = fixture.store.entries_by_player(&place, &[player("ann")], &Caller::Server).await.unwrap();
        assert_eq!(found.entries, []);
    }

    /// One slow friends query.
    async fn friends_are_ranked_among_all_in_one_call(fixture) {
        let board = fixture.put(&board("l")).await;
        for n in 0..300 {
            fixture.submit_score(&board, &format!("p{n:03}"), n).await;
        }
        let friends: Vec<_> = (0..200).map(|n| player(&format!("p{n:03}"))).collect();
        let period = fixture.current_period(&board);
        let found = fixture.store.entries_by_player(&fixture.period_ref(&board, &period), &friends, &Caller::Anonymous).await.unwrap();
        let ranks: Vec<u64> = found.entries.iter().map(|ranked| ranked.rank).collect();
        assert_eq!(ranks, (101..=300).collect::<Vec<_>>());
    }
}
