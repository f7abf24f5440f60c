//! Random histories, told to a store and to the model: every answer must be the same.

mod check;
mod edge;
mod history;
mod pair;

use std::cell::Cell;

use proptest::test_runner::{Config, TestRunner};

use crate::harness::{Harness, OnRedis, OnSqlite, block_on};
use history::histories;
use pair::Pair;

/// Histories a run tries on each store; each is up to [`history::MOST_STEPS`] steps long.
const HISTORIES: u32 = 32;
/// Raises [`HISTORIES`].
const HISTORIES_VARIABLE: &str = "EDGEBOARD_MODEL_HISTORIES";
/// A failure is made smaller for so many tries.
const SHRINKING_TRIES: u32 = 300;

fn wanted() -> u32 {
    let wanted = std::env::var(HISTORIES_VARIABLE).ok();
    wanted.map_or(HISTORIES, |text| text.parse().expect("a number of histories"))
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: wanted(),
        max_shrink_iters: SHRINKING_TRIES,
        failure_persistence: None,
        ..Config::default()
    })
}

fn agrees_with_the_model<H: Harness>() {
    let harness = H::new();
    let tried = Cell::new(0);
    let result = runner().run(&histories(), |history| {
        // A tenant of its own is a world of its own.
        tried.set(tried.get() + 1);
        block_on(async {
            let store = harness.open().await;
            let mut pair = Pair::new(store, &format!("t{}", tried.get()), &history).await;
            for step in &history.steps {
                pair.take(step).await;
            }
            pair.check_everything().await;
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

fn agrees_at_the_edge<H: Harness>() {
    let result = runner().run(&edge::histories(), |steps| {
        // Some of it belongs to no tenant.
        let harness = H::new();
        block_on(async {
            let mut pair = edge::Pair::new(harness.open().await);
            for step in &steps {
                pair.take(step).await;
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
    agrees_with_the_model::<OnSqlite>();
}

#[test]
fn redis_agrees_with_the_model() {
    agrees_with_the_model::<OnRedis>();
}

#[test]
fn sqlite_agrees_with_the_model_at_the_edge() {
    agrees_at_the_edge::<OnSqlite>();
}

#[test]
fn redis_agrees_with_the_model_at_the_edge() {
    agrees_at_the_edge::<OnRedis>();
}
