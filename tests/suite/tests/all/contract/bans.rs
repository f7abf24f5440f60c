//! Tests of bans: their records, their end, and the list that the banned player sees.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Ban, Bans, PageFrom, Scores};
use leaderboard_core::{EventBody, PlayerId, Ties, Timestamp};
use leaderboard_test_support::values::{board, player, with_ties};
use leaderboard_test_support::{ranked_line, ranked_lines};

use crate::cases::on_both_stores;

/// Returns a ban with a reason that ends `ms` milliseconds after `now`.
fn temporary_ban(name: &str, now: Timestamp, ms: i64) -> Ban {
    Ban {
        reason: Some(format!("cheated: {name}")),
        expires_at: Some(now.saturating_add_ms(ms)),
        ..Ban::new(player(name), now)
    }
}

on_both_stores! {
    async fn a_ban_ends_at_its_expiry(fixture) {
        let board = fixture.put(&board("l")).await;
        for (name, value) in [("a", 9), ("b", 7)] {
            fixture.submit_score(&board, name, value).await;
        }
        let begin = fixture.now();
        fixture.store.ban(&fixture.tenant, &temporary_ban("a", begin, 1000)).await.unwrap().unwrap();
        fixture.advance_ms(999);
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "b", 7)]);
        fixture.advance_ms(1);
        assert_eq!(fixture.store.find_ban(&fixture.tenant, &player("a"), fixture.now()).await.unwrap(), None);
        assert_eq!(fixture.store.list_bans(&fixture.tenant, None, 10, fixture.now()).await.unwrap(), []);
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "a", 9), ranked_line(2, "b", 7)]);
        let last = fixture.read_events(&board).await.pop().unwrap().event;
        assert_eq!(last.body, EventBody::Unbanned { player: player("a") });
        assert_eq!(last.recorded_at, begin.saturating_add_ms(1000));
        // A score after the end of a ban counts at once, although no read came before it.
        fixture.store.ban(&fixture.tenant, &temporary_ban("b", fixture.now(), 1000)).await.unwrap().unwrap();
        fixture.advance_ms(1000);
        assert_eq!(fixture.submit_score(&board, "b", 10).await.rank, Some(1));
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "b", 10), ranked_line(2, "a", 9)]);
    }

    async fn a_ban_is_read_back_and_changed(fixture) {
        let begin = fixture.now();
        let first = temporary_ban("a", begin, 1000);
        fixture.store.ban(&fixture.tenant, &first).await.unwrap().unwrap();
        assert_eq!(fixture.store.find_ban(&fixture.tenant, &player("a"), begin).await.unwrap(), Some(first));
        fixture.advance_ms(500);
        // A second ban replaces the reason and the end, and keeps the start.
        let second = Ban::new(player("a"), fixture.now());
        fixture.store.ban(&fixture.tenant, &second).await.unwrap().unwrap();
        fixture.advance_ms(1000);
        let expected = Ban::new(player("a"), begin);
        assert_eq!(fixture.store.find_ban(&fixture.tenant, &player("a"), fixture.now()).await.unwrap(), Some(expected));
        fixture.unban("a").await;
        assert_eq!(fixture.store.find_ban(&fixture.tenant, &player("a"), fixture.now()).await.unwrap(), None);
    }

    async fn banned_players_are_found_and_changes_of_bans_are_counted(fixture) {
        let find = async || {
            let players = ["a", "b", "c"].map(player);
            let found = fixture.store.find_banned(&fixture.tenant, &players, fixture.now()).await.unwrap();
            let names: Vec<String> = found.players.iter().map(ToString::to_string).collect();
            (names.concat(), found.changes)
        };
        assert_eq!(find().await, (String::new(), 0));
        fixture.ban("z").await;
        for (name, ms) in [("a", 10), ("b", 20)] {
            fixture.store.ban(&fixture.tenant, &temporary_ban(name, fixture.now(), ms)).await.unwrap().unwrap();
        }
        assert_eq!(find().await, ("ab".into(), 3));
        let nobody = fixture.store.find_banned(&fixture.tenant, &[], fixture.now()).await.unwrap();
        assert_eq!((nobody.players.len(), nobody.changes), (0, 3));
        fixture.advance_ms(10);
        assert_eq!(find().await, ("b".into(), 4));
        // The store ends the ban of `a`, which had ended before.
        fixture.ban("c").await;
        assert_eq!(find().await, ("bc".into(), 5));
        fixture.advance_ms(10);
        fixture.unban("c").await;
        assert_eq!(find().await, (String::new(), 7));
        fixture.unban("c").await;
        assert_eq!(find().await, (String::new(), 7));
    }

    async fn bans_are_listed_in_the_order_of_their_players(fixture) {
        for name in ["d", "b", "é", "a", "c"] {
            let ban = if name == "b" { temporary_ban(name, fixture.now(), 10) } else { Ban::new(player(name), fixture.now()) };
            fixture.store.ban(&fixture.tenant, &ban).await.unwrap().unwrap();
        }
        fixture.advance_ms(10);
        let list = async |after: Option<&PlayerId>, limit| -> Vec<String> {
            let found = fixture.store.list_bans(&fixture.tenant, after, limit, fixture.now()).await.unwrap();
            found.into_iter().map(|ban| ban.player.to_string()).collect()
        };
        assert_eq!(list(None, 10).await, ["a", "c", "d", "é"]);
        assert_eq!(list(None, 2).await, ["a", "c"]);
        assert_eq!(list(Some(&player("c")), 2).await, ["d", "é"]);
        assert_eq!(list(Some(&player("é")), 2).await, Vec::<String>::new());
    }

    async fn a_banned_player_sees_the_same_list_as_before_the_ban(fixture) {
        for (number, ties) in [Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense].into_iter().enumerate() {
            let board = fixture.put(&with_ties(&format!("l{number}"), ties)).await;
            for (name, value) in [("a", 9), ("b", 7), ("c", 7), ("d", 5), ("e", 5), ("f", 1)] {
                fixture.submit_score(&board, name, value).await;
            }
            let period = fixture.current_period(&board);
            let whole = fixture.page(&board, &PageFrom::Top, 10).await;
            let layout = whole.layout.clone().unwrap();
            let keys: Vec<_> = whole.entries.iter()
                .map(|ranked| layout.key(&ranked.entry.values, ranked.entry.reached_at, &ranked.entry.player))
                .collect();
            for banned in ["a", "c", "f"] {
                fixture.ban(banned).await;
                let own = Caller::Player(player(banned));
                let period_ref = fixture.period_ref(&board, &period);
                let page = fixture.store.page(&period_ref, &PageFrom::Top, 10, &own).await.unwrap();
                assert_eq!((&page.entries, page.count), (&whole.entries, 6), "{banned} {ties:?}");
                for (at, key) in keys.iter().enumerate() {
                    let after = fixture.store.page(&period_ref, &PageFrom::After(key.clone()), 2, &own).await.unwrap();
                    assert_eq!(after.entries, whole.entries[at + 1..(at + 3).min(6)], "after {at} {banned} {ties:?}");
                    assert_eq!((after.more_before, after.more_after), (true, at + 3 < 6));
                    let before = fixture.store.page(&period_ref, &PageFrom::Before(key.clone()), 2, &own).await.unwrap();
                    assert_eq!(before.entries, whole.entries[at.saturating_sub(2)..at], "before {at} {banned} {ties:?}");
                }
                for (at, ranked) in whole.entries.iter().enumerate() {
                    let window = fixture.store.around(&period_ref, &ranked.entry.player, 3, &own).await.unwrap().unwrap();
                    let start = at.saturating_sub(1).min(3);
                    assert_eq!((window.entries.as_slice(), window.count), (&whole.entries[start..start + 3], 6));
                    let alone = fixture.store.entries_by_player(&period_ref, std::slice::from_ref(&ranked.entry.player), &own).await.unwrap();
                    assert_eq!((alone.entries.as_slice(), alone.count), (std::slice::from_ref(ranked), 6));
                }
                let names: Vec<PlayerId> = whole.entries.iter().map(|ranked| ranked.entry.player.clone()).collect();
                let all = fixture.store.entries_by_player(&period_ref, &names, &own).await.unwrap();
                assert_eq!((all.entries, all.count), (whole.entries.clone(), 6));
                // Anonymous callers, readers and other players do not see the banned player.
                for other in [Caller::Anonymous, Caller::Reader, Caller::Player(player("b"))] {
                    let page = fixture.store.page(&period_ref, &PageFrom::Top, 10, &other).await.unwrap();
                    assert!(ranked_lines(&page.entries).iter().all(|(_, name, _)| name != banned));
                    assert_eq!(page.count, 5);
                }
                fixture.unban(banned).await;
            }
        }
    }
}
