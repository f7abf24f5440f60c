//! Tests of submissions that the store sends together. Each of them has its own result.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use futures::future::join_all;
use futures::poll;
use leaderboard_core::ports::{Ban, Bans, RankDetail, Scores, SubmitOptions, Submitted};
use leaderboard_core::{
    Leaderboard, Limits, Operator, PreparedSubmission, RefusalReason, Status, StoreError, TenantId, Versioned,
};
use leaderboard_redis::{Connection, RedisStore};
use leaderboard_test_support::with_submission_id;

use crate::counting::CountingConnection;
use crate::gate::Gate;
use crate::server::Server;
use crate::world::{
    NOW_MS, at, charge_request, fingerprint, hourly_charge, player, prepare, put, simple_leaderboard, tenant,
};

/// The number of submissions that arrive together.
const TOGETHER: usize = 16;
/// The maximum number of targets of one command.
const MAX_TARGETS: usize = 64;

/// Returns a leaderboard that adds up the scores of a player.
fn sum_leaderboard(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ..simple_leaderboard(name)
    }
}

/// Returns submit options with full ranks.
fn full_rank_options() -> SubmitOptions {
    SubmitOptions::new(RankDetail::Full)
}

/// Submits all submissions at the same time, each with its own options. Returns their results.
async fn submit_together<C: Connection>(
    store: &RedisStore<C>,
    submissions: Vec<(PreparedSubmission, SubmitOptions)>,
) -> Vec<Result<Submitted, StoreError>> {
    let calls = submissions
        .into_iter()
        .map(|(one, options)| async move { store.submit_with_options(&tenant(), &[one], &options).await });
    join_all(calls).await
}

#[tokio::test]
async fn submissions_that_arrive_together_share_commands_and_keep_their_order() {
    let server = Server::start().await;
    let counting = CountingConnection::open(&server).await;
    let store = RedisStore::new(&counting);
    let board = put(&store, &sum_leaderboard("a")).await;
    for (count, commands) in [(1, 1), (TOGETHER, 2), (1 + MAX_TARGETS + 2, 3)] {
        let name = format!("p{count}");
        counting.take_sent();
        let submissions = (0..count).map(|_| (prepare(&board, &name, 1, NOW_MS), full_rank_options()));
        let submitted = submit_together(&store, submissions.collect()).await;
        assert_eq!(
            submitted.iter().map(read_value).collect::<Vec<_>>(),
            (1..=i64::try_from(count).unwrap()).collect::<Vec<_>>()
        );
        // The first submission does not wait for others.
        assert_eq!(counting.take_sent(), vec!["FCALL"; commands]);
    }
}

/// Returns the value of the entry after a call with one submission.
fn read_value(submitted: &Result<Submitted, StoreError>) -> i64 {
    submitted.as_ref().unwrap().answers[0].as_ref().unwrap()[0]
        .values
        .first()
}

/// Returns a short text for the result of a call with one submission.
fn describe(submitted: &Result<Submitted, StoreError>) -> String {
    let submitted = match submitted {
        Ok(submitted) => submitted,
        Err(error) => return format!("{error:?}"),
    };
    match submitted.answers.as_slice() {
        [] => "limited".to_owned(),
        [Ok(outcomes)] => format!("{:?} {}", outcomes[0].status, outcomes[0].replayed),
        [Err(refusal)] => match &refusal.reason {
            RefusalReason::IdConflict { .. } => "id".to_owned(),
            RefusalReason::StaleConfiguration => "stale".to_owned(),
            other => format!("{other:?}"),
        },
        more => panic!("{more:?}"),
    }
}

/// Creates a leaderboard `a` with a maximum of 50, and bans the player `banned`. Damages the entry of the
/// player `bad`, the ban of the player `worse` and the rate limit `bad`.
async fn put_damaged_leaderboard<C: Connection>(
    server: &Server,
    store: &RedisStore<C>,
) -> Rc<Versioned<Leaderboard>> {
    let mut leaderboard = sum_leaderboard("a");
    leaderboard.limits = Limits {
        max: Some(50),
        ..Limits::default()
    };
    let board = put(store, &leaderboard).await;
    let ban = Ban::new(player("banned"), at(NOW_MS));
    store.ban(&tenant(), &ban).await.unwrap().unwrap();
    let entry = [prepare(&board, "zoe", 1, NOW_MS)];
    store.submit(&tenant(), &entry, RankDetail::Full).await.unwrap();
    server.run_command("HSET eb:acme:b:a:e:all bad garbage").await;
    server.run_command("HSET eb:acme:bans worse x").await;
    server.run_command("SET eb:acme:rate:bad short").await;
    board
}

#[tokio::test]
async fn each_submission_of_a_group_has_its_own_charge_refusal_outcome_and_error() {
    let server = Server::start().await;
    let counting = CountingConnection::open(&server).await;
    let store = RedisStore::new(&counting);
    let board = put_damaged_leaderboard(&server, &store).await;
    let stale = Rc::new(Versioned {
        version: board.version - 1,
        value: board.value.clone(),
    });
    let broken = put(&store, &sum_leaderboard("broken")).await;
    server.run_command("SET eb:acme:b:broken:log x").await;
    let one = |name: &str, value| prepare(&board, name, value, NOW_MS);
    let charged = |bucket: &str| SubmitOptions {
        charge_request: charge_request(vec![hourly_charge(bucket, 2, 1)]),
        ..full_rank_options()
    };
    let other = PreparedSubmission {
        fingerprint: fingerprint(9),
        ..one("ann", 2)
    };
    let with_id = with_submission_id(one("ann", 1), "x");
    let calls = vec![
        (one("first", 1), full_rank_options(), "Created false"),
        (with_id.clone(), full_rank_options(), "Created false"),
        (with_id, full_rank_options(), "Created true"),
        (with_submission_id(other, "x"), full_rank_options(), "id"),
        (one("bob", 51), full_rank_options(), "AboveMax { max: 50 }"),
        (prepare(&stale, "bob", 1, NOW_MS), full_rank_options(), "stale"),
        (one("bad", 1), full_rank_options(), "Corrupt(\"CORRUPT number\")"),
        (one("worse", 1), full_rank_options(), "Corrupt(\"CORRUPT ban\")"),
        (
            prepare(&broken, "bob", 1, NOW_MS),
            full_rank_options(),
            "Corrupt(\"WRONGTYPE",
        ),
        (one("cid", 1), charged("bad"), "Corrupt(\"CORRUPT bucket\")"),
        (one("cid", 1), charged("good"), "Created false"),
        (one("cid", 1), charged("good"), "Improved false"),
        (one("cid", 1), charged("good"), "limited"),
        (one("banned", 1), full_rank_options(), "Created false"),
        (one("ann", 1), full_rank_options(), "Improved false"),
    ];
    counting.take_sent();
    let submissions = calls
        .iter()
        .map(|(one, options, _)| (one.clone(), options.clone()));
    let results = submit_together(&store, submissions.collect()).await;
    assert_eq!(counting.take_sent(), ["FCALL", "FCALL"]);
    for (result, (_, _, expected)) in results.iter().zip(&calls) {
        let described = describe(result);
        assert!(described.starts_with(expected), "{described}, not {expected}");
    }
    let sums = submit_together(
        &store,
        vec![
            (one("cid", 1), full_rank_options()),
            (one("ann", 1), full_rank_options()),
        ],
    )
    .await;
    assert_eq!(sums.iter().map(read_value).collect::<Vec<_>>(), [3, 3]);
}

#[tokio::test]
async fn a_group_is_applied_after_it_finds_an_ended_ban() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &sum_leaderboard("a")).await;
    let ban = Ban {
        expires_at: Some(at(NOW_MS + 1000)),
        ..Ban::new(player("p"), at(NOW_MS))
    };
    store
        .submit(&tenant(), &[prepare(&board, "p", 5, NOW_MS)], RankDetail::Full)
        .await
        .unwrap();
    store.ban(&tenant(), &ban).await.unwrap().unwrap();
    let names = ["p", "q", "r", "p"];
    let submissions = names.map(|name| (prepare(&board, name, 1, NOW_MS + 1000), full_rank_options()));
    let mut sums: Vec<_> = submit_together(&store, submissions.to_vec())
        .await
        .iter()
        .map(read_value)
        .collect();
    sums.sort_unstable();
    assert_eq!(sums, [1, 1, 6, 7]);
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<Submitted, StoreError>> + 'a>>;

/// Returns a call with one submission.
fn make_call<'a>(store: &'a RedisStore<&'a Gate>, tenant: &'a TenantId, one: PreparedSubmission) -> Call<'a> {
    Box::pin(async move {
        store
            .submit_with_options(tenant, &[one], &full_rank_options())
            .await
    })
}

/// Polls the calls until none of them can make progress.
async fn poll_all(calls: &mut [Call<'_>]) {
    for _ in 0..10 {
        for call in &mut *calls {
            assert!(poll!(call.as_mut()).is_pending());
        }
        tokio::task::yield_now().await;
    }
}

/// Returns the status of the outcome of a call with one submission.
fn read_status(result: &Result<Submitted, StoreError>) -> Status {
    result.as_ref().unwrap().answers[0].as_ref().unwrap()[0].status
}

#[tokio::test]
async fn a_group_whose_leader_is_dropped_fails_and_the_next_group_is_sent() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let store = RedisStore::new(&gate);
    let board = put(&store, &sum_leaderboard("a")).await;
    let (own, other) = (tenant(), TenantId::new("other").unwrap());
    let one = |name: &str| prepare(&board, name, 1, NOW_MS);
    gate.close();
    let mut calls: Vec<_> = ["first", "leader", "follower", "gone"]
        .map(|name| make_call(&store, &own, one(name)))
        .into();
    poll_all(&mut calls).await;
    assert_eq!(gate.waiting(), 1, "the others wait for the first");
    // A call that is dropped while it waits is not sent.
    drop(calls.pop());
    // A call of another tenant does not wait.
    calls.push(make_call(&store, &other, one("other")));
    poll_all(&mut calls).await;
    assert_eq!(gate.waiting(), 2);
    gate.let_pass(1);
    assert_eq!(read_status(&calls.remove(0).await), Status::Created);
    calls.push(make_call(&store, &own, one("next")));
    poll_all(&mut calls).await;
    assert_eq!(gate.waiting(), 2, "the second group is under way");
    calls.push(make_call(&store, &own, one("last")));
    poll_all(&mut calls).await;
    // The leader is dropped before its group has reached the server.
    drop(calls.remove(0));
    let follower = calls.remove(0).await;
    assert!(
        matches!(follower, Err(StoreError::Unavailable(_))),
        "{follower:?}"
    );
    gate.let_pass(10);
    let results = join_all(calls).await;
    // The other tenant has no leaderboard with this version, so its configuration is stale.
    assert_eq!(describe(&results[0]), "stale");
    assert_eq!(read_status(&results[1]), Status::Created);
    assert_eq!(read_status(&results[2]), Status::Created);
}

#[tokio::test]
async fn a_call_does_not_wait_for_an_unpolled_call_with_a_result() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let store = RedisStore::new(&gate);
    let board = put(&store, &sum_leaderboard("a")).await;
    let own = tenant();
    let next = || make_call(&store, &own, prepare(&board, "p", 1, NOW_MS));
    gate.close();
    let mut calls = vec![next(), next(), next()];
    poll_all(&mut calls).await;
    gate.let_pass(1);
    calls.remove(0).await.unwrap();
    poll_all(&mut calls).await;
    gate.let_pass(1);
    calls.remove(0).await.unwrap();
    // The remaining call has a result, and the test has not polled it since.
    let mut late = [next()];
    poll_all(&mut late).await;
    assert_eq!(gate.waiting(), 1);
    assert_eq!(read_value(&calls.remove(0).await), 3);
    gate.let_pass(1);
    let [late] = late;
    assert_eq!(read_value(&late.await), 4);
}

#[tokio::test]
async fn a_group_loads_a_missing_library() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let store = RedisStore::new(&gate);
    let board = put(&store, &sum_leaderboard("a")).await;
    let own = tenant();
    gate.close();
    let mut calls: Vec<_> = (0..4)
        .map(|_| make_call(&store, &own, prepare(&board, "p", 1, NOW_MS)))
        .collect();
    poll_all(&mut calls).await;
    gate.let_pass(1);
    calls.remove(0).await.unwrap();
    poll_all(&mut calls).await;
    server.run_command("FUNCTION FLUSH").await;
    gate.let_pass(10);
    let sums = join_all(calls).await;
    assert_eq!(sums.iter().map(read_value).collect::<Vec<_>>(), [2, 3, 4]);
}

#[tokio::test]
async fn groups_work_without_functions() {
    let server = Server::start().await;
    server.run_command("ACL SETUSER default -fcall").await;
    let store = server.store().await;
    let board = put(&store, &sum_leaderboard("a")).await;
    server.run_command("HSET eb:acme:b:a:e:all bad garbage").await;
    let names = ["p", "p", "bad", "p"];
    let submissions = names.map(|name| (prepare(&board, name, 1, NOW_MS), full_rank_options()));
    let results = submit_together(&store, submissions.to_vec()).await;
    let results: Vec<_> = results.iter().map(describe).collect();
    // The first call creates the period, and the group of the other calls then finds the damage.
    assert_eq!(results[0], "Created false");
    assert!(results[2].starts_with("Corrupt"), "{}", results[2]);
    assert_eq!(results[3], "Improved false");
}

#[tokio::test]
async fn a_group_fails_when_the_server_is_lost() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let store = RedisStore::new(&gate);
    let board = put(&store, &sum_leaderboard("a")).await;
    let own = tenant();
    gate.close();
    let mut calls: Vec<_> = (0..3)
        .map(|_| make_call(&store, &own, prepare(&board, "p", 1, NOW_MS)))
        .collect();
    poll_all(&mut calls).await;
    gate.let_pass(1);
    calls.remove(0).await.unwrap();
    poll_all(&mut calls).await;
    gate.fail();
    for result in join_all(calls).await {
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
    gate.let_pass(1);
    let next = make_call(&store, &own, prepare(&board, "p", 1, NOW_MS)).await;
    assert_eq!(read_value(&next), 2);
}
