//! Writers at the same time: nothing is lost, nothing counts twice, and every rank was true when it was told.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread;

use leaderboard_core::access::Caller;
use leaderboard_core::model::{Projection, rank_among};
use leaderboard_core::ports::{Expected, Leaderboards, RankDetail};
use leaderboard_core::{Leaderboard, Operator, Outcome, RecordedEvent, StoreError, TenantId, Ties};

use crate::given::{at, board, resolved, submission, tenant};
use crate::harness::{ALL, Harness, OnRedis, OnSqlite, Store, block_on, put_in, with_id};

/// Threads, each with a runtime and a connection of its own.
const WRITERS: usize = 8;
/// Submissions of each writer, one a call.
const INCREMENTS: usize = 5_000;
/// Fewer than writers times anything, so that writers meet at every entry.
const PLAYERS: usize = 6;

fn leaderboard() -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ties: Ties::Shared,
        ..board("race")
    }
}

/// How much a writer's n-th submission adds: 1 to 3.
fn amount(writer: usize, n: usize) -> i64 {
    1 + i64::try_from((writer + n) % 3).unwrap()
}

/// Everything one writer was told.
async fn write<S: Store>(store: &S, tenant: &TenantId, writer: usize) -> Vec<Outcome> {
    let board = Leaderboards::get(store, tenant, &leaderboard().id)
        .await
        .unwrap()
        .unwrap();
    let board = Rc::new(board);
    let mut told = Vec::with_capacity(INCREMENTS);
    for n in 0..INCREMENTS {
        let player = format!("p{}", (writer * 7 + n) % PLAYERS);
        let now = at(i64::try_from(n).unwrap());
        let attempt = resolved(
            &submission(&[&board], &player, &[amount(writer, n)]),
            &[&board],
            now,
        );
        let attempts = [with_id(attempt, &format!("{writer}/{n}"))];
        let outcome = loop {
            match store.submit(tenant, &attempts, RankDetail::Full).await {
                Ok(mut settled) => break settled.remove(0).unwrap().remove(0),
                // A database that others hold for too long: the id makes a repeat safe.
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        };
        told.push(outcome);
    }
    told
}

/// Goes through the log and compares what was told at each version with what was true at it.
fn assert_true_when_told(log: &[RecordedEvent], told: impl Iterator<Item = Outcome>) -> Projection {
    let mut by_version: BTreeMap<u64, Outcome> = BTreeMap::new();
    for outcome in told {
        let twice = by_version.insert(outcome.version, outcome);
        assert_eq!(twice, None, "one version was given twice");
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
            let told_before = outcome
                .previous
                .clone()
                .map(|previous| (previous.values, previous.rank.unwrap()));
            assert_eq!(told_before, before, "before version {}", outcome.version);
            let told = Some((outcome.values.clone(), outcome.rank.unwrap()));
            assert_eq!(told, rank(&projection, outcome), "at version {}", outcome.version);
        }
    }
    assert_eq!(by_version.len(), WRITERS * INCREMENTS);
    projection
}

fn race<H: Harness + Sync>() {
    let harness = H::new();
    let tenant = tenant("acme");
    block_on(async {
        let store = harness.open().await;
        put_in(&store, &tenant, &leaderboard(), Expected::Absent, false, at(0))
            .await
            .unwrap();
    });
    let told: Vec<Vec<Outcome>> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (harness, tenant) = (&harness, &tenant);
                scope.spawn(move || block_on(async { write(&harness.open().await, tenant, writer).await }))
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let log = block_on(async {
        let store = harness.open().await;
        leaderboard_core::ports::Events::read(&store, &tenant, &leaderboard().id, 0, ALL)
            .await
            .unwrap()
    });
    let projection = assert_true_when_told(&log, told.into_iter().flatten());
    let state = projection.periods.values().next().unwrap();
    let sum: i64 = state.entries.values().map(|entry| entry.values.first()).sum();
    let added = (0..WRITERS).flat_map(|writer| (0..INCREMENTS).map(move |n| amount(writer, n)));
    assert_eq!(sum, added.sum::<i64>());
    let attempts: usize = state.entries.values().map(|entry| entry.attempts as usize).sum();
    assert_eq!(
        (attempts, log.len()),
        (WRITERS * INCREMENTS, WRITERS * INCREMENTS + 1)
    );
    block_on(async { assert_entries(&harness.open().await, &tenant, &projection).await });
}

/// That the store's list is what its log says.
async fn assert_entries<S: Store>(store: &S, tenant: &TenantId, projection: &Projection) {
    let board = Rc::new(
        Leaderboards::get(store, tenant, &leaderboard().id)
            .await
            .unwrap()
            .unwrap(),
    );
    let state = projection.periods.values().next().unwrap();
    let place = leaderboard_core::ports::PeriodRef {
        tenant,
        board: &board,
        period: &state.period.id,
        now: at(0),
    };
    let page = store
        .page(
            &place,
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
fn eight_writers_on_redis() {
    race::<OnRedis>();
}

#[test]
fn eight_writers_on_sqlite() {
    race::<OnSqlite>();
}
