//! Removing an entry.

use leaderboard_core::ports::{PageFrom, ReadError, Scores};
use leaderboard_core::{EventBody, Leaderboard, Status};

use crate::given::{board, player};
use crate::harness::{line, on_both_stores};

on_both_stores! {
    async fn the_entry_and_its_attempts_are_gone(world) {
        let board = world.put(&board("l")).await;
        for value in [1, 2, 3] {
            world.score(&board, "a", value).await;
        }
        world.score(&board, "b", 1).await;
        assert_eq!(world.remove(&board, "a").await, Some(6));
        let page = world.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((page.version, page.count), (6, 1));
        assert_eq!(world.list(&board).await, [line(1, "b", 1)]);
        assert_eq!(world.rank(&board, "a").await, None);
        let removed = world.events(&board).await.pop().unwrap();
        assert_eq!(removed.position, 6);
        assert_eq!(removed.event.body, EventBody::Removed { player: player("a"), period: world.period(&board) });
        let again = world.score(&board, "a", 1).await;
        assert_eq!((again.status, again.rank, again.previous), (Status::Created, Some(2), None));
        let found = world.page(&board, &PageFrom::Top, 10).await;
        assert_eq!(found.entries[1].entry.attempts, 1);
    }

    async fn who_is_not_there_is_not_removed(world) {
        let board = world.put(&board("l")).await;
        assert_eq!(world.remove(&board, "a").await, None);
        world.score(&board, "b", 1).await;
        assert_eq!(world.remove(&board, "a").await, None);
        assert_eq!(world.events(&board).await.len(), 2);
    }

    async fn a_hidden_entry_can_be_removed(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "a", 2).await;
        world.score(&board, "b", 1).await;
        world.hide("a").await;
        assert_eq!(world.remove(&board, "a").await, Some(5));
        world.restore("a").await;
        assert_eq!(world.list(&board).await, [line(1, "b", 1)]);
        assert_eq!(world.events(&board).await.len(), 5);
    }

    async fn the_last_entry_leaves_an_ordered_period_behind(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "a", 2).await;
        world.remove(&board, "a").await;
        let page = world.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((page.layout, page.version, page.count), (Some(board.value.layout()), 3, 0));
    }

    async fn a_configuration_that_is_not_the_current_one_removes_nothing(world) {
        let old = world.put(&board("l")).await;
        world.score(&old, "a", 2).await;
        let new = world.put(&Leaderboard { title: "New".into(), ..board("l") }).await;
        let period = world.period(&old);
        let refused = world.store.remove(&world.place(&old, &period), &player("a"), world.now()).await;
        assert_eq!(refused, Err(ReadError::StaleConfiguration));
        assert_eq!(world.list(&new).await, [line(1, "a", 2)]);
    }
}
