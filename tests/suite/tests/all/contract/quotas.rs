//! What a tenant may hold: entries and leaderboards.

use leaderboard_core::ports::{
    EntryQuota, Expected, Leaderboards, PutLeaderboard, PutRefusal, RankDetail, RateLimits, Scores,
    SubmitOptions,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, Limits, Outcome, PreparedSubmission, Refusal, RefusalReason, Submission,
    TenantId,
};

use crate::given::{Board, DAY_MS, board, daily, id, resolved, submission, tenant};
use crate::harness::{Harness, World, line, on_both_stores, put_in, with_id};

async fn settle<H: Harness>(
    world: &World<H>,
    attempts: &[PreparedSubmission],
    max_entries: u64,
) -> Vec<Result<Vec<Outcome>, Refusal>> {
    let terms = SubmitOptions {
        max_tenant_entries: Some(max_entries),
        ..SubmitOptions::new(RankDetail::Full)
    };
    let submitted = world
        .store
        .submit_with_options(&world.tenant, attempts, &terms)
        .await;
    submitted.unwrap().answers
}

fn attempt<H: Harness>(world: &World<H>, boards: &[&Board], name: &str) -> PreparedSubmission {
    resolved(&submission(boards, name, &[5]), boards, world.now())
}

/// One score; the leaderboard that had no room for it, if there was none.
async fn score<H: Harness>(
    world: &World<H>,
    boards: &[&Board],
    name: &str,
    most: u64,
) -> Result<(), LeaderboardId> {
    match settle(world, &[attempt(world, boards, name)], most)
        .await
        .remove(0)
    {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), boards.len());
            Ok(())
        }
        Err(refusal) => {
            assert_eq!(refusal.reason, RefusalReason::TenantFull { max_entries: most });
            Err(refusal.leaderboard)
        }
    }
}

/// What a tenant holds: leaderboards and entries. The store's clock decides which periods are still there, so this is
/// for leaderboards that never reset.
async fn holds<H: Harness>(world: &World<H>, tenant: &TenantId) -> (u64, u64) {
    let (_, held) = world.store.usage(tenant, 1).await.unwrap();
    let EntryQuota {
        leaderboards,
        entries,
        ..
    } = held;
    (leaderboards, entries)
}

async fn put<H: Harness>(
    world: &World<H>,
    leaderboard: &Leaderboard,
    expected: Expected,
    most: u64,
) -> Result<bool, PutRefusal> {
    let put = PutLeaderboard {
        max_leaderboards: Some(most),
        tenant: &world.tenant,
        leaderboard,
        expected,
        current: &leaderboard.schedule.period_at(world.now()).id,
        rebuild: false,
        expiries: &[],
        at: world.now(),
    };
    world.store.put(&put).await.unwrap().map(|(_, created)| created)
}

async fn delete<H: Harness>(world: &World<H>, name: &str) {
    let deleted = world.store.delete(&world.tenant, &id(name), Expected::Any).await;
    assert_eq!(deleted.unwrap(), Ok(true));
}

on_both_stores! {
    async fn entries_of_all_leaderboards_and_periods_count(world) {
        let (one, two) = (world.put(&board("one")).await, world.put(&daily("two")).await);
        assert_eq!(score(&world, &[&one], "ann", 3).await, Ok(()));
        assert_eq!(score(&world, &[&two], "ann", 3).await, Ok(()));
        world.pass_ms(DAY_MS);
        assert_eq!(score(&world, &[&two], "ann", 3).await, Ok(()));
        assert_eq!(score(&world, &[&two], "bob", 3).await, Err(id("two")));
        assert_eq!(score(&world, &[&one], "bob", 3).await, Err(id("one")));
        assert_eq!(world.list(&one).await, [line(1, "ann", 5)]);
        assert_eq!(world.events(&one).await.len(), 2);
        // Whoever is there already plays on.
        assert_eq!(score(&world, &[&one], "ann", 3).await, Ok(()));
        assert_eq!(score(&world, &[&one], "ann", 0).await, Ok(()));
        assert_eq!(score(&world, &[&one, &two], "ann", 3).await, Ok(()));
        assert_eq!(score(&world, &[&one], "bob", 4).await, Ok(()));
    }

    async fn a_score_on_several_leaderboards_fits_whole_or_not_at_all(world) {
        let (one, two, three) = (world.put(&board("one")).await, world.put(&board("two")).await, world.put(&board("three")).await);
        assert_eq!(score(&world, &[&one], "ann", 9).await, Ok(()));
        assert_eq!(score(&world, &[&one, &two, &three], "ann", 2).await, Err(id("two")));
        assert_eq!(score(&world, &[&three, &one, &two], "ann", 2).await, Err(id("three")));
        assert_eq!(holds(&world, &world.tenant).await, (3, 1));
        assert_eq!(score(&world, &[&one, &two, &three], "ann", 3).await, Ok(()));
        assert_eq!(holds(&world, &world.tenant).await, (3, 3));
    }

    async fn the_count_moves_on_within_a_call(world) {
        let (one, two) = (world.put(&board("one")).await, world.put(&board("two")).await);
        score(&world, &[&one], "zoe", 9).await.unwrap();
        let wanted = [
            (vec![&one], "ann"), (vec![&one, &two], "bob"), (vec![&one], "ann"), (vec![&two], "ann"),
            (vec![&one, &two], "cid"), (vec![&one], "zoe"), (vec![&two], "dan"),
        ];
        let attempts: Vec<_> = wanted.iter().map(|(boards, name)| attempt(&world, boards, name)).collect();
        let fits: Vec<_> = settle(&world, &attempts, 5).await.iter().map(Result::is_ok).collect();
        assert_eq!(fits, [true, true, true, true, false, true, false]);
        assert_eq!(holds(&world, &world.tenant).await, (2, 5));
    }

    async fn the_quota_is_exact_over_a_large_call(world) {
        let board = world.put(&board("l")).await;
        let attempts: Vec<_> = (0..1000).map(|n| attempt(&world, &[&board], &format!("p{n}"))).collect();
        let settled = settle(&world, &attempts, 777).await;
        let fits = settled.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!((fits, holds(&world, &world.tenant).await), (777, (1, 777)));
        assert!(settled[..777].iter().all(Result::is_ok));
    }

    async fn a_replay_and_every_other_refusal_come_first(world) {
        let full = world.put(&Leaderboard {
            limits: Limits { max_entries: Some(1), ..Limits::default() },
            ..board("full")
        }).await;
        let open = world.put(&board("open")).await;
        let first = with_id(attempt(&world, &[&full], "ann"), "x");
        settle(&world, std::slice::from_ref(&first), 1).await.remove(0).unwrap();
        let again = settle(&world, &[first], 0).await.remove(0).unwrap();
        assert!(again[0].replayed);
        let both = attempt(&world, &[&open, &full], "bob");
        let refusal = settle(&world, &[both], 1).await.remove(0).unwrap_err();
        assert_eq!((refusal.leaderboard, refusal.reason), (id("full"), RefusalReason::Full { max_entries: 1 }));
    }

    async fn whoever_goes_makes_room_and_whoever_is_hidden_does_not(world) {
        let (one, two) = (world.put(&board("one")).await, world.put(&board("two")).await);
        for name in ["ann", "bob"] {
            score(&world, &[&one, &two], name, 4).await.unwrap();
        }
        world.hide("ann").await;
        assert_eq!(score(&world, &[&one], "cid", 4).await, Err(id("one")));
        world.remove(&one, "ann").await;
        assert_eq!(score(&world, &[&one], "cid", 4).await, Ok(()));
        assert_eq!(score(&world, &[&one], "dan", 4).await, Err(id("one")));
        world.restore("ann").await;
        assert_eq!(holds(&world, &world.tenant).await, (2, 4));
        delete(&world, "two").await;
        assert_eq!(holds(&world, &world.tenant).await, (1, 2));
        assert_eq!(score(&world, &[&one], "dan", 4).await, Ok(()));
        assert_eq!(score(&world, &[&one], "eve", 4).await, Ok(()));
        assert_eq!(score(&world, &[&one], "fay", 4).await, Err(id("one")));
    }

    async fn what_was_made_before_anybody_asked_is_counted(world) {
        let (one, two) = (world.put(&board("one")).await, world.put(&daily("two")).await);
        for name in ["ann", "bob", "cid"] {
            world.score(&one, name, 1).await;
            world.score(&two, name, 1).await;
        }
        world.remove(&two, "ann").await;
        let one = world.rebuilt(&Leaderboard { ties: leaderboard_core::Ties::Dense, ..board("one") }).await;
        assert_eq!(score(&world, &[&one], "dan", 5).await, Err(id("one")));
        assert_eq!(score(&world, &[&one], "dan", 6).await, Ok(()));
    }

    async fn periods_that_are_kept_longer_or_less_long_are_counted_once(world) {
        let (one, two) = (world.put(&board("one")).await, world.put(&daily("two")).await);
        score(&world, &[&two], "ann", 9).await.unwrap();
        let two = world.put(&Leaderboard { keep_periods: 900, ..daily("two") }).await;
        score(&world, &[&two], "bob", 9).await.unwrap();
        world.pass_ms(DAY_MS);
        let late = Submission { occurred_at: Some(world.now().saturating_add_ms(-DAY_MS)), ..submission(&[&two], "cid", &[1]) };
        settle(&world, &[resolved(&late, &[&two], world.now())], 3).await.remove(0).unwrap();
        assert_eq!(score(&world, &[&one], "ann", 3).await, Err(id("one")));
        assert_eq!(score(&world, &[&one], "ann", 4).await, Ok(()));
        delete(&world, "two").await;
        assert_eq!(score(&world, &[&one], "bob", 1).await, Err(id("one")));
        assert_eq!(score(&world, &[&one], "bob", 2).await, Ok(()));
    }

    async fn tenants_do_not_share_a_quota(world) {
        let other = tenant("acme2");
        put_in(&world.store, &other, &board("l"), Expected::Any, false, world.now()).await.unwrap();
        assert_eq!((holds(&world, &world.tenant).await, holds(&world, &other).await), ((0, 0), (1, 0)));
        let l = world.put(&board("l")).await;
        score(&world, &[&l], "ann", 1).await.unwrap();
        assert_eq!((holds(&world, &world.tenant).await, holds(&world, &other).await), ((1, 1), (1, 0)));
    }

    async fn one_leaderboard_more_than_allowed_is_refused(world) {
        let full = Err(PutRefusal::TooManyLeaderboards);
        assert_eq!(put(&world, &board("a"), Expected::Any, 0).await, full);
        assert_eq!(put(&world, &board("a"), Expected::Any, 2).await, Ok(true));
        assert_eq!(put(&world, &board("b"), Expected::Absent, 2).await, Ok(true));
        assert_eq!(put(&world, &board("c"), Expected::Absent, 2).await, full);
        assert_eq!(world.configuration(&board("c")).await, None);
        assert_eq!(holds(&world, &world.tenant).await, (2, 0));
        // What is there can be changed, and comes to the same if it is not.
        let changed = Leaderboard { title: "New".into(), ..board("a") };
        assert_eq!(put(&world, &changed, Expected::Any, 2).await, Ok(false));
        assert_eq!(put(&world, &changed, Expected::Any, 0).await, Ok(false));
        let none = PutRefusal::VersionMismatch { current: None };
        assert_eq!(put(&world, &board("c"), Expected::Version(1), 2).await, Err(none));
        let other = tenant("acme2");
        put_in(&world.store, &other, &board("c"), Expected::Absent, false, world.now()).await.unwrap();
        delete(&world, "a").await;
        assert_eq!(put(&world, &board("c"), Expected::Absent, 2).await, Ok(true));
        assert_eq!(put(&world, &board("a"), Expected::Absent, 2).await, full);
    }
}
