//! Files of other versions, and several starts at once.

use futures::executor::block_on;
use leaderboard_core::StoreError;
use leaderboard_core::ports::{DeadLetters, Readiness};

use crate::support::*;

fn version(file: &File) -> i64 {
    file.raw()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_new_file_gets_the_newest_schema_and_the_write_ahead_log() {
    let file = File::new();
    block_on(file.store().ready()).unwrap();
    assert_eq!(version(&file), 2);
    let journal: String = file
        .raw()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(journal, "wal");
}

#[test]
fn an_old_file_is_brought_up_to_date_with_what_it_holds() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = configured(&store, &board("goals")).await;
        score(&store, &board, "ann", 5, 0).await;
        drop(store);
        // As the first version left it.
        file.raw()
            .execute_batch("DROP TABLE dead_letters; PRAGMA user_version = 1;")
            .unwrap();
        let store = file.store();
        assert_eq!(lines(&top(&store, &board, 10).await), [line(1, "ann", 5)]);
        assert_eq!(store.letters(10).await, Ok(Vec::new()));
        assert_eq!(version(&file), 2);
    });
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let file = File::new();
    file.raw().execute_batch("PRAGMA user_version = 99").unwrap();
    let Err(StoreError::Rejected(cause)) = block_on(file.store().ready()) else {
        panic!("accepted");
    };
    assert!(cause.contains("schema version 99"), "{cause}");
    assert!(cause.contains("newer program"), "{cause}");
    let tables: i64 = file
        .raw()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!((tables, version(&file)), (0, 99));
}

#[test]
fn many_can_start_at_once() {
    let file = File::new();
    let results: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| block_on(file.store().ready())))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(results, vec![Ok(()); 8]);
    assert_eq!(version(&file), 2);
}
