//! Tests that run random histories on a store and on the model. All results must be the same.

mod check;
mod edge;
mod erase;
mod freeze;
mod pair;
mod rolling_upgrade;
mod time_travel;
mod transfer;

use std::cell::Cell;

use leaderboard_model::history::History;
use leaderboard_model::{edge_history, history, long_history};
use leaderboard_test_support::{RedisBackend, SqliteBackend, StoreBackend, block_on};
use pair::ComparedStores;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use rolling_upgrade::RollingUpgrade;

/// The number of histories that a run tries on each store. Each has up to [`history::MOST_STEPS`] steps.
const HISTORIES: u32 = 32;
/// The environment variable whose value replaces [`HISTORIES`].
const HISTORIES_VARIABLE: &str = "EDGEBOARD_MODEL_HISTORIES";
/// The number of histories of long lists that a run tries on each store.
const LONG_HISTORIES: u32 = 6;
/// How many smaller histories are tried after a failure.
const SHRINKING_TRIES: u32 = 300;

/// Returns how many histories to run.
fn history_count() -> u32 {
    let text = std::env::var(HISTORIES_VARIABLE).ok();
    text.map_or(HISTORIES, |text| text.parse().expect("a number of histories"))
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        max_shrink_iters: SHRINKING_TRIES,
        failure_persistence: None,
        ..Config::default()
    })
}

/// Runs histories on a store and on the model. Calls `check` at the end of each history.
fn run_histories<B: StoreBackend>(
    (cases, histories): (u32, impl Strategy<Value = History>),
    check: &impl AsyncFn(&ComparedStores<B::Store>),
) {
    let backend = B::new();
    let count = Cell::new(0);
    let result = runner(cases).run(&histories, |history| {
        // Each history has its own tenant, so it does not see the data of other histories.
        count.set(count.get() + 1);
        block_on(async {
            let store = backend.open().await;
            let mut pair = ComparedStores::new(store, &format!("t{}", count.get()), &history).await;
            for step in &history.steps {
                pair.apply(step).await;
            }
            check(&pair).await;
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

fn compare_short_lists<B: StoreBackend>() {
    let histories = (history_count(), history::histories());
    run_histories::<B>(histories, &async |pair| pair.check_everything().await);
}

fn compare_long_lists<B: StoreBackend>() {
    let histories = (LONG_HISTORIES, long_history::histories());
    run_histories::<B>(histories, &async |pair| pair.check_long_lists().await);
}

fn compare_documents_and_limits<B: StoreBackend>() {
    let result = runner(history_count()).run(&edge_history::histories(), |steps| {
        // Each history has its own store, because some documents do not belong to a tenant.
        let backend = B::new();
        block_on(async {
            let mut pair = edge::ComparedEdges::new(backend.open().await);
            for step in &steps {
                pair.apply(step).await;
            }
            pair.check_everything().await;
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn sqlite_agrees_with_the_model() {
    compare_short_lists::<SqliteBackend>();
}

#[test]
fn sqlite_agrees_with_the_model_in_long_lists() {
    compare_long_lists::<SqliteBackend>();
}

#[test]
fn redis_agrees_with_the_model() {
    compare_short_lists::<RedisBackend>();
}

#[test]
fn redis_agrees_with_the_model_in_long_lists() {
    compare_long_lists::<RedisBackend>();
}

#[test]
fn sqlite_agrees_with_the_model_in_documents_and_limits() {
    compare_documents_and_limits::<SqliteBackend>();
}

#[test]
fn redis_agrees_with_the_model_in_documents_and_limits() {
    compare_documents_and_limits::<RedisBackend>();
}

#[test]
fn redis_agrees_with_the_model_while_two_versions_of_the_code_run() {
    compare_short_lists::<RollingUpgrade>();
}

#[test]
fn redis_agrees_with_the_model_in_documents_and_limits_while_two_versions_of_the_code_run() {
    compare_documents_and_limits::<RollingUpgrade>();
}
