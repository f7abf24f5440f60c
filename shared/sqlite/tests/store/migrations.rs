//! Tests of files that other versions wrote, and of several stores that open a file at once.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::StoreError;
use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, Bans, Counters, DeadLetters, RankDetail, RateLimits, Readiness, Scores,
    SubmitOptions,
};

use crate::support::*;
use crate::undo::UNDO;

/// The number of the newest schema version.
const NEWEST: i64 = 23;
/// The first schema version with bans.
const WITH_BANS: i64 = BEFORE_BANS_VERSION + 1;

/// The columns that one migration added to `leaderboards`, with the schema version before the migration.
const ADDED: (i64, [&str; 3]) = (6, ["keep_events", "keep_ms", "log_bytes"]);

/// The newest schema version without bans.
const BEFORE_BANS_VERSION: i64 = 8;

fn read_version(file: &File) -> i64 {
    file.raw()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_new_file_gets_the_newest_schema_and_the_write_ahead_log() {
    let file = File::new();
    block_on(file.store().check_ready()).unwrap();
    assert_eq!(read_version(&file), NEWEST);
    let journal: String = file
        .raw()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(journal, "wal");
}

/// Changes a file to the schema of an earlier version.
fn downgrade(file: &File, version: i64) {
    for (before, statements) in UNDO.iter().filter(|(before, _)| *before >= version) {
        for statement in *statements {
            file.raw().execute_batch(statement).unwrap();
        }
        for column in ADDED.1.iter().filter(|_| *before == ADDED.0) {
            let drop = format!("ALTER TABLE leaderboards DROP COLUMN {column}");
            file.raw().execute_batch(&drop).unwrap();
        }
        file.raw()
            .execute_batch(&format!("PRAGMA user_version = {before}"))
            .unwrap();
    }
}

#[test]
fn ranks_are_counted_in_an_old_file() {
    block_on(async {
        let file = File::new();
        let board = create_leaderboard(&file.store(), &board("goals")).await;
        let boards = [board.clone()];
        let submissions: Vec<_> = (0..600)
            .map(|score| prepare(&boards, &format!("p{score}"), score, None, at(0)))
            .collect();
        submit(&file.store(), &submissions).await;
        downgrade(&file, 11);
        let outcome = submit_score(&file.store(), &board, "new", -1, 1).await;
        assert_eq!(outcome.rank, Some(601));
    });
}

#[test]
fn a_file_with_the_first_trigger_gets_the_current_one() {
    block_on(async {
        let file = File::new();
        let board = create_leaderboard(&file.store(), &board("goals")).await;
        downgrade(&file, 14);
        submit_score(&file.store(), &board, "ann", 5, 0).await;
        assert_eq!(
            ranked_lines(&read_top(&file.store(), &board, 10).await.entries),
            [ranked_line(1, "ann", 5)]
        );
    });
}

#[test]
fn an_old_file_is_migrated_and_keeps_its_data() {
    for old in 1..=BEFORE_BANS_VERSION {
        block_on(async {
            let file = File::new();
            let store = file.store();
            let board = create_leaderboard(&store, &board("goals")).await;
            submit_score(&store, &board, "ann", 5, 0).await;
            submit_score(&store, &board, "bob", 7, 0).await;
            let (_, totals) = store.usage(&tenant(), 10).await.unwrap();
            drop(store);
            downgrade(&file, old);
            assert_eq!(read_version(&file), old);
            let store = file.store();
            assert_eq!(
                ranked_lines(&read_top(&store, &board, 10).await.entries),
                [ranked_line(1, "ann", 5)]
            );
            assert_eq!(store.list_dead_letters(None, None, 10).await, Ok(Vec::new()));
            assert_eq!(store.counters().await, Ok(Vec::new()));
            assert!(totals.log_bytes > 0);
            assert_eq!((totals.leaderboards, totals.entries), (1, 2));
            assert_eq!(store.usage(&tenant(), 10).await, Ok((Vec::new(), totals)));
            // A player who was hidden in the old schema is banned.
            let bans = store.list_bans(&tenant(), None, 10, at(1)).await.unwrap();
            assert_eq!(bans.len(), 1);
            assert_eq!((bans[0].player.as_str(), bans[0].expires_at), ("bob", None));
            store.unban(&tenant(), &player("bob"), at(2)).await.unwrap();
            let both = [ranked_line(1, "bob", 7), ranked_line(2, "ann", 5)];
            assert_eq!(ranked_lines(&read_top(&store, &board, 10).await.entries), both);
            assert_eq!(store.read_audit(None, None, 10).await, Ok(Vec::new()));
            assert_eq!(read_version(&file), NEWEST);
        });
    }
}

#[test]
fn periods_of_an_old_file_are_listed_in_the_same_order() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard(&store, &daily_leaderboard("days", 9)).await;
        for day in 0..3 {
            submit_score(&store, &board, "ann", 1, day * DAY_MS).await;
        }
        let id = &board.value.id;
        let listed = store.list_periods(&tenant(), id, None, 9, at(0)).await;
        assert_eq!(listed.as_ref().map(|page| page.periods.len()), Ok(3));
        drop(store);
        downgrade(&file, WITH_BANS);
        let store = file.store();
        assert_eq!(store.list_periods(&tenant(), id, None, 9, at(0)).await, listed);
        assert_eq!(read_version(&file), NEWEST);
    });
}

#[test]
fn dead_letters_of_an_old_file_have_no_tenant_and_can_be_deleted() {
    block_on(async {
        let file = File::new();
        file.store().check_ready().await.unwrap();
        downgrade(&file, 7);
        file.raw()
            .execute(
                "INSERT INTO dead_letters (at, digest, reason, payload) VALUES (0, x'00', 'old', x'7b')",
                [],
            )
            .unwrap();
        let store = file.store();
        let letters = store.list_dead_letters(None, None, 10).await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(
            (&letters[0].tenant, letters[0].letter.payload.as_slice()),
            (&None, &b"{"[..])
        );
        assert_eq!(
            store.list_dead_letters(Some(&tenant()), None, 10).await,
            Ok(Vec::new())
        );
        assert_eq!(store.delete_dead_letter(letters[0].id).await, Ok(true));
        assert_eq!(store.read_dead_letter(letters[0].id).await, Ok(None));
    });
}

#[test]
fn idempotency_records_of_an_old_file_count_256_bytes_each() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard(&store, &board("goals")).await;
        let boards = [Rc::clone(&board)];
        let with_id = |id| prepare(&boards, "ann", 5, Some(id), at(0));
        submit(&store, &[with_id("a"), with_id("b")]).await;
        drop(store);
        for table in ["record_weights", "tenant_record_weights"] {
            let count = format!("UPDATE {table} SET bytes = 2 * 256");
            file.raw().execute(&count, []).unwrap();
        }
        downgrade(&file, 9);
        let store = file.store();
        let options = |room| SubmitOptions {
            max_log_bytes: Some(2 * 256 + room),
            ..SubmitOptions::new(RankDetail::Omitted)
        };
        let more = [with_id("c")];
        let weight = more[0].record_weight(&more[0].targets[0]);
        for (room, fits) in [(weight - 1, false), (weight, true)] {
            let submitted = store
                .submit_with_options(&tenant(), &more, &options(room))
                .await
                .unwrap();
            assert_eq!(submitted.answers[0].is_ok(), fits);
        }
    });
}

#[test]
fn the_audit_log_of_an_old_file_is_counted_and_continues() {
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
                file.store().append_audit(&record(AuditKind::Action)).await,
                Ok(position)
            );
        }
        downgrade(&file, 3);
        let store = file.store();
        assert_eq!(
            store.append_audit(&record(AuditKind::Authentication)).await,
            Ok(4)
        );
        assert_eq!(store.append_audit(&record(AuditKind::Action)).await, Ok(5));
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
fn a_file_of_a_newer_version_is_refused_and_not_changed() {
    let file = File::new();
    file.raw().execute_batch("PRAGMA user_version = 99").unwrap();
    let Err(StoreError::Rejected(cause)) = block_on(file.store().check_ready()) else {
        panic!("accepted");
    };
    assert!(cause.contains("schema version 99"), "{cause}");
    assert!(cause.contains("newer program"), "{cause}");
    let tables: i64 = file
        .raw()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!((tables, read_version(&file)), (0, 99));
}

#[test]
fn several_stores_can_open_a_new_file_at_once() {
    let file = File::new();
    let results: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| block_on(file.store().check_ready())))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(results, vec![Ok(()); 8]);
    assert_eq!(read_version(&file), NEWEST);
}
