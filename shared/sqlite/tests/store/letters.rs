//! Dead letters.

use futures::executor::block_on;
use leaderboard_core::ports::{DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, Readiness};

use crate::support::*;

fn letter(reason: &str, payload: &[u8], ms: i64) -> DeadLetter {
    DeadLetter {
        at: at(ms),
        reason: reason.into(),
        payload: payload.to_vec(),
    }
}

#[test]
fn the_same_letter_is_kept_once_a_day() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        for letter in [
            letter("bad", b"{", 0),
            letter("bad", b"{", IDEMPOTENCY_MS - 1),
            letter("worse", b"{", 2),
            letter("bad", b"{\xff", 3),
            letter("bad", b"{", IDEMPOTENCY_MS),
        ] {
            store.bury(&letter).await.unwrap();
        }
        let letters = store.letters(10).await.unwrap();
        assert_eq!(
            letters,
            [
                letter("bad", b"{", IDEMPOTENCY_MS),
                letter("bad", b"{\xff", 3),
                letter("worse", b"{", 2),
                letter("bad", b"{", 0),
            ]
        );
        assert_eq!(store.letters(1).await.unwrap(), letters[..1]);
    });
}

#[test]
fn the_oldest_letter_goes_when_there_are_too_many() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        store.ready().await.unwrap();
        file.raw()
            .execute(
                "INSERT INTO dead_letters (at, digest, reason, payload) \
                 WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) \
                 SELECT ?2 + i, CAST(i AS BLOB), 'old', x'00' FROM n",
                rusqlite::params![i64::try_from(MAX_DEAD_LETTERS).unwrap(), NOW_MS],
            )
            .unwrap();
        store.bury(&letter("new", b"!", DAY_MS)).await.unwrap();
        let letters = store.letters(u32::MAX).await.unwrap();
        assert_eq!(letters.len() as u64, MAX_DEAD_LETTERS);
        assert_eq!(letters[0].reason, "new");
        assert_eq!(letters.last().unwrap().at, at(1));
    });
}
