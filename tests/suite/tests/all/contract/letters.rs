//! Letters that could not be delivered, and signs of life.

use leaderboard_core::ports::{DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, Readiness};

use crate::given::at;
use crate::harness::on_both_stores;

fn letter(at_ms: i64, reason: &str, payload: &[u8]) -> DeadLetter {
    DeadLetter {
        at: at(at_ms),
        reason: reason.into(),
        payload: payload.into(),
    }
}

on_both_stores! {
    async fn letters_come_newest_first(world) {
        assert_eq!(world.store.letters(10).await.unwrap(), []);
        let all = [letter(2, "c", b"{}"), letter(1, "b", b""), letter(0, "a \"é\"", &[0, 0xff, b'\n'])];
        for letter in all.iter().rev() {
            world.store.bury(letter).await.unwrap();
        }
        assert_eq!(world.store.letters(10).await.unwrap(), all);
        assert_eq!(world.store.letters(2).await.unwrap(), all[..2]);
    }

    async fn the_same_letter_is_kept_once_a_day(world) {
        world.store.bury(&letter(0, "bad", b"x")).await.unwrap();
        world.store.bury(&letter(5, "bad", b"x")).await.unwrap();
        assert_eq!(world.store.letters(10).await.unwrap(), [letter(0, "bad", b"x")]);
        world.store.bury(&letter(6, "worse", b"x")).await.unwrap();
        world.store.bury(&letter(7, "bad", b"xx")).await.unwrap();
        assert_eq!(world.store.letters(10).await.unwrap().len(), 3);
        world.store.bury(&letter(IDEMPOTENCY_MS + 8, "bad", b"x")).await.unwrap();
        assert_eq!(world.store.letters(10).await.unwrap().len(), 4);
    }

    async fn the_oldest_letters_go_first(world) {
        for n in 0..MAX_DEAD_LETTERS + 3 {
            world.store.bury(&letter(n.cast_signed(), "bad", n.to_string().as_bytes())).await.unwrap();
        }
        let kept = world.store.letters(u32::MAX).await.unwrap();
        assert_eq!(kept.len() as u64, MAX_DEAD_LETTERS);
        assert_eq!(kept.last().map(|letter| letter.payload.as_slice()), Some(&b"3"[..]));
    }

    async fn a_store_that_is_there_says_so(world) {
        assert_eq!(world.store.ready().await, Ok(()));
    }
}
