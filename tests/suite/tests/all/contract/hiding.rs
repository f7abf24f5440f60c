//! The shadow ban: everyone else closes ranks, the player sees no difference, and it can be undone.

use leaderboard_core::EventBody;
use leaderboard_core::ports::{Ban, Bans, PageFrom};

use crate::given::{DAY_MS, board, daily, player, tenant};
use crate::harness::{line, on_both_stores, put_in};

on_both_stores! {
    async fn everyone_closes_ranks_and_opens_them_again(world) {
        let board = world.put(&board("l")).await;
        for (name, value) in [("a", 9), ("b", 7), ("c", 5)] {
            world.score(&board, name, value).await;
        }
        let before = world.page(&board, &PageFrom::Top, 10).await;
        world.hide("b").await;
        let page = world.page(&board, &PageFrom::Top, 10).await;
        assert_eq!(crate::harness::lines(&page.entries), [line(1, "a", 9), line(2, "c", 5)]);
        assert_eq!((page.count, page.version), (2, 5));
        world.restore("b").await;
        let after = world.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((after.entries, after.count, after.version), (before.entries, 3, 6));
        let bodies: Vec<_> = world.events(&board).await.into_iter().skip(4).map(|e| (e.event.recorded_at, e.event.body)).collect();
        assert_eq!(bodies, [
            (world.now(), EventBody::Banned { player: player("b") }),
            (world.now(), EventBody::Unbanned { player: player("b") }),
        ]);
    }

    async fn doing_it_twice_is_doing_it_once(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "a", 9).await;
        world.restore("a").await;
        world.hide("a").await;
        world.hide("a").await;
        assert_eq!(world.events(&board).await.len(), 3);
        world.restore("a").await;
        world.restore("a").await;
        assert_eq!(world.events(&board).await.len(), 4);
        assert_eq!(world.list(&board).await, [line(1, "a", 9)]);
    }

    async fn scores_to_come_are_hidden_too_and_do_not_show_it(world) {
        let board = world.put(&board("l")).await;
        world.hide("b").await;
        world.score(&board, "a", 9).await;
        let first = world.score(&board, "b", 10).await;
        assert_eq!((first.rank, first.version), (Some(1), 3));
        let worse = world.score(&board, "b", 8).await;
        assert_eq!((worse.rank, worse.previous.unwrap().rank), (Some(2), Some(1)));
        assert_eq!(world.score(&board, "a", 1).await.rank, Some(1));
        assert_eq!(world.list(&board).await, [line(1, "a", 1)]);
        let flags: Vec<bool> = world.events(&board).await.into_iter().filter_map(|event| match event.event.body {
            EventBody::Submitted { banned, .. } => Some(banned),
            _ => None,
        }).collect();
        assert_eq!(flags, [false, true, true, false]);
        world.restore("b").await;
        assert_eq!(world.list(&board).await, [line(1, "b", 8), line(2, "a", 1)]);
    }

    async fn it_reaches_every_leaderboard_and_period_where_the_player_is(world) {
        let (one, two, three) = (world.put(&daily("one")).await, world.put(&board("two")).await, world.put(&board("three")).await);
        for board in [&one, &two] {
            world.score(board, "a", 1).await;
            world.score(board, "b", 2).await;
        }
        world.score(&three, "b", 2).await;
        let yesterday = world.period(&one);
        world.pass_ms(DAY_MS);
        world.score(&one, "a", 1).await;
        world.hide("a").await;
        assert_eq!(world.list(&one).await, []);
        assert_eq!(world.list(&two).await, [line(1, "b", 2)]);
        let old = world.page_of(&one, &yesterday, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(crate::harness::lines(&old.entries), [line(1, "b", 2)]);
        let today = world.page(&one, &PageFrom::Top, 10).await;
        assert_eq!((old.version, today.version, today.count), (5, 5, 0));
        assert_eq!(world.events(&one).await.len(), 5);
        assert_eq!(world.events(&three).await.len(), 2);
    }

    async fn another_tenant_knows_nothing_of_it(world) {
        let other = tenant("other");
        let mine = world.put(&board("l")).await;
        world.score(&mine, "a", 1).await;
        put_in(&world.store, &other, &board("l"), leaderboard_core::ports::Expected::Any, false, world.now()).await.unwrap();
        world.store.ban(&other, &Ban::new(player("a"), world.now()))
.await
.unwrap()
.unwrap();
        assert_eq!(world.list(&mine).await, [line(1, "a", 1)]);
        assert_eq!(world.events(&mine).await.len(), 2);
    }

    async fn a_leaderboard_made_later_hides_too(world) {
        world.hide("a").await;
        let board = world.put(&board("l")).await;
        world.score(&board, "a", 1).await;
        world.score(&board, "b", 0).await;
        assert_eq!(world.list(&board).await, [line(1, "b", 0)]);
        assert_eq!(world.rank(&board, "a").await, Some(1));
    }
}
