//! Tests that idempotency records and periods expire, and that leaderboards are deleted.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, Expected, IDEMPOTENCY_MS, Leaderboards, PageFrom, PutLeaderboard, PutRefusal, RankDetail,
    Scores,
};
use leaderboard_core::{
    Column, Columns, Leaderboard, Operator, Order, Outcome, PeriodId, PreparedSubmission, RefusalReason,
    SubmissionId, Ties, Versioned,
};
use leaderboard_redis::{RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, board, daily_schedule, fingerprint, make_period_ref, player, prepare, put, resolve,
    simple_leaderboard, submission, tenant,
};

/// Submits once. Returns the outcome on the first leaderboard, or the reason of the refusal.
async fn submit_one(
    store: &RedisStore<NativeRedis>,
    prepared: PreparedSubmission,
) -> Result<Outcome, RefusalReason> {
    let results = store
        .submit(&tenant(), &[prepared], RankDetail::Full)
        .await
        .unwrap();
    match &results[0] {
        Ok(outcomes) => Ok(outcomes[0].clone()),
        Err(refusal) => Err(refusal.reason.clone()),
    }
}

/// Returns the submission with an id and a fixed fingerprint.
fn with_id(mut prepared: PreparedSubmission, id: &str) -> PreparedSubmission {
    prepared.id = Some(SubmissionId::new(id).unwrap());
    prepared.fingerprint = fingerprint(1);
    prepared
}

#[tokio::test]
async fn a_submission_with_a_used_id_is_a_replay_for_exactly_a_day() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(
        &store,
        &board("a", &[Order::Descending], Ties::Earliest, Operator::Increment),
    )
    .await;
    let mut value = 0;
    // One hash has the records of one day, and the first use of an id can be at any hour of this day.
    for hour in 0..24 {
        let first_ms = NOW_MS + hour * 3_600_000;
        let id = format!("id{hour}");
        let first = submit_one(&store, with_id(prepare(&board, "p", 5, first_ms), &id))
            .await
            .unwrap();
        value += 5;
        assert_eq!((first.values.first(), first.replayed), (value, false));
        for age in [0, 1, IDEMPOTENCY_MS / 2, IDEMPOTENCY_MS - 1, -1000] {
            let again = submit_one(&store, with_id(prepare(&board, "p", 5, first_ms + age), &id))
                .await
                .unwrap();
            let expected = Outcome {
                replayed: true,
                ..first.clone()
            };
            assert_eq!(again, expected, "hour {hour}, age {age}");
            let mut other = with_id(prepare(&board, "p", 6, first_ms + age), &id);
            other.fingerprint = fingerprint(2);
            let id = SubmissionId::new(id.as_str()).unwrap();
            assert_eq!(
                submit_one(&store, other).await,
                Err(RefusalReason::IdConflict { id })
            );
        }
    }
    for hour in 0..24 {
        let later = NOW_MS + hour * 3_600_000 + IDEMPOTENCY_MS;
        let id = format!("id{hour}");
        let again = submit_one(&store, with_id(prepare(&board, "p", 5, later), &id))
            .await
            .unwrap();
        value += 5;
        assert_eq!(
            (again.values.first(), again.replayed),
            (value, false),
            "hour {hour}"
        );
    }
    for key in ["eb:acme:b:a:ids0", "eb:acme:b:a:ids1"] {
        let [Reply::Integer(ttl)] = server.run_command(&format!("PTTL {key}")).await[..] else {
            panic!("no TTL")
        };
        assert!(ttl > 0 && ttl <= 2 * IDEMPOTENCY_MS, "{ttl}");
    }
}

#[tokio::test]
async fn a_replay_has_the_columns_of_the_first_submission() {
    let server = Server::start().await;
    let store = server.store().await;
    let before = put(&store, &simple_leaderboard("a")).await;
    let first_submission = with_id(prepare(&before, "p", 5, NOW_MS), "x");
    let first = submit_one(&store, first_submission.clone()).await.unwrap();
    assert_eq!(first.columns.as_ref(), Some(&before.value.columns));
    let mut renamed = simple_leaderboard("a");
    let points = Column::new("points", Order::Ascending).unwrap();
    renamed.columns = Columns::new(vec![points]).unwrap();
    let mut again = first_submission;
    again.targets[0].leaderboard = put(&store, &renamed).await;
    let replay = submit_one(&store, again).await.unwrap();
    let expected = Outcome {
        replayed: true,
        ..first
    };
    assert_eq!(replay, expected);
}

#[tokio::test]
async fn a_sum_outside_64_bits_is_refused() {
    let server = Server::start().await;
    let store = server.store().await;
    for (name, order) in [("down", Order::Descending), ("up", Order::Ascending)] {
        let board = put(
            &store,
            &board(name, &[order], Ties::Earliest, Operator::Increment),
        )
        .await;
        let add = |who, value| submit_one(&store, prepare(&board, who, value, NOW_MS));
        for step in [i64::MAX - 1, 1] {
            add("top", step).await.unwrap();
        }
        assert_eq!(add("top", 1).await, Err(RefusalReason::Overflow));
        assert_eq!(add("top", i64::MIN).await.unwrap().values.first(), -1);
        assert_eq!(add("top", i64::MIN).await, Err(RefusalReason::Overflow));
        assert_eq!(add("low", i64::MIN).await.unwrap().values.first(), i64::MIN);
        assert_eq!(add("low", -1).await, Err(RefusalReason::Overflow));
        assert_eq!(add("low", i64::MAX).await.unwrap().values.first(), -1);
        assert_eq!(add("low", 1 << 53).await.unwrap().values.first(), (1 << 53) - 1);
        let mut take = submission("minus", &[i64::MIN]);
        take.operator = Some(Operator::Decrement);
        let taken = resolve(&take, std::slice::from_ref(&board), NOW_MS).unwrap();
        assert_eq!(submit_one(&store, taken).await, Err(RefusalReason::Overflow));
    }
}

/// Checks that the six keys of a period have the same deadline.
async fn assert_one_deadline(server: &Server, period: &PeriodId) {
    let mut deadlines = Vec::new();
    for kind in ["m", "e", "v", "h", "t", "c"] {
        let command = format!("PEXPIRETIME eb:acme:b:a:{kind}:{period}");
        deadlines.extend(server.run_command(&command).await);
    }
    assert!(
        matches!(deadlines[0], Reply::Integer(deadline) if deadline > 0),
        "{deadlines:?}"
    );
    assert!(
        deadlines.iter().all(|deadline| *deadline == deadlines[0]),
        "{deadlines:?}"
    );
}

#[tokio::test]
async fn a_period_expires_with_all_its_keys() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut daily_board = board("a", &[Order::Descending], Ties::Dense, Operator::Best);
    daily_board.schedule = daily_schedule();
    daily_board.keep_periods = 2;
    let board = put(&store, &daily_board).await;
    store
        .ban(&tenant(), &Ban::new(player("ghost"), at(NOW_MS)))
        .await
        .unwrap()
        .unwrap();
    for (who, value) in [("p", 1), ("q", 2), ("ghost", 3)] {
        submit_one(&store, prepare(&board, who, value, NOW_MS))
            .await
            .unwrap();
    }
    let period = board.value.schedule.period_at(at(NOW_MS));
    assert_one_deadline(&server, &period.id).await;
    let soon = PutLeaderboard {
        max_leaderboards: None,
        tenant: &tenant(),
        leaderboard: &Leaderboard {
            keep_periods: 1,
            ..daily_board.clone()
        },
        expected: Expected::Any,
        current: &period.id,
        rebuild: false,
        verified: None,
        expiries: &[(period.id.clone(), Some(at(NOW_MS + 50)))],
        at: at(NOW_MS),
    };
    let list_periods = async || {
        let periods = store.periods(&tenant(), &board.value.id, at(NOW_MS + 60)).await;
        periods.unwrap().len()
    };
    assert_eq!(list_periods().await, 1);
    let (version, created) = store.put(&soon).await.unwrap().unwrap();
    assert!(!created);
    assert_eq!(list_periods().await, 0);
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    let board = Rc::new(Versioned {
        version,
        value: soon.leaderboard.clone(),
    });
    let tenant = tenant();
    let period_ref = make_period_ref(&tenant, &board, &period.id);
    let page = store
        .page(&period_ref, &PageFrom::Top, 5, &Caller::Anonymous)
        .await;
    let page = page.unwrap();
    assert_eq!((page.layout, page.version, page.count), (None, 0, 0));
    let left = server.run_command(&format!("KEYS *:{}", period.id)).await;
    assert_eq!(left, []);
    // The next period removes the expired period from the list of periods.
    let next = prepare(&board, "p", 1, NOW_MS + DAY_MS);
    submit_one(&store, next).await.unwrap();
    assert_eq!(
        server.run_command("ZCARD eb:acme:b:a:periods").await,
        [Reply::Integer(1)]
    );
}

#[tokio::test]
async fn a_deleted_leaderboard_leaves_only_keys_of_the_tenant() {
    let server = Server::start().await;
    let store = server.store().await;
    let dense = board("a", &[Order::Descending], Ties::Dense, Operator::Best);
    let first = put(&store, &dense).await;
    store
        .ban(&tenant(), &Ban::new(player("ghost"), at(NOW_MS)))
        .await
        .unwrap()
        .unwrap();
    for who in ["p", "ghost"] {
        submit_one(&store, with_id(prepare(&first, who, 1, NOW_MS), who))
            .await
            .unwrap();
    }
    store
        .unban(&tenant(), &player("ghost"), at(NOW_MS))
        .await
        .unwrap();
    let id = &first.value.id;
    let wrong = store.delete(&tenant(), id, Expected::Version(99)).await.unwrap();
    let current = Some(first.version);
    assert_eq!(wrong, Err(PutRefusal::VersionMismatch { current }));
    let expected = Expected::Version(first.version);
    assert_eq!(store.delete(&tenant(), id, expected).await.unwrap(), Ok(true));
    assert_eq!(
        store.delete(&tenant(), id, Expected::Any).await.unwrap(),
        Ok(false)
    );
    assert_eq!(
        server
            .run_command("EXISTS eb:acme:version eb:acme:entry-counts eb:acme:bans:state")
            .await,
        [Reply::Integer(3)]
    );
    assert_eq!(server.run_command("DBSIZE").await, [Reply::Integer(3)]);
    assert_eq!(
        server.run_command("HGETALL eb:acme:entry-counts").await,
        [Reply::Bytes(Vec::new()), Reply::Bytes(b"0".to_vec())]
    );
    let stale = submit_one(&store, prepare(&first, "p", 1, NOW_MS)).await;
    assert_eq!(stale, Err(RefusalReason::StaleConfiguration));
    let second = put(&store, &dense).await;
    assert!(second.version > first.version);
    let created = submit_one(&store, with_id(prepare(&second, "p", 1, NOW_MS), "p"))
        .await
        .unwrap();
    assert_eq!((created.version, created.replayed), (2, false));
}

#[tokio::test]
async fn every_key_of_an_expiring_period_has_a_deadline_after_every_write() {
    let server = Server::start().await;
    for ties in [Ties::Earliest, Ties::Shared, Ties::Dense] {
        server.run_command("FLUSHALL").await;
        let store = server.store().await;
        let mut leaderboard = board("a", &[Order::Descending], ties, Operator::Set);
        leaderboard.schedule = daily_schedule();
        let board = put(&store, &leaderboard).await;
        let period = board.value.schedule.period_at(at(NOW_MS)).id;
        let check = async |keys: usize| {
            let found = server.run_command(&format!("KEYS eb:acme:b:a:?:{period}")).await;
            assert_eq!(
                found.len(),
                if ties == Ties::Dense { keys + 2 } else { keys },
                "{found:?}"
            );
            for key in found {
                let Reply::Bytes(key) = key else { panic!("{key:?}") };
                let key = String::from_utf8(key).unwrap();
                let ttl = server.run_command(&format!("PTTL {key}")).await;
                assert!(
                    matches!(ttl[..], [Reply::Integer(ms)] if ms > 0),
                    "{ties:?} {key}: {ttl:?}"
                );
            }
        };
        // The set has one entry. Its move can delete the set and create the set again without a deadline.
        for value in [1, 2, 2, 3] {
            submit_one(&store, prepare(&board, "p", value, NOW_MS))
                .await
                .unwrap();
            check(3).await;
        }
        let tenant = tenant();
        store
            .ban(&tenant, &Ban::new(player("q"), at(NOW_MS)))
            .await
            .unwrap()
            .unwrap();
        for value in [1, 2] {
            submit_one(&store, prepare(&board, "q", value, NOW_MS))
                .await
                .unwrap();
            check(4).await;
        }
        store.unban(&tenant, &player("q"), at(NOW_MS)).await.unwrap();
        let period_ref = make_period_ref(&tenant, &board, &period);
        for name in ["p", "q"] {
            store
                .remove(&period_ref, &player(name), at(NOW_MS))
                .await
                .unwrap()
                .unwrap();
        }
        submit_one(&store, prepare(&board, "p", 1, NOW_MS)).await.unwrap();
        check(3).await;
    }
}
