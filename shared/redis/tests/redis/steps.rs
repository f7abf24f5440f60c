//! Tests that work which grows with a tenant's data is done in steps. The tests count the commands that one
//! call runs on the server.

use std::collections::BTreeMap;
use std::rc::Rc;

use leaderboard_core::ports::{
    Expected, Leaderboards, PutLeaderboard, PutRefusal, REBUILD_STEP_ENTRIES, SWEEP_STEP_PERIODS, Scores,
};
use leaderboard_core::{Leaderboard, PeriodId, RefusalReason, Ties, Versioned};
use leaderboard_redis::{Connection, RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, board_id, count_entries, daily_schedule, make_period_ref, player, prepare, put,
    simple_leaderboard, submit_options, submit_within_quota, tenant,
};

type Store = RedisStore<NativeRedis>;

/// Runs work. Returns its result and how often it ran each command.
async fn run_and_count<T>(server: &Server, work: impl Future<Output = T>) -> (T, BTreeMap<String, u64>) {
    server.run_command("CONFIG RESETSTAT").await;
    let done = work.await;
    (done, server.count_commands().await)
}

/// Creates a leaderboard with a score on each of `days` days.
pub(crate) async fn put_leaderboard_with_days(store: &Store, days: i64) -> Rc<Versioned<Leaderboard>> {
    let mut leaderboard = simple_leaderboard("a");
    leaderboard.schedule = daily_schedule();
    leaderboard.keep_periods = 1000;
    let board = put(store, &leaderboard).await;
    for day in 0..days {
        submit_within_quota(store, prepare(&board, "p", 1, NOW_MS + day * DAY_MS), None)
            .await
            .unwrap();
    }
    board
}

/// Creates leaderboards with an entry each as an earlier version left them: without entry counts.
pub(crate) async fn put_uncounted_leaderboards(
    server: &Server,
    store: &Store,
    boards: usize,
) -> Vec<Rc<Versioned<Leaderboard>>> {
    let mut all = Vec::new();
    for n in 0..boards {
        let board = put(store, &simple_leaderboard(&format!("b{n:04}"))).await;
        submit_within_quota(store, prepare(&board, "p", 1, NOW_MS), None)
            .await
            .unwrap();
        all.push(board);
    }
    server
        .run_command("DEL eb:acme:entry-counts eb:acme:expiring")
        .await;
    // The entry count in the format of that version.
    server.run_command("HSET eb:acme:entries  5").await;
    all
}

#[tokio::test]
async fn entries_of_an_earlier_version_are_counted_exactly_and_in_steps() {
    let server = Server::start().await;
    let store = server.store().await;
    let boards = put_uncounted_leaderboards(&server, &store, 1200).await;
    // A write to a period that the steps have not reached counts the period. The steps do not count it again.
    let (tenant, all) = (tenant(), PeriodId::all_time());
    store
        .remove(
            &make_period_ref(&tenant, &boards[3], &all),
            &player("p"),
            at(NOW_MS),
        )
        .await
        .unwrap();
    submit_within_quota(&store, prepare(&boards[3], "p", 1, NOW_MS), None)
        .await
        .unwrap();
    store
        .remove(
            &make_period_ref(&tenant, &boards[1100], &all),
            &player("p"),
            at(NOW_MS),
        )
        .await
        .unwrap();
    store
        .delete(&tenant, &board_id("b0007"), Expected::Any)
        .await
        .unwrap()
        .unwrap();
    let late = put(&store, &simple_leaderboard("c")).await;
    submit_within_quota(&store, prepare(&late, "p", 1, NOW_MS), None)
        .await
        .unwrap();
    let (entries, ran) = run_and_count(&server, count_entries(&store)).await;
    assert_eq!(entries, 1200 - 1 - 1 + 1);
    // One command counts 500 periods and one leaderboard at most.
    let (scripts, lookups) = (ran["fcall"], ran["hexists"]);
    assert!(lookups <= scripts * 501 && scripts >= 4, "{lookups} in {scripts}");
    assert_eq!(
        server.run_command("EXISTS eb:acme:entries").await,
        [Reply::Integer(0)]
    );
    // The count is not repeated.
    let (entries, ran) = run_and_count(&server, count_entries(&store)).await;
    assert_eq!((entries, ran.get("hexists"), ran["fcall"]), (1199, None, 1));
}

#[tokio::test]
async fn the_quota_is_exact_before_existing_entries_have_been_counted() {
    let server = Server::start().await;
    let store = server.store().await;
    let boards = put_uncounted_leaderboards(&server, &store, 600).await;
    let c = put(&store, &simple_leaderboard("c")).await;
    assert_eq!(
        submit_within_quota(&store, prepare(&c, "p", 1, NOW_MS), Some(600)).await,
        Err(RefusalReason::TenantFull { max_entries: 600 })
    );
    assert_eq!(
        submit_within_quota(&store, prepare(&c, "p", 1, NOW_MS), Some(601)).await,
        Ok(())
    );
    assert_eq!(
        submit_within_quota(&store, prepare(&boards[0], "p", 1, NOW_MS), Some(0)).await,
        Ok(())
    );
    assert_eq!(count_entries(&store).await, 601);
}

#[tokio::test]
async fn entries_of_a_new_tenant_are_counted_from_the_start() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    submit_within_quota(&store, prepare(&board, "p", 1, NOW_MS), None)
        .await
        .unwrap();
    let (entries, ran) = run_and_count(&server, count_entries(&store)).await;
    assert_eq!((entries, ran["fcall"]), (1, 1));
}

#[tokio::test]
async fn many_expired_periods_are_subtracted_in_steps() {
    let server = Server::start().await;
    for by_a_score in [false, true] {
        server.run_command("FLUSHALL").await;
        let store = server.store().await;
        let board = put_leaderboard_with_days(&store, 450).await;
        let connection = server.connection().await;
        for key in server.run_command("KEYS eb:acme:b:a:m:*").await {
            let Reply::Bytes(meta) = key else {
                panic!("{key:?}")
            };
            let id = meta.strip_prefix(b"eb:acme:b:a:m:").unwrap();
            let name = [b"a:", id].concat();
            connection.command("UNLINK", &[&meta]).await.unwrap();
            connection
                .command("ZADD", &[b"eb:acme:expiring", b"1", &name])
                .await
                .unwrap();
        }
        let next = NOW_MS + 500 * DAY_MS;
        let (expected, ran) = if by_a_score {
            let (results, ran) = run_and_count(
                &server,
                submit_within_quota(&store, prepare(&board, "p", 1, next), Some(1)),
            )
            .await;
            assert_eq!(results, Ok(()));
            (1, ran)
        } else {
            let (entries, ran) = run_and_count(&server, count_entries(&store)).await;
            assert_eq!(entries, 0);
            (0, ran)
        };
        let (scripts, dropped) = (ran["fcall"], ran["hdel"]);
        assert!(
            dropped >= 450 && dropped <= scripts * 201,
            "{dropped} in {scripts}"
        );
        assert_eq!(count_entries(&store).await, expected);
    }
}

#[tokio::test]
async fn a_leaderboard_of_many_periods_is_deleted_in_steps() {
    let server = Server::start().await;
    let store = server.store().await;
    put_leaderboard_with_days(&store, 450).await;
    let (deleted, ran) = run_and_count(&server, store.delete(&tenant(), &board_id("a"), Expected::Any)).await;
    assert_eq!(deleted, Ok(Ok(true)));
    assert!(ran["unlink"] <= SWEEP_STEP_PERIODS + 1, "{ran:?}");
    assert_eq!(
        count_entries(&store).await,
        250,
        "periods that are not deleted yet count"
    );
    for left in [50, 0] {
        let (more, ran) = run_and_count(&server, store.sweep(&tenant())).await;
        assert_eq!(more, Ok(left > 0));
        assert!(ran["unlink"] <= SWEEP_STEP_PERIODS, "{ran:?}");
        assert_eq!(count_entries(&store).await, left);
    }
    assert_eq!(server.run_command("KEYS eb:acme:b:*").await, []);
    assert_eq!(
        server.run_command("EXISTS eb:acme:deleted").await,
        [Reply::Integer(0)]
    );
    // The deletion of a missing leaderboard writes nothing.
    let (deleted, ran) = run_and_count(&server, store.delete(&tenant(), &board_id("a"), Expected::Any)).await;
    assert_eq!((deleted, ran.get("unlink")), (Ok(Ok(false)), None));
}

#[tokio::test]
async fn a_rebuild_copies_entries_in_steps_and_leaves_no_copies() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    let submissions: Vec<_> = (0..2500)
        .map(|n| prepare(&board, &format!("p{n}"), n, NOW_MS))
        .collect();
    store
        .submit_with_options(&tenant(), &submissions, &submit_options())
        .await
        .unwrap();
    let mut dense = simple_leaderboard("a");
    dense.ties = Ties::Dense;
    let rebuild = PutLeaderboard {
        tenant: &tenant(),
        leaderboard: &dense,
        expected: Expected::Any,
        current: &PeriodId::all_time(),
        rebuild: true,
        verified: None,
        expiries: &[],
        max_leaderboards: None,
        at: at(NOW_MS),
    };
    for step in 1..=2 {
        let (done, ran) = run_and_count(&server, store.put(&rebuild)).await;
        assert_eq!(done, Ok(Err(PutRefusal::Unfinished)));
        assert_eq!(
            ran["hincrby"], REBUILD_STEP_ENTRIES,
            "one command for each copied entry: {ran:?}"
        );
        let copied = i64::try_from(step * REBUILD_STEP_ENTRIES).unwrap();
        assert_eq!(
            server.run_command("HLEN eb:acme:b:a:E:all").await,
            [Reply::Integer(copied)]
        );
        let [Reply::Integer(ttl)] = server.run_command("TTL eb:acme:b:a:E:all").await[..] else {
            panic!("no time to live")
        };
        assert!(ttl > 0, "the copies of an abandoned rebuild expire");
    }
    assert!(store.put(&rebuild).await.unwrap().is_ok());
    for kind in ["M", "E", "V", "H", "T", "C"] {
        assert_eq!(
            server
                .run_command(&format!("EXISTS eb:acme:b:a:{kind}:all"))
                .await,
            [Reply::Integer(0)]
        );
    }
    for kind in ["m", "e", "v", "t", "c"] {
        assert_eq!(
            server.run_command(&format!("TTL eb:acme:b:a:{kind}:all")).await,
            [Reply::Integer(-1)]
        );
    }
}

#[tokio::test]
async fn a_change_of_how_many_periods_are_kept_is_applied_in_steps() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put_leaderboard_with_days(&store, 450).await;
    let periods = (0..450).map(|day| board.value.schedule.period_at(at(NOW_MS + day * DAY_MS)).id);
    let expiries: Vec<_> = periods.map(|id| (id, Some(at(NOW_MS + 100 * DAY_MS)))).collect();
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let mut changed = board.value.clone();
    changed.keep_periods = 900;
    let later = PutLeaderboard {
        tenant: &tenant,
        leaderboard: &changed,
        expected: Expected::Any,
        current: &all,
        rebuild: false,
        verified: None,
        expiries: &expiries,
        max_leaderboards: None,
        at: at(NOW_MS),
    };
    let (done, ran) = run_and_count(&server, store.put(&later)).await;
    assert!(done.unwrap().is_ok());
    // Each period has six keys that get a deadline. One command changes up to 100 periods.
    let (scripts, deadlines) = (ran["fcall"], ran["pexpire"]);
    assert!(
        deadlines == 450 * 6 && deadlines <= scripts * 600,
        "{deadlines} in {scripts}"
    );
    assert_eq!(
        server.run_command("EXISTS eb:acme:b:a:expiries").await,
        [Reply::Integer(0)]
    );
    assert_eq!(count_entries(&store).await, 450);
    // The next put continues the work that a request has left, even if the put changes nothing.
    let soon = (NOW_MS + 1).to_string();
    for (id, _) in &expiries {
        server
            .run_command(&format!("RPUSH eb:acme:b:a:expiries {id} {soon}"))
            .await;
    }
    let mut unfinished = 0;
    while store.put(&later).await.unwrap() == Err(PutRefusal::Unfinished) {
        unfinished += 1;
    }
    assert_eq!(unfinished, 4);
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(count_entries(&store).await, 0);
}
