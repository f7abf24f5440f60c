//! Tests of work that is too large for one call: each call does a bounded step and reports that more is left.

use leaderboard_core::ports::{
    Expected, Leaderboards, PageFrom, PutLeaderboard, PutRefusal, REBUILD_LEASE_MS, REBUILD_STEP_ENTRIES,
    RateLimits, Scores,
};
use leaderboard_core::{Column, Columns, Leaderboard, Order, PreparedSubmission, RefusalReason, Ties};
use leaderboard_test_support::values::{Board, DAY_MS, board, daily, id, prepared, submission};
use leaderboard_test_support::{StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

/// The number of entries of the leaderboard: its rebuild takes two whole steps and a part of a third.
const ENTRIES: usize = 2_300;

/// Creates a leaderboard with the players `p0` to `p2299`. The score of each player is the player's number.
/// Every 230th player is banned, which makes ten.
async fn put_filled_leaderboard<B: StoreBackend>(fixture: &StoreFixture<B>) -> Board {
    let board = fixture.put(&board("l")).await;
    for name in (0..ENTRIES).step_by(230) {
        fixture.ban(&format!("p{name}")).await;
    }
    let prepared_submissions: Vec<PreparedSubmission> = (0..ENTRIES)
        .map(|n| {
            let score = i64::try_from(n).unwrap();
            prepared(
                &submission(&[&board], &format!("p{n}"), &[score]),
                &[&board],
                fixture.now(),
            )
        })
        .collect();
    assert!(
        fixture
            .submit_prepared(&prepared_submissions)
            .await
            .iter()
            .all(Result::is_ok)
    );
    board
}

/// Makes one call that stores a configuration and may rebuild the entries.
async fn put_with_rebuild<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    leaderboard: &Leaderboard,
) -> Result<(u64, bool), PutRefusal> {
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant: &fixture.tenant,
        leaderboard,
        expected: Expected::Any,
        current: &leaderboard.schedule.period_at(fixture.now()).id,
        rebuild: true,
        verified: None,
        expiries: &[],
        at: fixture.now(),
    };
    fixture.store.put(&put).await.unwrap()
}

/// Returns the leaderboard in the opposite order: the lowest score first, in the same column, with dense
/// ranks.
fn reversed_leaderboard() -> Leaderboard {
    Leaderboard {
        columns: Columns::new(vec![Column::new("score", Order::Ascending).unwrap()]).unwrap(),
        ties: Ties::Dense,
        ..board("l")
    }
}

/// Returns the number of visible entries, and the first player of the list.
async fn read_first<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board) -> (u64, String) {
    let page = fixture.page(board, &PageFrom::Top, 1).await;
    (page.count, page.entries[0].entry.player.to_string())
}

/// Returns the players of the whole list, in its order.
async fn list_players<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board) -> Vec<String> {
    let mut names = Vec::new();
    let mut from = PageFrom::Top;
    loop {
        let page = fixture.page(board, &from, 1000).await;
        names.extend(page.entries.iter().map(|ranked| ranked.entry.player.to_string()));
        let Some(last) = page.entries.last().filter(|_| page.more_after) else {
            return names;
        };
        let layout = page.layout.unwrap();
        from = PageFrom::After(layout.key(&last.entry.values, last.entry.reached_at, &last.entry.player));
    }
}

/// Returns the players that are not banned, the lowest score first.
fn visible_players_lowest_first() -> Vec<String> {
    let visible = (0..ENTRIES).filter(|n| n % 230 != 0);
    visible.map(|n| format!("p{n}")).collect()
}

on_both_stores! {
    async fn a_large_rebuild_takes_steps_and_shows_no_partial_result(fixture) {
        let old = put_filled_leaderboard(&fixture).await;
        let visible = (ENTRIES - 10) as u64;
        let steps = (ENTRIES as u64).div_ceil(REBUILD_STEP_ENTRIES);
        for _ in 1..steps {
            assert_eq!(put_with_rebuild(&fixture, &reversed_leaderboard()).await, Err(PutRefusal::Unfinished));
            // Until the last step, the configuration and the order are the old ones, and scores are refused.
            assert_eq!(fixture.read_leaderboard(&board("l")).await, old);
            assert_eq!(read_first(&fixture, &old).await, (visible, format!("p{}", ENTRIES - 1)));
            assert_eq!(fixture.refused_score(&old, "p5", 9_999).await, RefusalReason::Rebuilding);
            assert_eq!(fixture.refused_score(&old, "new", 9_999).await, RefusalReason::Rebuilding);
        }
        let (_, created) = put_with_rebuild(&fixture, &reversed_leaderboard()).await.unwrap();
        assert!(!created);
        let new = fixture.read_leaderboard(&board("l")).await;
        assert_eq!(list_players(&fixture, &new).await, visible_players_lowest_first());
        // Dense ranks count the copied entries, and banned players still have their entries.
        assert_eq!(fixture.submit_score(&new, "p7", 8).await.rank, Some(7));
        fixture.unban("p0").await;
        assert_eq!(read_first(&fixture, &new).await, (visible + 1, "p0".to_owned()));
        let (_, held) = fixture.store.usage(&fixture.tenant, 1).await.unwrap();
        assert_eq!(held.entries, ENTRIES as u64);
        // A repeat of the last call changes nothing.
        assert!(put_with_rebuild(&fixture, &reversed_leaderboard()).await.is_ok());
        assert_eq!(read_first(&fixture, &new).await, (visible + 1, "p0".to_owned()));
    }

    async fn a_removal_or_a_ban_restarts_the_rebuild(fixture) {
        let old = put_filled_leaderboard(&fixture).await;
        assert_eq!(put_with_rebuild(&fixture, &reversed_leaderboard()).await, Err(PutRefusal::Unfinished));
        assert!(fixture.remove(&old, "p1").await.is_some());
        assert_eq!(put_with_rebuild(&fixture, &reversed_leaderboard()).await, Err(PutRefusal::Unfinished));
        assert_eq!(put_with_rebuild(&fixture, &reversed_leaderboard()).await, Err(PutRefusal::Unfinished));
        fixture.ban("p2").await;
        fixture.unban("p0").await;
        let mut steps = 0;
        while put_with_rebuild(&fixture, &reversed_leaderboard()).await == Err(PutRefusal::Unfinished) {
            steps += 1;
        }
        assert_eq!(steps, 2);
        let new = fixture.read_leaderboard(&board("l")).await;
        let found = list_players(&fixture, &new).await;
        assert_eq!(found[..3], ["p0".to_owned(), "p3".into(), "p4".into()]);
        assert_eq!(found.len(), ENTRIES - 10 - 1);
    }

    async fn a_rebuild_into_another_order_starts_from_the_beginning(fixture) {
        put_filled_leaderboard(&fixture).await;
        let latest = Leaderboard { ties: Ties::Latest, ..reversed_leaderboard() };
        assert_eq!(put_with_rebuild(&fixture, &latest).await, Err(PutRefusal::Unfinished));
        assert_eq!(put_with_rebuild(&fixture, &latest).await, Err(PutRefusal::Unfinished));
        for _ in 0..2 {
            assert_eq!(put_with_rebuild(&fixture, &reversed_leaderboard()).await, Err(PutRefusal::Unfinished));
        }
        assert!(put_with_rebuild(&fixture, &reversed_leaderboard()).await.is_ok());
        let new = fixture.read_leaderboard(&board("l")).await;
        assert_eq!(list_players(&fixture, &new).await, visible_players_lowest_first());
    }

    async fn an_abandoned_rebuild_ends_after_its_lease(fixture) {
        let old = put_filled_leaderboard(&fixture).await;
        assert_eq!(put_with_rebuild(&fixture, &reversed_leaderboard()).await, Err(PutRefusal::Unfinished));
        assert_eq!(fixture.refused_score(&old, "p5", 9_999).await, RefusalReason::Rebuilding);
        // One store uses the time of the call and the other store its own clock, so both times must pass.
        fixture.advance_ms(REBUILD_LEASE_MS);
        tokio::time::sleep(std::time::Duration::from_millis(REBUILD_LEASE_MS.unsigned_abs() + 100)).await;
        assert_eq!(fixture.submit_score(&old, "p5", 9_999).await.rank, Some(1));
        let mut steps = 0;
        while put_with_rebuild(&fixture, &reversed_leaderboard()).await == Err(PutRefusal::Unfinished) {
            steps += 1;
        }
        assert_eq!(steps, 2, "the rebuild must start from the beginning");
        let new = fixture.read_leaderboard(&board("l")).await;
        assert_eq!(list_players(&fixture, &new).await.last().unwrap(), "p5");
    }

    async fn a_deleted_leaderboard_is_gone_at_once_and_its_data_in_steps(fixture) {
        let old = put_filled_leaderboard(&fixture).await;
        assert_eq!(put_with_rebuild(&fixture, &reversed_leaderboard()).await, Err(PutRefusal::Unfinished));
        let deleted = fixture.store.delete(&fixture.tenant, &id("l"), Expected::Any).await;
        assert_eq!(deleted, Ok(Ok(true)));
        assert_eq!(fixture.find_leaderboard(&board("l")).await, None);
        assert_eq!(fixture.refused_score(&old, "p5", 1).await, RefusalReason::StaleConfiguration);
        // The id can be used again, and the new leaderboard has none of the old entries.
        let new = fixture.put(&board("l")).await;
        fixture.submit_score(&new, "p5", 1).await;
        assert_eq!(read_first(&fixture, &new).await, (1, "p5".to_owned()));
        let mut steps = 0;
        while fixture.store.sweep(&fixture.tenant).await.unwrap() {
            steps += 1;
            assert!(steps < 1_000);
        }
        assert_eq!(read_first(&fixture, &new).await, (1, "p5".to_owned()));
        let (_, held) = fixture.store.usage(&fixture.tenant, 1).await.unwrap();
        assert_eq!((held.leaderboards, held.entries), (1, 1));
        assert_eq!(fixture.store.delete(&fixture.tenant, &id("none"), Expected::Any).await, Ok(Ok(false)));
    }

    async fn many_periods_are_deleted_in_steps_before_the_id_is_reused(fixture) {
        let many = Leaderboard { keep_periods: 1000, ..daily("l") };
        let old = fixture.put(&many).await;
        for _ in 0..450 {
            fixture.submit_score(&old, "p", 1).await;
            fixture.advance_ms(DAY_MS);
        }
        let last_period = fixture.current_period(&old);
        fixture.submit_score(&old, "p", 1).await;
        assert_eq!(fixture.store.delete(&fixture.tenant, &id("l"), Expected::Any).await, Ok(Ok(true)));
        let mut calls = 1;
        while put_with_rebuild(&fixture, &many).await == Err(PutRefusal::Unfinished) {
            calls += 1;
        }
        assert!(calls <= 3, "{calls}");
        let new = fixture.read_leaderboard(&many).await;
        assert_eq!(fixture.store.periods(&fixture.tenant, &id("l"), fixture.now()).await.unwrap(), []);
        let page = fixture.page_of(&new, &last_period, &PageFrom::Top, 10).await.unwrap();
        assert_eq!((page.count, page.layout), (0, None));
        fixture.submit_score(&new, "p", 1).await;
        while fixture.store.sweep(&fixture.tenant).await.unwrap() {}
        assert_eq!(fixture.find_rank(&new, "p").await, Some(1));
    }
}
