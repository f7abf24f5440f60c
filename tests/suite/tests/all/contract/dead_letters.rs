//! Tests of dead letters, and of the readiness check.

use leaderboard_core::TenantId;
use leaderboard_core::ports::{
    DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, Readiness, StoredDeadLetter,
};
use leaderboard_model::Model;
use leaderboard_test_support::values::{at, tenant};

use crate::cases::on_both_stores;

fn letter(at_ms: i64, reason: &str, payload: &[u8]) -> DeadLetter {
    DeadLetter {
        at: at(at_ms),
        reason: reason.into(),
        payload: payload.into(),
    }
}

/// Lists all dead letters of a tenant, or of everyone with `None`.
async fn list_all(store: &impl DeadLetters, tenant: Option<&TenantId>) -> Vec<StoredDeadLetter> {
    store.list_dead_letters(tenant, None, u32::MAX).await.unwrap()
}

/// Returns the letters without their ids, because each store numbers letters in its own way.
fn letters(stored: Vec<StoredDeadLetter>) -> Vec<DeadLetter> {
    stored.into_iter().map(|stored| stored.letter).collect()
}

on_both_stores! {
    async fn dead_letters_are_listed_newest_first(fixture) {
        assert_eq!(list_all(&fixture.store, None).await, []);
        let newest_first = [letter(2, "c", b"{}"), letter(1, "b", b""), letter(0, "a \"é\"", &[0, 0xff, b'\n'])];
        for letter in newest_first.iter().rev() {
            fixture.store.push_dead_letters(None, std::slice::from_ref(letter)).await.unwrap();
        }
        assert_eq!(letters(list_all(&fixture.store, None).await), newest_first);
        let two = fixture.store.list_dead_letters(None, None, 2).await.unwrap();
        assert_eq!(letters(two.clone()), newest_first[..2]);
        assert_eq!(fixture.store.list_dead_letters(None, None, 0).await.unwrap(), []);
        let rest = fixture.store.list_dead_letters(None, Some(two[1].id), 2).await.unwrap();
        assert_eq!(letters(rest), newest_first[2..]);
    }

    async fn a_dead_letter_belongs_to_its_tenant_and_is_found_by_its_id(fixture) {
        let (a, b) = (tenant("a"), tenant("b"));
        let one = letter(0, "bad", b"x");
        for owner in [Some(&a), Some(&b), None] {
            fixture.store.push_dead_letters(owner, &[one.clone(), letter(1, "bad", b"y")]).await.unwrap();
        }
        assert_eq!(list_all(&fixture.store, None).await.len(), 6);
        for owner in [&a, &b] {
            let own = list_all(&fixture.store, Some(owner)).await;
            assert_eq!(own.len(), 2);
            for stored in own {
                assert_eq!(stored.tenant.as_ref(), Some(owner));
                assert_eq!(fixture.store.read_dead_letter(stored.id).await, Ok(Some(stored)));
            }
        }
        let of_a = list_all(&fixture.store, Some(&a)).await;
        assert_eq!(fixture.store.delete_dead_letter(of_a[1].id).await, Ok(true));
        assert_eq!(fixture.store.delete_dead_letter(of_a[1].id).await, Ok(false));
        assert_eq!(fixture.store.read_dead_letter(of_a[1].id).await, Ok(None));
        assert_eq!(list_all(&fixture.store, Some(&a)).await, of_a[..1]);
        assert_eq!(list_all(&fixture.store, None).await.len(), 5);
        assert_eq!(fixture.store.read_dead_letter(u64::MAX).await, Ok(None));
        // A new letter has a larger id than all earlier letters, and a list can continue before that id.
        fixture.store.push_dead_letters(Some(&a), &[one]).await.unwrap();
        let newest = list_all(&fixture.store, Some(&a)).await;
        assert!(newest[0].id > of_a[0].id && newest.len() == 2, "{newest:?}");
        let older = fixture.store.list_dead_letters(Some(&a), Some(newest[0].id), 10).await.unwrap();
        assert_eq!(older, of_a[..1]);
    }

    async fn the_same_dead_letter_is_kept_once_a_day(fixture) {
        let model = Model::new();
        let (a, b) = (tenant("a"), tenant("b"));
        let day = IDEMPOTENCY_MS;
        for (owner, at_ms, reason, payload) in [
            (None, 0, "bad", &b"x"[..]),
            (None, 5, "bad", b"x"),
            (None, 6, "worse", b"x"),
            (None, 7, "bad", b"xx"),
            (None, -5, "bad", b"x"),
            (Some(&a), 8, "bad", b"x"),
            (Some(&b), 9, "bad", b"x"),
            (Some(&a), day - 1, "bad", b"x"),
            (None, day, "bad", b"x"),
            (None, day + 8, "bad", b"x"),
            (Some(&a), day + 8, "bad", b"x"),
        ] {
            let letter = letter(at_ms, reason, payload);
            model.push_dead_letters(owner, std::slice::from_ref(&letter)).await.unwrap();
            fixture.store.push_dead_letters(owner, &[letter.clone(), letter]).await.unwrap();
            assert_eq!(letters(list_all(&fixture.store, None).await), letters(list_all(&model, None).await));
        }
        // A deleted letter is kept when it is pushed again.
        let newest = list_all(&fixture.store, Some(&b)).await.remove(0);
        fixture.store.delete_dead_letter(newest.id).await.unwrap();
        fixture.store.push_dead_letters(Some(&b), std::slice::from_ref(&newest.letter)).await.unwrap();
        assert_eq!(letters(list_all(&fixture.store, Some(&b)).await), [newest.letter]);
    }

    async fn the_oldest_dead_letters_of_a_tenant_are_deleted_first(fixture) {
        let (a, b) = (tenant("a"), tenant("b"));
        fixture.store.push_dead_letters(Some(&b), &[letter(0, "bad", b"x")]).await.unwrap();
        let many: Vec<_> = (0..MAX_DEAD_LETTERS + 3)
            .map(|n| letter(n.cast_signed(), "bad", n.to_string().as_bytes()))
            .collect();
        for chunk in many.chunks(1000) {
            fixture.store.push_dead_letters(Some(&a), chunk).await.unwrap();
        }
        let kept = list_all(&fixture.store, Some(&a)).await;
        assert_eq!(kept.len() as u64, MAX_DEAD_LETTERS);
        assert_eq!(kept.last().map(|kept| kept.letter.payload.as_slice()), Some(&b"3"[..]));
        assert_eq!(list_all(&fixture.store, Some(&b)).await.len(), 1);
    }

    async fn a_reachable_store_is_ready(fixture) {
        assert_eq!(fixture.store.check_ready().await, Ok(()));
    }
}
