//! Random histories, run on a store and on the model. Every result must be the same.

mod check;
mod edge;
mod pair;

use std::cell::Cell;

use leaderboard_model::{edge_history, history};
use leaderboard_test_support::{RedisBackend, SqliteBackend, StoreBackend, block_on};
use pair::ComparedStores;
use proptest::test_runner::{Config, TestRunner};

/// How many histories a run tries on each store. Each is up to [`history::MOST_STEPS`] steps long.
const HISTORIES: u32 = 32;
/// Raises [`HISTORIES`].
const HISTORIES_VARIABLE: &str = "EDGEBOARD_MODEL_HISTORIES";
/// How often a failing history is made smaller.
const SHRINKING_TRIES: u32 = 300;

fn history_count() -> u32 {
    let text = std::env::var(HISTORIES_VARIABLE).ok();
    text.map_or(HISTORIES, |text| text.parse().expect("a number of histories"))
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: history_count(),
        max_shrink_iters: SHRINKING_TRIES,
        failure_persistence: None,
        ..Config::default()
    })
}

fn agrees_with_the_model<B: StoreBackend>() {
    let backend = B::new();
    let count = Cell::new(0);
    let result = runner().run(&history::histories(), |history| {
        // Each history has a tenant of its own, so that it does not see the others.
        count.set(count.get() + 1);
        block_on(async {
            let store = backend.open().await;
            let mut pair = ComparedStores::new(store, &format!("t{}", count.get()), &history).await;
            for step in &history.steps {
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

fn agrees_at_the_edge<B: StoreBackend>() {
    let result = runner().run(&edge_history::histories(), |steps| {
        // Each history has a store of its own, because some documents belong to no tenant.
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
    agrees_with_the_model::<SqliteBackend>();
}

#[test]
fn redis_agrees_with_the_model() {
    agrees_with_the_model::<RedisBackend>();
}

#[test]
fn sqlite_agrees_with_the_model_at_the_edge() {
    agrees_at_the_edge::<SqliteBackend>();
}

#[test]
fn redis_agrees_with_the_model_at_the_edge() {
    agrees_at_the_edge::<RedisBackend>();
}
