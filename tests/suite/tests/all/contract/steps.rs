//! Work that is too much for one call: a call does a bounded step and says that more is left.

use leaderboard_core::ports::{
    Expected, Leaderboards, PageFrom, PutLeaderboard, PutRefusal, REBUILD_LEASE_MS, REBUILD_STEP_ENTRIES,
    RateLimits, Scores,
};
use leaderboard_core::{Column, Columns, Leaderboard, Order, PreparedSubmission, RefusalReason, Ties};

use crate::given::{Board, DAY_MS, board, daily, id, resolved, submission};
use crate::harness::{Harness, World, on_both_stores};

/// How many entries a rebuild of these tests has: two whole steps, and a part.
const ENTRIES: usize = 2_300;

/// A leaderboard with `p0`, the worst, to the last player, each with the score of its number; every tenth is banned.
async fn filled<H: Harness>(world: &World<H>) -> Board {
    let board = world.put(&board("l")).await;
    for name in (0..ENTRIES).step_by(230) {
        world.hide(&format!("p{name}")).await;
    }
    let attempts: Vec<PreparedSubmission> = (0..ENTRIES)
        .map(|n| {
            let score = i64::try_from(n).unwrap();
            resolved(
                &submission(&[&board], &format!("p{n}"), &[score]),
                &[&board],
                world.now(),
            )
        })
        .collect();
    assert!(world.settle(&attempts).await.iter().all(Result::is_ok));
    board
}

/// One call of a put that rebuilds.
async fn step<H: Harness>(world: &World<H>, leaderboard: &Leaderboard) -> Result<(u64, bool), PutRefusal> {
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant: &world.tenant,
        leaderboard,
        expected: Expected::Any,
        current: &leaderboard.schedule.period_at(world.now()).id,
        rebuild: true,
        expiries: &[],
        at: world.now(),
    };
    world.store.put(&put).await.unwrap()
}

/// The order of the test, turned round: the lowest first, in the same column, ranks dense.
fn turned() -> Leaderboard {
    Leaderboard {
        columns: Columns::new(vec![Column::new("score", Order::Ascending).unwrap()]).unwrap(),
        ties: Ties::Dense,
        ..board("l")
    }
}

async fn first<H: Harness>(world: &World<H>, board: &Board) -> (u64, String) {
    let page = world.page(board, &PageFrom::Top, 1).await;
    (page.count, page.entries[0].entry.player.to_string())
}

/// The whole list, by name.
async fn names<H: Harness>(world: &World<H>, board: &Board) -> Vec<String> {
    let mut names = Vec::new();
    let mut from = PageFrom::Top;
    loop {
        let page = world.page(board, &from, 1000).await;
        names.extend(page.entries.iter().map(|ranked| ranked.entry.player.to_string()));
        let Some(last) = page.entries.last().filter(|_| page.more_after) else {
            return names;
        };
        let layout = page.layout.unwrap();
        from = PageFrom::After(layout.key(&last.entry.values, last.entry.reached_at, &last.entry.player));
    }
}

/// The names of those that are shown, the lowest first.
fn lowest_first() -> Vec<String> {
    let shown = (0..ENTRIES).filter(|n| n % 230 != 0);
    shown.map(|n| format!("p{n}")).collect()
}

on_both_stores! {
    async fn a_large_rebuild_takes_steps_and_nobody_sees_the_half_of_it(world) {
        let old = filled(&world).await;
        let visible = (ENTRIES - 10) as u64;
        let steps = (ENTRIES as u64).div_ceil(REBUILD_STEP_ENTRIES);
        for _ in 1..steps {
            assert_eq!(step(&world, &turned()).await, Err(PutRefusal::Unfinished));
            // The configuration and the order are the old ones, and no score gets in between.
            assert_eq!(world.current(&board("l")).await, old);
            assert_eq!(first(&world, &old).await, (visible, format!("p{}", ENTRIES - 1)));
            assert_eq!(world.refused(&old, "p5", 9_999).await, RefusalReason::Rebuilding);
            assert_eq!(world.refused(&old, "new", 9_999).await, RefusalReason::Rebuilding);
        }
        let (_, created) = step(&world, &turned()).await.unwrap();
        assert!(!created);
        let new = world.current(&board("l")).await;
        assert_eq!(names(&world, &new).await, lowest_first());
        // Dense ranks count what was copied, and banned players are still there.
        assert_eq!(world.score(&new, "p7", 8).await.rank, Some(7));
        world.restore("p0").await;
        assert_eq!(first(&world, &new).await, (visible + 1, "p0".to_owned()));
        let (_, held) = world.store.usage(&world.tenant, 1).await.unwrap();
        assert_eq!(held.entries, ENTRIES as u64);
        // The same call once more changes nothing.
        assert!(step(&world, &turned()).await.is_ok());
        assert_eq!(first(&world, &new).await, (visible + 1, "p0".to_owned()));
    }

    async fn a_removal_and_a_ban_are_done_and_make_it_begin_again(world) {
        let old = filled(&world).await;
        assert_eq!(step(&world, &turned()).await, Err(PutRefusal::Unfinished));
        assert!(world.remove(&old, "p1").await.is_some());
        assert_eq!(step(&world, &turned()).await, Err(PutRefusal::Unfinished));
        assert_eq!(step(&world, &turned()).await, Err(PutRefusal::Unfinished));
        world.hide("p2").await;
        world.restore("p0").await;
        let mut steps = 0;
        while step(&world, &turned()).await == Err(PutRefusal::Unfinished) {
            steps += 1;
        }
        assert_eq!(steps, 2);
        let new = world.current(&board("l")).await;
        let found = names(&world, &new).await;
        assert_eq!(found[..3], ["p0".to_owned(), "p3".into(), "p4".into()]);
        assert_eq!(found.len(), ENTRIES - 10 - 1);
    }

    async fn another_order_begins_again(world) {
        filled(&world).await;
        let latest = Leaderboard { ties: Ties::Latest, ..turned() };
        assert_eq!(step(&world, &latest).await, Err(PutRefusal::Unfinished));
        assert_eq!(step(&world, &latest).await, Err(PutRefusal::Unfinished));
        for _ in 0..2 {
            assert_eq!(step(&world, &turned()).await, Err(PutRefusal::Unfinished));
        }
        assert!(step(&world, &turned()).await.is_ok());
        let new = world.current(&board("l")).await;
        assert_eq!(names(&world, &new).await, lowest_first());
    }

    async fn a_rebuild_that_nobody_goes_on_with_ends_by_itself(world) {
        let old = filled(&world).await;
        assert_eq!(step(&world, &turned()).await, Err(PutRefusal::Unfinished));
        assert_eq!(world.refused(&old, "p5", 9_999).await, RefusalReason::Rebuilding);
        // One store goes by the clock of the call, the other one by its own.
        world.pass_ms(REBUILD_LEASE_MS);
        tokio::time::sleep(std::time::Duration::from_millis(REBUILD_LEASE_MS.unsigned_abs() + 100)).await;
        assert_eq!(world.score(&old, "p5", 9_999).await.rank, Some(1));
        let mut steps = 0;
        while step(&world, &turned()).await == Err(PutRefusal::Unfinished) {
            steps += 1;
        }
        assert_eq!(steps, 2, "it began again");
        let new = world.current(&board("l")).await;
        assert_eq!(names(&world, &new).await.last().unwrap(), "p5");
    }

    async fn a_deleted_leaderboard_is_gone_at_once_and_its_data_in_steps(world) {
        let old = filled(&world).await;
        assert_eq!(step(&world, &turned()).await, Err(PutRefusal::Unfinished));
        let deleted = world.store.delete(&world.tenant, &id("l"), Expected::Any).await;
        assert_eq!(deleted, Ok(Ok(true)));
        assert_eq!(world.configuration(&board("l")).await, None);
        assert_eq!(world.refused(&old, "p5", 1).await, RefusalReason::StaleConfiguration);
        // The id is free, and nothing of before shows.
        let new = world.put(&board("l")).await;
        world.score(&new, "p5", 1).await;
        assert_eq!(first(&world, &new).await, (1, "p5".to_owned()));
        let mut steps = 0;
        while world.store.sweep(&world.tenant).await.unwrap() {
            steps += 1;
            assert!(steps < 1_000);
        }
        assert_eq!(first(&world, &new).await, (1, "p5".to_owned()));
        let (_, held) = world.store.usage(&world.tenant, 1).await.unwrap();
        assert_eq!((held.leaderboards, held.entries), (1, 1));
        assert_eq!(world.store.delete(&world.tenant, &id("none"), Expected::Any).await, Ok(Ok(false)));
    }

    async fn many_periods_are_deleted_in_steps_before_the_id_begins_anew(world) {
        let many = Leaderboard { keep_periods: 1000, ..daily("l") };
        let old = world.put(&many).await;
        for _ in 0..450 {
            world.score(&old, "p", 1).await;
            world.pass_ms(DAY_MS);
        }
        let place = world.period(&old);
        world.score(&old, "p", 1).await;
        assert_eq!(world.store.delete(&world.tenant, &id("l"), Expected::Any).await, Ok(Ok(true)));
        let mut calls = 1;
        while step(&world, &many).await == Err(PutRefusal::Unfinished) {
            calls += 1;
        }
        assert!(calls <= 3, "{calls}");
        let new = world.current(&many).await;
        assert_eq!(world.store.periods(&world.tenant, &id("l"), world.now()).await.unwrap(), []);
        let page = world.page_of(&new, &place, &PageFrom::Top, 10).await.unwrap();
        assert_eq!((page.count, page.layout), (0, None));
        world.score(&new, "p", 1).await;
        while world.store.sweep(&world.tenant).await.unwrap() {}
        assert_eq!(world.rank(&new, "p").await, Some(1));
    }
}
