//! Dead letters. What holds for every store is in the contract suite.

use futures::executor::block_on;
use leaderboard_core::ports::{DeadLetter, DeadLetters, MAX_DEAD_LETTERS_IN_ALL, Readiness};

use crate::support::*;

fn letter(reason: &str, payload: &[u8], ms: i64) -> DeadLetter {
    DeadLetter {
        at: at(ms),
        reason: reason.into(),
        payload: payload.to_vec(),
    }
}

/// Puts so many letters into a file, of so many scopes.
fn fill(file: &File, letters: u64, scopes: u64) {
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
fn the_oldest_letter_of_all_goes_when_tenants_together_have_too_many() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        store.check_ready().await.unwrap();
        fill(&file, MAX_DEAD_LETTERS_IN_ALL, 100);
        let new = letter("new", b"!", DAY_MS);
        store.push_dead_letters(None, &[new]).await.unwrap();
        let all = store.list_dead_letters(None, None, u32::MAX).await.unwrap();
        assert_eq!(all.len() as u64, MAX_DEAD_LETTERS_IN_ALL);
        assert_eq!(all.last().unwrap().letter.at, at(1));
    });
}
