//! Tests of dead letters in SQLite. The contract suite tests what every store must do.

use futures::executor::block_on;
use leaderboard_core::ports::{DeadLetter, DeadLetters, MAX_DEAD_LETTERS_IN_ALL, Readiness};

use crate::support::*;

fn dead_letter(reason: &str, payload: &[u8], ms: i64) -> DeadLetter {
    DeadLetter {
        at: at(ms),
        reason: reason.into(),
        payload: payload.to_vec(),
    }
}

/// Inserts this many dead letters into a file, spread over this many scopes.
fn insert_letters(file: &File, letters: u64, scopes: u64) {
    file.raw()
        .execute(
            "INSERT INTO dead_letters (at, digest, reason, payload, scope) \
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) \
             SELECT ?2 + i, CAST(i AS BLOB), 'old', x'00', 't' || (i % ?3) FROM n",
            rusqlite::params![
                i64::try_from(letters).unwrap(),
                NOW_MS,
                i64::try_from(scopes).unwrap()
            ],
        )
        .unwrap();
}

#[test]
fn a_letter_above_the_total_maximum_replaces_the_oldest_letter() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        store.check_ready().await.unwrap();
        insert_letters(&file, MAX_DEAD_LETTERS_IN_ALL, 100);
        let new = dead_letter("new", b"!", DAY_MS);
        store.push_dead_letters(None, &[new]).await.unwrap();
        let all = store.list_dead_letters(None, None, u32::MAX).await.unwrap();
        assert_eq!(all.len() as u64, MAX_DEAD_LETTERS_IN_ALL);
        assert_eq!(all.last().unwrap().letter.at, at(1));
    });
}
