//! Tests of shadow bans: other callers see the list without the banned player, and an unban restores the
//! list.

use leaderboard_core::EventBody;
use leaderboard_core::ports::{Ban, Bans, PageFrom};
use leaderboard_test_support::values::{DAY_MS, board, daily, player, tenant};
use leaderboard_test_support::{put_leaderboard, ranked_line};

use crate::cases::on_both_stores;

on_both_stores! {
    async fn a_banned_player_leaves_the_list_and_returns_after_an_unban(fixture) {
        let board = fixture.put(&board("l")).await;
        for (name, value) in [("a", 9), ("b", 7), ("c", 5)] {
            fixture.submit_score(&board, name, value).await;
        }
        let before = fixture.page(&board, &PageFrom::Top, 10).await;
        fixture.ban("b").await;
        let page = fixture.page(&board, &PageFrom::Top, 10).await;
        assert_eq!(leaderboard_test_support::ranked_lines(&page.entries), [ranked_line(1, "a", 9), ranked_line(2, "c", 5)]);
        assert_eq!((page.count, page.version), (2, 5));
        fixture.unban("b").await;
        let after = fixture.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((after.entries, after.count, after.version), (before.entries, 3, 6));
        let bodies: Vec<_> = fixture.read_events(&board).await.into_iter().skip(4).map(|e| (e.event.recorded_at, e.event.body)).collect();
        assert_eq!(bodies, [
            (fixture.now(), EventBody::Banned { player: player("b") }),
            (fixture.now(), EventBody::Unbanned { player: player("b") }),
        ]);
    }

    async fn a_repeated_ban_or_unban_changes_nothing(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "a", 9).await;
        fixture.unban("a").await;
        fixture.ban("a").await;
        fixture.ban("a").await;
        assert_eq!(fixture.read_events(&board).await.len(), 3);
        fixture.unban("a").await;
        fixture.unban("a").await;
        assert_eq!(fixture.read_events(&board).await.len(), 4);
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "a", 9)]);
    }

    async fn later_scores_of_a_banned_player_are_invisible_to_others(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.ban("b").await;
        fixture.submit_score(&board, "a", 9).await;
        let first = fixture.submit_score(&board, "b", 10).await;
        assert_eq!((first.rank, first.version), (Some(1), 3));
        let worse = fixture.submit_score(&board, "b", 8).await;
        assert_eq!((worse.rank, worse.previous.unwrap().rank), (Some(2), Some(1)));
        assert_eq!(fixture.submit_score(&board, "a", 1).await.rank, Some(1));
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "a", 1)]);
        let flags: Vec<bool> = fixture.read_events(&board).await.into_iter().filter_map(|event| match event.event.body {
            EventBody::Submitted { banned, .. } => Some(banned),
            _ => None,
        }).collect();
        assert_eq!(flags, [false, true, true, false]);
        fixture.unban("b").await;
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "b", 8), ranked_line(2, "a", 1)]);
    }

    async fn a_ban_affects_every_leaderboard_and_period_of_the_player(fixture) {
        let (one, two, three) = (fixture.put(&daily("one")).await, fixture.put(&board("two")).await, fixture.put(&board("three")).await);
        for board in [&one, &two] {
            fixture.submit_score(board, "a", 1).await;
            fixture.submit_score(board, "b", 2).await;
        }
        fixture.submit_score(&three, "b", 2).await;
        let yesterday = fixture.current_period(&one);
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&one, "a", 1).await;
        fixture.ban("a").await;
        assert_eq!(fixture.list_entries(&one).await, []);
        assert_eq!(fixture.list_entries(&two).await, [ranked_line(1, "b", 2)]);
        let old = fixture.page_of(&one, &yesterday, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(leaderboard_test_support::ranked_lines(&old.entries), [ranked_line(1, "b", 2)]);
        let today = fixture.page(&one, &PageFrom::Top, 10).await;
        assert_eq!((old.version, today.version, today.count), (5, 5, 0));
        assert_eq!(fixture.read_events(&one).await.len(), 5);
        assert_eq!(fixture.read_events(&three).await.len(), 2);
    }

    async fn a_ban_does_not_affect_another_tenant(fixture) {
        let other = tenant("other");
        let mine = fixture.put(&board("l")).await;
        fixture.submit_score(&mine, "a", 1).await;
        put_leaderboard(&fixture.store, &other, &board("l"), leaderboard_core::ports::Expected::Any, false, fixture.now()).await.unwrap();
        fixture.store.ban(&other, &Ban::new(player("a"), fixture.now())).await.unwrap().unwrap();
        assert_eq!(fixture.list_entries(&mine).await, [ranked_line(1, "a", 1)]);
        assert_eq!(fixture.read_events(&mine).await.len(), 2);
    }

    async fn a_ban_applies_to_a_later_leaderboard(fixture) {
        fixture.ban("a").await;
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "a", 1).await;
        fixture.submit_score(&board, "b", 0).await;
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "b", 0)]);
        assert_eq!(fixture.find_rank(&board, "a").await, Some(1));
    }
}
