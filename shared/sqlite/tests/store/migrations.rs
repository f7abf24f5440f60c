//! Files of other versions, and several starts at once.

use futures::executor::block_on;
use leaderboard_core::StoreError;
use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, Counters, DeadLetters, Holdings, RateLimits, Readiness,
};

use crate::support::*;

/// How many steps lead to the schema of today.
const NEWEST: i64 = 4;
/// What the last steps made, the newest first: each table that is dropped takes its indexes along.
const MADE: [(i64, &[&str]); 3] = [
    (3, &["notices", "audit_sizes"]),
    (
        2,
        &[
            "documents",
            "document_versions",
            "buckets",
            "usage",
            "counters",
            "audit",
        ],
    ),
    (1, &["dead_letters"]),
];

fn version(file: &File) -> i64 {
    file.raw()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_new_file_gets_the_newest_schema_and_the_write_ahead_log() {
    let file = File::new();
    block_on(file.store().ready()).unwrap();
    assert_eq!(version(&file), NEWEST);
    let journal: String = file
        .raw()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(journal, "wal");
}

/// Leaves a file as an earlier version left it.
fn age(file: &File, version: i64) {
    for (before, tables) in MADE.iter().filter(|(before, _)| *before >= version) {
        for table in *tables {
            file.raw().execute_batch(&format!("DROP TABLE {table}")).unwrap();
        }
        file.raw()
            .execute_batch(&format!("PRAGMA user_version = {before}"))
            .unwrap();
    }
}

#[test]
fn an_old_file_is_brought_up_to_date_with_what_it_holds() {
    for old in 1..NEWEST {
        block_on(async {
            let file = File::new();
            let store = file.store();
            let board = configured(&store, &board("goals")).await;
            score(&store, &board, "ann", 5, 0).await;
            drop(store);
            age(&file, old);
            assert_eq!(version(&file), old);
            let store = file.store();
            assert_eq!(lines(&top(&store, &board, 10).await), [line(1, "ann", 5)]);
            assert_eq!(store.letters(10).await, Ok(Vec::new()));
            assert_eq!(store.counters().await, Ok(Vec::new()));
            let held = Holdings {
                leaderboards: 1,
                entries: 1,
            };
            assert_eq!(store.usage(&tenant(), 10).await, Ok((Vec::new(), held)));
            assert_eq!(store.read_audit(None, None, 10).await, Ok(Vec::new()));
            assert_eq!(version(&file), NEWEST);
        });
    }
}

#[test]
fn the_audit_log_of_an_old_file_is_counted_and_goes_on() {
    block_on(async {
        let file = File::new();
        let record = |kind| AuditRecord {
            tenant: None,
            kind,
            at: at(0),
            body: b"x".to_vec(),
        };
        for position in 1..=3 {
            assert_eq!(
                file.store().append_audit(&record(AuditKind::Act)).await,
                Ok(position)
            );
        }
        age(&file, 3);
        let store = file.store();
        assert_eq!(store.append_audit(&record(AuditKind::Notice)).await, Ok(4));
        assert_eq!(store.append_audit(&record(AuditKind::Act)).await, Ok(5));
        let counted: i64 = file
            .raw()
            .query_row(
                "SELECT records FROM audit_sizes WHERE kind = 'audit'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(counted, 4);
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
    assert_eq!(version(&file), NEWEST);
}
