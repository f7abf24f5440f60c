//! Bans: their records, their end, and what the banned player sees.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Ban, Bans, PageFrom, Scores};
use leaderboard_core::{EventBody, PlayerId, Ties, Timestamp};

use crate::given::{board, player, with_ties};
use crate::harness::{line, lines, on_both_stores};

fn until(name: &str, now: Timestamp, ms: i64) -> Ban {
    Ban {
        reason: Some(format!("cheated: {name}")),
        expires_at: Some(now.saturating_add_ms(ms)),
        ..Ban::new(player(name), now)
    }
}

on_both_stores! {
    async fn a_ban_ends_by_itself(world) {
        let board = world.put(&board("l")).await;
        for (name, value) in [("a", 9), ("b", 7)] {
            world.score(&board, name, value).await;
        }
        let begin = world.now();
        world.store.ban(&world.tenant, &until("a", begin, 1000)).await.unwrap().unwrap();
        world.pass_ms(999);
        assert_eq!(world.list(&board).await, [line(1, "b", 7)]);
        world.pass_ms(1);
        assert_eq!(world.store.find_ban(&world.tenant, &player("a"), world.now()).await.unwrap(), None);
        assert_eq!(world.store.list_bans(&world.tenant, None, 10, world.now()).await.unwrap(), []);
        assert_eq!(world.list(&board).await, [line(1, "a", 9), line(2, "b", 7)]);
        let last = world.events(&board).await.pop().unwrap().event;
        assert_eq!(last.body, EventBody::Unbanned { player: player("a") });
        assert_eq!(last.recorded_at, begin.saturating_add_ms(1000));
        // A score after the end counts at once, also where nobody has read since.
        world.store.ban(&world.tenant, &until("b", world.now(), 1000)).await.unwrap().unwrap();
        world.pass_ms(1000);
        assert_eq!(world.score(&board, "b", 10).await.rank, Some(1));
        assert_eq!(world.list(&board).await, [line(1, "b", 10), line(2, "a", 9)]);
    }

    async fn a_ban_is_read_back_and_changed(world) {
        let begin = world.now();
        let first = until("a", begin, 1000);
        world.store.ban(&world.tenant, &first).await.unwrap().unwrap();
        assert_eq!(world.store.find_ban(&world.tenant, &player("a"), begin).await.unwrap(), Some(first));
        world.pass_ms(500);
        // Once more: why and until when are others, since when is not.
        let second = Ban::new(player("a"), world.now());
        world.store.ban(&world.tenant, &second).await.unwrap().unwrap();
        world.pass_ms(1000);
        let expected = Ban::new(player("a"), begin);
        assert_eq!(world.store.find_ban(&world.tenant, &player("a"), world.now()).await.unwrap(), Some(expected));
        world.restore("a").await;
        assert_eq!(world.store.find_ban(&world.tenant, &player("a"), world.now()).await.unwrap(), None);
    }

    async fn bans_are_listed_in_the_order_of_their_players(world) {
        for name in ["d", "b", "é", "a", "c"] {
            let ban = if name == "b" { until(name, world.now(), 10) } else { Ban::new(player(name), world.now()) };
            world.store.ban(&world.tenant, &ban).await.unwrap().unwrap();
        }
        world.pass_ms(10);
        let list = async |after: Option<&PlayerId>, limit| -> Vec<String> {
            let found = world.store.list_bans(&world.tenant, after, limit, world.now()).await.unwrap();
            found.into_iter().map(|ban| ban.player.to_string()).collect()
        };
        assert_eq!(list(None, 10).await, ["a", "c", "d", "é"]);
        assert_eq!(list(None, 2).await, ["a", "c"]);
        assert_eq!(list(Some(&player("c")), 2).await, ["d", "é"]);
        assert_eq!(list(Some(&player("é")), 2).await, Vec::<String>::new());
    }

    async fn a_banned_player_sees_the_list_as_if_nothing_were(world) {
        for (number, ties) in [Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense].into_iter().enumerate() {
            let board = world.put(&with_ties(&format!("l{number}"), ties)).await;
            for (name, value) in [("a", 9), ("b", 7), ("c", 7), ("d", 5), ("e", 5), ("f", 1)] {
                world.score(&board, name, value).await;
            }
            let period = world.period(&board);
            let whole = world.page(&board, &PageFrom::Top, 10).await;
            let layout = whole.layout.clone().unwrap();
            let keys: Vec<_> = whole.entries.iter()
                .map(|ranked| layout.key(&ranked.entry.values, ranked.entry.reached_at, &ranked.entry.player))
                .collect();
            for banned in ["a", "c", "f"] {
                world.hide(banned).await;
                let own = Caller::Player(player(banned));
                let place = world.place(&board, &period);
                let page = world.store.page(&place, &PageFrom::Top, 10, &own).await.unwrap();
                assert_eq!((&page.entries, page.count), (&whole.entries, 6), "{banned} {ties:?}");
                for (at, key) in keys.iter().enumerate() {
                    let after = world.store.page(&place, &PageFrom::After(key.clone()), 2, &own).await.unwrap();
                    assert_eq!(after.entries, whole.entries[at + 1..(at + 3).min(6)], "after {at} {banned} {ties:?}");
                    assert_eq!((after.more_before, after.more_after), (true, at + 3 < 6));
                    let before = world.store.page(&place, &PageFrom::Before(key.clone()), 2, &own).await.unwrap();
                    assert_eq!(before.entries, whole.entries[at.saturating_sub(2)..at], "before {at} {banned} {ties:?}");
                }
                for (at, ranked) in whole.entries.iter().enumerate() {
                    let window = world.store.around(&place, &ranked.entry.player, 3, &own).await.unwrap().unwrap();
                    let start = at.saturating_sub(1).min(3);
                    assert_eq!((window.entries.as_slice(), window.count), (&whole.entries[start..start + 3], 6));
                    let alone = world.store.entries_by_player(&place, std::slice::from_ref(&ranked.entry.player), &own).await.unwrap();
                    assert_eq!((alone.entries.as_slice(), alone.count), (std::slice::from_ref(ranked), 6));
                }
                let names: Vec<PlayerId> = whole.entries.iter().map(|ranked| ranked.entry.player.clone()).collect();
                let all = world.store.entries_by_player(&place, &names, &own).await.unwrap();
                assert_eq!((all.entries, all.count), (whole.entries.clone(), 6));
                // Everybody else never sees them, also a player of another name.
                for other in [Caller::Anonymous, Caller::Reader, Caller::Player(player("b"))] {
                    let page = world.store.page(&place, &PageFrom::Top, 10, &other).await.unwrap();
                    assert!(lines(&page.entries).iter().all(|(_, name, _)| name != banned));
                    assert_eq!(page.count, 5);
                }
                world.restore(banned).await;
            }
        }
    }
}
