//! Random histories on one kind of store, whose leaderboards are then exported and imported into the other kind. All reads of the other
//! store must have the results of the model.

use std::cell::Cell;

use leaderboard_model::history;
use leaderboard_test_support::{RedisBackend, SqliteBackend, StoreBackend, block_on};

use super::pair::ComparedStores;
use super::{history_count, runner};
use crate::transfers::TransferSide;

/// The most bans that a history has.
const MAX_BANS: u32 = 1_000;

fn compare_after_transfer<From: StoreBackend, To: StoreBackend>() {
    let (from, to) = (From::new(), To::new());
    let count = Cell::new(0);
    let result = runner(history_count()).run(&history::histories(), |history| {
        count.set(count.get() + 1);
        block_on(async {
            let store = from.open().await;
            let mut pair = ComparedStores::new(store, &format!("t{}", count.get()), &history).await;
            for step in &history.steps {
                pair.apply(step).await;
            }
            transfer(pair, to.open().await).await.check_everything().await;
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

/// Imports all leaderboards into another store, with the same bans.
async fn transfer<S: leaderboard_test_support::AllPorts, T: leaderboard_test_support::AllPorts>(
    pair: ComparedStores<S>,
    target: T,
) -> ComparedStores<T> {
    let bans = pair.store.list_bans(&pair.tenant, None, MAX_BANS, pair.now).await;
    for ban in bans.unwrap() {
        target.ban(&pair.tenant, &ban).await.unwrap().unwrap();
    }
    let mut boards = pair.boards.clone();
    for known in boards.iter_mut().flatten() {
        let id = known.by_store.value.id.clone();
        let from = TransferSide::new(&pair.store, &pair.tenant, pair.now);
        let to = TransferSide::new(&target, &pair.tenant, pair.now);
        let lines = from.export(&id).await;
        to.import_all(&id, &lines).await;
        assert_eq!(to.export(&id).await, lines);
        known.by_store = std::rc::Rc::new(target.get(&pair.tenant, &id).await.unwrap().unwrap());
    }
    pair.on_other_store(target, boards)
}

#[test]
fn a_leaderboard_of_sqlite_is_the_same_on_redis() {
    compare_after_transfer::<SqliteBackend, RedisBackend>();
}

#[test]
fn a_leaderboard_of_redis_is_the_same_on_sqlite() {
    compare_after_transfer::<RedisBackend, SqliteBackend>();
}
