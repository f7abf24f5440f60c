//! Tests of the removal of an entry.

use leaderboard_core::ports::{PageFrom, ReadError, Scores};
use leaderboard_core::{EventBody, Leaderboard, Status};
use leaderboard_test_support::ranked_line;
use leaderboard_test_support::values::{board, player};

use crate::cases::on_both_stores;

on_both_stores! {
    async fn a_removal_deletes_the_entry_and_its_attempts(fixture) {
        let board = fixture.put(&board("l")).await;
        for value in [1, 2, 3] {
            fixture.submit_score(&board, "a", value).await;
        }
        fixture.submit_score(&board, "b", 1).await;
        assert_eq!(fixture.remove(&board, "a").await, Some(6));
        let page = fixture.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((page.version, page.count), (6, 1));
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "b", 1)]);
        assert_eq!(fixture.find_rank(&board, "a").await, None);
        let removed = fixture.read_events(&board).await.pop().unwrap();
        assert_eq!(removed.position, 6);
        assert_eq!(removed.event.body, EventBody::Removed { player: player("a"), period: fixture.current_period(&board) });
        let again = fixture.submit_score(&board, "a", 1).await;
        assert_eq!((again.status, again.rank, again.previous), (Status::Created, Some(2), None));
        let found = fixture.page(&board, &PageFrom::Top, 10).await;
        assert_eq!(found.entries[1].entry.attempts, 1);
    }

    async fn the_removal_of_a_missing_entry_changes_nothing(fixture) {
        let board = fixture.put(&board("l")).await;
        assert_eq!(fixture.remove(&board, "a").await, None);
        fixture.submit_score(&board, "b", 1).await;
        assert_eq!(fixture.remove(&board, "a").await, None);
        assert_eq!(fixture.read_events(&board).await.len(), 2);
    }

    async fn an_entry_of_a_banned_player_can_be_removed(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "a", 2).await;
        fixture.submit_score(&board, "b", 1).await;
        fixture.ban("a").await;
        assert_eq!(fixture.remove(&board, "a").await, Some(5));
        fixture.unban("a").await;
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "b", 1)]);
        assert_eq!(fixture.read_events(&board).await.len(), 5);
    }

    async fn a_period_keeps_its_layout_after_the_removal_of_its_last_entry(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "a", 2).await;
        fixture.remove(&board, "a").await;
        let page = fixture.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((page.layout, page.version, page.count), (Some(board.value.layout()), 3, 0));
    }

    async fn a_removal_with_a_stale_configuration_is_refused(fixture) {
        let old = fixture.put(&board("l")).await;
        fixture.submit_score(&old, "a", 2).await;
        let new = fixture.put(&Leaderboard { title: "New".into(), ..board("l") }).await;
        let period = fixture.current_period(&old);
        let refused = fixture.store.remove(&fixture.period_ref(&old, &period), &player("a"), fixture.now()).await;
        assert_eq!(refused, Err(ReadError::StaleConfiguration));
        assert_eq!(fixture.list_entries(&new).await, [ranked_line(1, "a", 2)]);
    }
}
