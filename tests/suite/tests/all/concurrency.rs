//! Tests of concurrent writers: each score counts once, and each outcome is correct at its version.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Expected, Leaderboards, RankDetail, ReadSource};
use leaderboard_core::{
    Leaderboard, LoggedEvent, Operator, Outcome, RecordedEvent, StoreError, TenantId, Ties,
};
use leaderboard_model::{Projection, rank_among};
use leaderboard_test_support::values::{at, board, prepared, submission, tenant};
use leaderboard_test_support::{
    ALL, AllPorts, RedisBackend, SqliteBackend, StoreBackend, block_on, put_leaderboard, with_submission_id,
};

/// The number of writer threads. Each thread has its own runtime and connection.
const WRITERS: usize = 8;
/// The number of submissions of each writer. A writer sends one submission in each call.
const INCREMENTS: usize = 5_000;
/// The number of players. There are fewer players than writers, so the writers change the same entries.
const PLAYERS: usize = 6;

fn leaderboard() -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ties: Ties::Shared,
        ..board("race")
    }
}

/// Returns how much the n-th submission of a writer adds: 1 to 3.
fn amount(writer: usize, n: usize) -> i64 {
    1 + i64::try_from((writer + n) % 3).unwrap()
}

/// Submits all scores of one writer and returns the outcomes.
async fn submit_all_scores<S: AllPorts>(store: &S, tenant: &TenantId, writer: usize) -> Vec<Outcome> {
    let board = Leaderboards::get(store, tenant, &leaderboard().id)
        .await
        .unwrap()
        .unwrap();
    let board = Rc::new(board);
    let mut actual = Vec::with_capacity(INCREMENTS);
    for n in 0..INCREMENTS {
        let player = format!("p{}", (writer * 7 + n) % PLAYERS);
        let now = at(i64::try_from(n).unwrap());
        let prepared_submission = prepared(
            &submission(&[&board], &player, &[amount(writer, n)]),
            &[&board],
            now,
        );
        let submissions = [with_submission_id(prepared_submission, &format!("{writer}/{n}"))];
        let outcome = loop {
            match store.submit(tenant, &submissions, RankDetail::Full).await {
                Ok(mut outcomes) => break outcomes.remove(0).unwrap().remove(0),
                // Other writers held the lock of the database for too long. The id makes a repeat safe.
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        };
        actual.push(outcome);
    }
    actual
}

/// Replays the log and compares each outcome with the state at its version. Returns the last state.
fn assert_outcomes_match_log(log: &[RecordedEvent], actual: impl Iterator<Item = Outcome>) -> Projection {
    let mut by_version: BTreeMap<u64, Outcome> = BTreeMap::new();
    for outcome in actual {
        let duplicate = by_version.insert(outcome.version, outcome);
        assert_eq!(duplicate, None, "two outcomes have the same version");
    }
    let mut projection = Projection::default();
    let rank = |projection: &Projection, outcome: &Outcome| {
        let state = projection.periods.get(&outcome.period)?;
        let entry = state.entries.get(&outcome.player)?;
        Some((
            entry.values.clone(),
            rank_among(&state.layout, &projection.visible(state), entry),
        ))
    };
    for event in log {
        let outcome = by_version.get(&event.position);
        let before = outcome.and_then(|outcome| rank(&projection, outcome));
        projection.apply(event).unwrap();
        if let Some(outcome) = outcome {
            let rank_before = outcome
                .previous
                .clone()
                .map(|previous| (previous.values, previous.rank.unwrap()));
            assert_eq!(rank_before, before, "before version {}", outcome.version);
            let actual = Some((outcome.values.clone(), outcome.rank.unwrap()));
            assert_eq!(
                actual,
                rank(&projection, outcome),
                "at version {}",
                outcome.version
            );
        }
    }
    assert_eq!(by_version.len(), WRITERS * INCREMENTS);
    projection
}

/// Runs all writers at the same time on one store, and checks the outcomes, the log and the entries.
fn run_concurrent_writers<B: StoreBackend + Sync>() {
    let backend = B::new();
    let tenant = tenant("acme");
    block_on(async {
        let store = backend.open().await;
        put_leaderboard(&store, &tenant, &leaderboard(), Expected::Absent, false, at(0))
            .await
            .unwrap();
    });
    let actual: Vec<Vec<Outcome>> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (backend, tenant) = (&backend, &tenant);
                scope.spawn(move || {
                    block_on(async { submit_all_scores(&backend.open().await, tenant, writer).await })
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let log = block_on(async {
        let store = backend.open().await;
        let read = leaderboard_core::ports::Events::read(&store, &tenant, &leaderboard().id, 0, ALL).await;
        let known = read.unwrap().into_iter().map(LoggedEvent::into_known);
        known.collect::<Result<Vec<_>, _>>().unwrap()
    });
    let projection = assert_outcomes_match_log(&log, actual.into_iter().flatten());
    let state = projection.periods.values().next().unwrap();
    let sum: i64 = state.entries.values().map(|entry| entry.values.first()).sum();
    let added = (0..WRITERS).flat_map(|writer| (0..INCREMENTS).map(move |n| amount(writer, n)));
    assert_eq!(sum, added.sum::<i64>());
    let attempts: usize = state.entries.values().map(|entry| entry.attempts as usize).sum();
    assert_eq!(
        (attempts, log.len()),
        (WRITERS * INCREMENTS, WRITERS * INCREMENTS + 1)
    );
    block_on(async { assert_entries(&backend.open().await, &tenant, &projection).await });
}

/// Asserts that the store lists the entries that its log results in.
async fn assert_entries<S: AllPorts>(store: &S, tenant: &TenantId, projection: &Projection) {
    let board = Rc::new(
        Leaderboards::get(store, tenant, &leaderboard().id)
            .await
            .unwrap()
            .unwrap(),
    );
    let state = projection.periods.values().next().unwrap();
    let period_ref = leaderboard_core::ports::PeriodRef {
        tenant,
        leaderboard: &board,
        period: &state.period.id,
        now: at(0),
        source: ReadSource::Primary,
    };
    let page = store
        .page(
            &period_ref,
            &leaderboard_core::ports::PageFrom::Top,
            1000,
            &Caller::Anonymous,
        )
        .await
        .unwrap();
    let entries: Vec<_> = page.entries.iter().map(|ranked| &ranked.entry).collect();
    assert_eq!(entries, projection.visible(state));
}

#[test]
fn concurrent_writers_lose_no_score_on_redis() {
    run_concurrent_writers::<RedisBackend>();
}

#[test]
fn concurrent_writers_lose_no_score_on_sqlite() {
    run_concurrent_writers::<SqliteBackend>();
}
