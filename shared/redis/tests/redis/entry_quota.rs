//! The entry quota: how many entries a tenant holds and may hold.

use std::rc::Rc;

use leaderboard_core::ports::{
    Ban, Bans, Expected, Leaderboards, PutLeaderboard, PutRefusal, RateLimits, Scores, SubmitOptions,
};
use leaderboard_core::{
    Leaderboard, PeriodId, PreparedSubmission, RefusalReason, SubmissionId, Ties, Timestamp, Versioned,
};
use leaderboard_redis::{RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, attempt, board_id, daily, place, player, put, resolve, simple, submission, tenant,
    terms,
};

type Store = RedisStore<NativeRedis>;

async fn count_entries(store: &Store) -> u64 {
    store.usage(&tenant(), 0).await.unwrap().1.entries
}

async fn submit(store: &Store, attempt: PreparedSubmission, most: Option<u64>) -> Result<(), RefusalReason> {
    let terms = SubmitOptions {
        max_tenant_entries: most,
        ..terms()
    };
    let results = store
        .submit_with_options(&tenant(), &[attempt], &terms)
        .await
        .unwrap();
    match &results.answers[0] {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refusal.reason.clone()),
    }
}

fn daily_board(name: &str, keep_periods: u16) -> Leaderboard {
    let mut board = simple(name);
    board.schedule = daily();
    board.keep_periods = keep_periods;
    board
}

/// Changes the title of a leaderboard and the expiry of a period.
async fn move_deadline(
    store: &Store,
    board: &Versioned<Leaderboard>,
    period: &PeriodId,
    expires_at: Option<Timestamp>,
) -> Rc<Versioned<Leaderboard>> {
    let mut leaderboard = board.value.clone();
    leaderboard.title.push('!');
    let put = PutLeaderboard {
        tenant: &tenant(),
        leaderboard: &leaderboard,
        expected: Expected::Any,
        current: period,
        rebuild: false,
        expiries: &[(period.clone(), expires_at)],
        max_leaderboards: None,
        at: at(NOW_MS),
    };
    let (version, _) = store.put(&put).await.unwrap().unwrap();
    Rc::new(Versioned {
        version,
        value: leaderboard,
    })
}

async fn until_gone(server: &Server, key: &str) {
    for _ in 0..1000 {
        if server.ask(&format!("EXISTS {key}")).await == [Reply::Integer(0)] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{key} does not expire");
}

#[tokio::test]
async fn a_tenant_that_is_full_is_refused_new_entries_and_nothing_else() {
    let server = Server::start().await;
    let store = server.store().await;
    let boards = [put(&store, &simple("a")).await, put(&store, &simple("b")).await];
    let full = Err(RefusalReason::TenantFull { max_entries: 3 });
    let both = |name, value| resolve(&submission(name, &[value]), &boards, NOW_MS).unwrap();
    let mut first = both("p", 1);
    first.id = Some(SubmissionId::new("x").unwrap());
    assert_eq!(submit(&store, first.clone(), Some(3)).await, Ok(()));
    // Two more entries would make four, one more makes three.
    let dump = server.digest().await;
    assert_eq!(submit(&store, both("q", 1), Some(3)).await, full);
    assert_eq!(server.digest().await, dump);
    assert_eq!(
        submit(&store, attempt(&boards[1], "q", 1, NOW_MS), Some(3)).await,
        Ok(())
    );
    assert_eq!(
        submit(&store, attempt(&boards[1], "r", 1, NOW_MS), Some(3)).await,
        full
    );
    let refusal = store
        .submit_with_options(
            &tenant(),
            &[both("q", 2)],
            &SubmitOptions {
                max_tenant_entries: Some(3),
                ..terms()
            },
        )
        .await
        .unwrap();
    // The refusal names the leaderboard without an entry of this player.
    assert_eq!(
        refusal.answers[0].as_ref().unwrap_err().leaderboard,
        board_id("a")
    );
    // A replay and a better score make no entry.
    assert_eq!(submit(&store, first, Some(3)).await, Ok(()));
    assert_eq!(submit(&store, both("p", 5), Some(3)).await, Ok(()));
    assert_eq!(count_entries(&store).await, 3);
    // Other tenants' entries do not count.
    let other = leaderboard_core::TenantId::new("other").unwrap();
    assert_eq!(store.usage(&other, 0).await.unwrap().1.entries, 0);
}

#[tokio::test]
async fn entries_are_counted_as_they_come_and_go() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple("a")).await;
    let other = put(&store, &daily_board("b", 2)).await;
    for name in ["p", "q"] {
        submit(&store, attempt(&board, name, 1, NOW_MS), None)
            .await
            .unwrap();
        submit(&store, attempt(&other, name, 1, NOW_MS), None)
            .await
            .unwrap();
        submit(&store, attempt(&other, name, 1, NOW_MS + DAY_MS), None)
            .await
            .unwrap();
    }
    assert_eq!(count_entries(&store).await, 6);
    let r = || attempt(&board, "r", 1, NOW_MS);
    let full = Err(RefusalReason::TenantFull { max_entries: 6 });
    assert_eq!(submit(&store, r(), Some(6)).await, full);

    let (tenant, all) = (tenant(), PeriodId::all_time());
    store
        .ban(&tenant, &Ban::new(player("p"), at(NOW_MS)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(count_entries(&store).await, 6);
    let here = place(&tenant, &board, &all);
    for left in [5, 5] {
        store.remove(&here, &player("p"), at(NOW_MS)).await.unwrap();
        assert_eq!(count_entries(&store).await, left);
    }
    let period = other.value.schedule.period_at(at(NOW_MS)).id;
    let there = place(&tenant, &other, &period);
    store.remove(&there, &player("p"), at(NOW_MS)).await.unwrap();
    assert_eq!(count_entries(&store).await, 4);
    assert_eq!(submit(&store, r(), Some(6)).await, Ok(()));
    store.unban(&tenant, &player("p"), at(NOW_MS)).await.unwrap();

    // A rebuild in another order keeps the count.
    let mut reordered = simple("a");
    reordered.ties = Ties::Dense;
    put(&store, &reordered).await;
    assert_eq!(count_entries(&store).await, 5);
    store
        .delete(&tenant, &board_id("a"), Expected::Any)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(count_entries(&store).await, 3);
    store
        .delete(&tenant, &board_id("b"), Expected::Any)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(count_entries(&store).await, 0);
    assert_eq!(server.ask("HGETALL eb:acme:entry-counts").await.len(), 2);
    assert_eq!(server.ask("EXISTS eb:acme:expiring").await, [Reply::Integer(0)]);
}

#[tokio::test]
async fn a_period_takes_its_entries_along_when_it_expires() {
    let server = Server::start().await;
    let store = server.store().await;
    // The count starts before the first entry, or after all entries exist.
    for from_the_start in [true, false] {
        server.ask("FLUSHALL").await;
        if from_the_start {
            assert_eq!(count_entries(&store).await, 0);
        }
        let mut board = put(&store, &daily_board("a", 2)).await;
        let period = board.value.schedule.period_at(at(NOW_MS)).id;
        for name in ["p", "q"] {
            submit(&store, attempt(&board, name, 1, NOW_MS), None)
                .await
                .unwrap();
        }
        submit(&store, attempt(&board, "p", 1, NOW_MS + DAY_MS), None)
            .await
            .unwrap();
        assert_eq!(count_entries(&store).await, 3);
        // The deadline is removed, set again, and passes.
        board = move_deadline(&store, &board, &period, None).await;
        submit(&store, attempt(&board, "r", 1, NOW_MS + DAY_MS), None)
            .await
            .unwrap();
        assert_eq!(count_entries(&store).await, 4);
        board = move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
        until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
        assert_eq!(count_entries(&store).await, 2, "{from_the_start}");
        // A period of the same name starts with a count of 0, even if the expired period has not been subtracted yet.
        submit(&store, attempt(&board, "s", 1, NOW_MS), Some(3))
            .await
            .unwrap();
        move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
        until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
        let board = put(&store, &board.value).await;
        submit(&store, attempt(&board, "s", 1, NOW_MS), None)
            .await
            .unwrap();
        submit(&store, attempt(&board, "t", 1, NOW_MS), None)
            .await
            .unwrap();
        assert_eq!(count_entries(&store).await, 4);
        // The period has expired but has not been subtracted when the leaderboard is deleted.
        move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
        until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
        store
            .delete(&tenant(), &board.value.id, Expected::Any)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(count_entries(&store).await, 0);
        assert_eq!(server.ask("EXISTS eb:acme:expiring").await, [Reply::Integer(0)]);
    }
}

#[tokio::test]
async fn room_that_expiry_made_is_there_for_the_next_submission() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &daily_board("a", 2)).await;
    let period = board.value.schedule.period_at(at(NOW_MS)).id;
    assert_eq!(
        submit(&store, attempt(&board, "p", 1, NOW_MS), Some(1)).await,
        Ok(())
    );
    let next = |board| attempt(board, "p", 1, NOW_MS + DAY_MS);
    let full = Err(RefusalReason::TenantFull { max_entries: 1 });
    assert_eq!(submit(&store, next(&board), Some(1)).await, full);
    let board = move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
    until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
    assert_eq!(submit(&store, next(&board), Some(1)).await, Ok(()));
    assert_eq!(
        submit(&store, attempt(&board, "q", 1, NOW_MS + DAY_MS), Some(1)).await,
        full
    );
}

#[tokio::test]
async fn a_tenant_has_so_many_leaderboards() {
    let server = Server::start().await;
    let store = server.store().await;
    let tenant = tenant();
    let put = async |name: &str, title: &str| {
        let mut leaderboard = simple(name);
        leaderboard.title = title.into();
        let put = PutLeaderboard {
            tenant: &tenant,
            leaderboard: &leaderboard,
            expected: Expected::Any,
            current: &PeriodId::all_time(),
            rebuild: false,
            expiries: &[],
            max_leaderboards: Some(2),
            at: at(NOW_MS),
        };
        store.put(&put).await.unwrap().map(|(_, created)| created)
    };
    assert_eq!(put("a", "").await, Ok(true));
    assert_eq!(put("b", "").await, Ok(true));
    let dump = server.digest().await;
    assert_eq!(put("c", "").await, Err(PutRefusal::TooManyLeaderboards));
    assert_eq!(server.digest().await, dump);
    assert_eq!(put("b", "other").await, Ok(false));
    assert_eq!(store.usage(&tenant, 0).await.unwrap().1.leaderboards, 2);
    store
        .delete(&tenant, &board_id("a"), Expected::Any)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(put("c", "").await, Ok(true));
}
