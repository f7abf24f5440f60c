//! Tests of the entry quota: how many entries a tenant has and may have.

use std::rc::Rc;

use leaderboard_core::ports::{Expected, Leaderboards, PutLeaderboard};
use leaderboard_core::{Leaderboard, PeriodId, RefusalReason, Timestamp, Versioned};
use leaderboard_redis::{RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, count_entries, daily_schedule, prepare, put, simple_leaderboard, submit_within_quota,
    tenant,
};

type Store = RedisStore<NativeRedis>;

fn daily_board(name: &str, keep_periods: u16) -> Leaderboard {
    let mut board = simple_leaderboard(name);
    board.schedule = daily_schedule();
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
        verified: None,
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

/// Waits until a key has expired.
async fn wait_until_gone(server: &Server, key: &str) {
    for _ in 0..1000 {
        if server.run_command(&format!("EXISTS {key}")).await == [Reply::Integer(0)] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{key} does not expire");
}

#[tokio::test]
async fn entries_of_an_expired_period_no_longer_count_for_the_quota() {
    let server = Server::start().await;
    let store = server.store().await;
    // The count starts before the first entry, or after all entries exist.
    for from_the_start in [true, false] {
        server.run_command("FLUSHALL").await;
        if from_the_start {
            assert_eq!(count_entries(&store).await, 0);
        }
        let mut board = put(&store, &daily_board("a", 2)).await;
        let period = board.value.schedule.period_at(at(NOW_MS)).id;
        for name in ["p", "q"] {
            submit_within_quota(&store, prepare(&board, name, 1, NOW_MS), None)
                .await
                .unwrap();
        }
        submit_within_quota(&store, prepare(&board, "p", 1, NOW_MS + DAY_MS), None)
            .await
            .unwrap();
        assert_eq!(count_entries(&store).await, 3);
        // The deadline is removed, set again, and passes.
        board = move_deadline(&store, &board, &period, None).await;
        submit_within_quota(&store, prepare(&board, "r", 1, NOW_MS + DAY_MS), None)
            .await
            .unwrap();
        assert_eq!(count_entries(&store).await, 4);
        board = move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
        wait_until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
        assert_eq!(count_entries(&store).await, 2, "{from_the_start}");
        // A new period with the same id starts with a count of 0, even if the store has not subtracted the
        // expired period yet.
        submit_within_quota(&store, prepare(&board, "s", 1, NOW_MS), Some(3))
            .await
            .unwrap();
        move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
        wait_until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
        let board = put(&store, &board.value).await;
        submit_within_quota(&store, prepare(&board, "s", 1, NOW_MS), None)
            .await
            .unwrap();
        submit_within_quota(&store, prepare(&board, "t", 1, NOW_MS), None)
            .await
            .unwrap();
        assert_eq!(count_entries(&store).await, 4);
        // The period has expired, and the store has not subtracted it when the leaderboard is deleted.
        move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
        wait_until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
        store
            .delete(&tenant(), &board.value.id, Expected::Any)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(count_entries(&store).await, 0);
        assert_eq!(
            server.run_command("EXISTS eb:acme:expiring").await,
            [Reply::Integer(0)]
        );
    }
}

#[tokio::test]
async fn an_expired_period_makes_room_for_the_next_submission() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &daily_board("a", 2)).await;
    let period = board.value.schedule.period_at(at(NOW_MS)).id;
    assert_eq!(
        submit_within_quota(&store, prepare(&board, "p", 1, NOW_MS), Some(1)).await,
        Ok(())
    );
    let next = |board| prepare(board, "p", 1, NOW_MS + DAY_MS);
    let full = Err(RefusalReason::TenantFull { max_entries: 1 });
    assert_eq!(submit_within_quota(&store, next(&board), Some(1)).await, full);
    let board = move_deadline(&store, &board, &period, Some(at(NOW_MS + 10))).await;
    wait_until_gone(&server, &format!("eb:acme:b:a:m:{period}")).await;
    assert_eq!(submit_within_quota(&store, next(&board), Some(1)).await, Ok(()));
    assert_eq!(
        submit_within_quota(&store, prepare(&board, "q", 1, NOW_MS + DAY_MS), Some(1)).await,
        full
    );
}
