//! Tests of the durable queue.

use leaderboard_core::ports::{
    ClaimedItem, EnqueueRefusal, FinishedItem, MAX_CLAIMED_BYTES, MAX_QUEUED_BYTES, MAX_QUEUED_ITEMS,
    NewQueueItem, Queue, QueuedRequest,
};
use leaderboard_test_support::values::{player, tenant};
use leaderboard_test_support::wait_until;

use crate::cases::on_both_stores;

/// A lease that does not end during a test.
const LONG_LEASE_MS: u32 = 60_000;
/// A lease that a test waits for.
const SHORT_LEASE_MS: u32 = 1_500;

fn item<'a>(id: &'a str, payload: &'a [u8]) -> NewQueueItem<'a> {
    NewQueueItem {
        id,
        player: None,
        digest: [7; 16],
        payload,
    }
}

/// Returns the ids of claimed requests, and how often each was claimed.
fn ids_and_attempts(claimed: &[ClaimedItem]) -> Vec<(&str, u32)> {
    let ids = claimed.iter().map(|item| {
        let (_, id) = item.request.as_ref().expect("the item is a request");
        (&**id, item.attempts)
    });
    ids.collect()
}

async fn claim_all(queue: &impl Queue) -> Vec<ClaimedItem> {
    queue.claim_items(1_000, LONG_LEASE_MS).await.unwrap()
}

fn finished(item: &ClaimedItem, result: &[u8]) -> FinishedItem {
    FinishedItem {
        item: item.clone(),
        result: result.to_vec(),
    }
}

on_both_stores! {
    async fn early_items_of_a_tenant_are_found_behind_those_of_others(fixture) {
        let (suspended, own) = (tenant("a"), tenant("b"));
        for n in 0..2_500 {
            let id = n.to_string();
            fixture.store.enqueue(&suspended, &item(&id, b"x")).await.unwrap().unwrap();
        }
        fixture.store.enqueue(&own, &item("1", b"x")).await.unwrap().unwrap();
        let now = async || fixture.store.measure_queue().await.unwrap().now.unwrap();
        let until = now().await;
        let search = async |until| {
            let mut from: Option<Box<str>> = None;
            loop {
                let found = fixture.store.find_early_items(&own, until, from.as_deref()).await.unwrap();
                if found.is_found || found.is_complete {
                    return found.is_found;
                }
                assert_ne!(found.next, from, "the search does not go on");
                from = found.next;
            }
        };
        assert!(search(until).await);
        let first = fixture.store.measure_queue().await.unwrap().oldest_at.unwrap();
        assert!(!search(first.saturating_add_ms(-1)).await, "no item is that early");
        let claimed = fixture.store.claim_items(3_000, LONG_LEASE_MS).await.unwrap();
        let is_own = |item: &&ClaimedItem| item.request.as_ref().is_some_and(|(of, _)| *of == own);
        let item = claimed.iter().find(is_own).unwrap();
        fixture.store.finish_items(Some(&own), &[finished(item, b"")]).await.unwrap();
        assert!(!search(until).await, "only another tenant has early items");
    }

    async fn items_are_claimed_in_order_and_once(fixture) {
        // With several shards, the order holds on each of them. These two tenants live on one.
        let (a, b) = (tenant("a"), tenant("c"));
        assert_eq!(claim_all(&fixture.store).await, []);
        for (owner, id) in [(&a, "1"), (&b, "1"), (&a, "2"), (&a, "3")] {
            assert_eq!(fixture.store.enqueue(owner, &item(id, id.as_bytes())).await, Ok(Ok(())));
        }
        let first = fixture.store.claim_items(2, LONG_LEASE_MS).await.unwrap();
        assert_eq!(ids_and_attempts(&first), [("1", 1), ("1", 1)]);
        assert_eq!([&first[0], &first[1]].map(|item| item.request.as_ref().map(|(of, _)| of)), [Some(&a), Some(&b)]);
        let rest = claim_all(&fixture.store).await;
        assert_eq!(ids_and_attempts(&rest), [("2", 1), ("3", 1)]);
        assert_eq!(rest[1].payload, b"3");
        assert!(rest[0].enqueued_at >= first[0].enqueued_at);
        assert_eq!(claim_all(&fixture.store).await, []);
    }

    async fn an_item_is_due_again_when_its_lease_has_ended(fixture) {
        let owner = tenant("a");
        fixture.store.enqueue(&owner, &item("1", b"x")).await.unwrap().unwrap();
        let first = fixture.store.claim_items(10, SHORT_LEASE_MS).await.unwrap();
        assert_eq!(fixture.store.claim_items(10, SHORT_LEASE_MS).await.unwrap(), []);
        let again = wait_until(
            async || fixture.store.claim_items(10, SHORT_LEASE_MS).await.unwrap(),
            |claimed| !claimed.is_empty(),
        )
        .await;
        assert_eq!(ids_and_attempts(&again), [("1", 2)]);
        assert_eq!((&again[0].name, again[0].enqueued_at), (&first[0].name, first[0].enqueued_at));
    }

    async fn a_retried_item_is_due_after_its_wait(fixture) {
        let owner = tenant("a");
        for id in ["1", "2"] {
            fixture.store.enqueue(&owner, &item(id, b"x")).await.unwrap().unwrap();
        }
        let claimed = claim_all(&fixture.store).await;
        fixture.store.retry_items(&claimed[..1], 0, LONG_LEASE_MS).await.unwrap();
        assert_eq!(ids_and_attempts(&claim_all(&fixture.store).await), [("1", 2)]);
        fixture.store.retry_items(&claimed[1..], SHORT_LEASE_MS, LONG_LEASE_MS).await.unwrap();
        assert_eq!(claim_all(&fixture.store).await, []);
        let due = wait_until(async || claim_all(&fixture.store).await, |claimed| !claimed.is_empty()).await;
        assert_eq!(ids_and_attempts(&due), [("2", 2)]);
        // An item that was finished in the meantime does not come back.
        fixture.store.finish_items(Some(&owner), &[finished(&due[0], b"done")]).await.unwrap();
        fixture.store.retry_items(&due, 0, LONG_LEASE_MS).await.unwrap();
        assert_eq!(claim_all(&fixture.store).await, []);
    }

    async fn an_item_that_is_given_back_comes_before_newer_items_and_was_not_tried(fixture) {
        let owner = tenant("a");
        for id in ["1", "2", "3"] {
            fixture.store.enqueue(&owner, &item(id, b"x")).await.unwrap().unwrap();
        }
        let mut claimed = fixture.store.claim_items(2, LONG_LEASE_MS).await.unwrap();
        for item in &mut claimed {
            item.attempts -= 1;
            item.payload.clear();
        }
        fixture.store.retry_items(&claimed, 0, LONG_LEASE_MS).await.unwrap();
        let again = claim_all(&fixture.store).await;
        assert_eq!(ids_and_attempts(&again), [("1", 1), ("2", 1), ("3", 1)]);
        assert_eq!(again[0].payload, b"x");
    }

    async fn the_result_of_a_finished_request_is_kept(fixture) {
        let owner = tenant("a");
        let by_ann = NewQueueItem { player: Some(&player("ann")), ..item("1", b"x") };
        fixture.store.enqueue(&owner, &by_ann).await.unwrap().unwrap();
        let state = |result: Option<&[u8]>| {
            Ok(Some(QueuedRequest { player: Some(player("ann")), result: result.map(<[u8]>::to_vec) }))
        };
        assert_eq!(fixture.store.find_request(&owner, "1").await, state(None));
        assert_eq!(fixture.store.find_request(&tenant("b"), "1").await, Ok(None));
        let claimed = claim_all(&fixture.store).await;
        assert_eq!(fixture.store.find_request(&owner, "1").await, state(None));
        fixture.store.finish_items(Some(&owner), &[finished(&claimed[0], b"first")]).await.unwrap();
        // Two drains can finish the same item. The first result stays.
        fixture.store.finish_items(Some(&owner), &[finished(&claimed[0], b"second")]).await.unwrap();
        assert_eq!(fixture.store.find_request(&owner, "1").await, state(Some(b"first")));
        assert_eq!(claim_all(&fixture.store).await, []);
        // The same request again has its result already.
        assert_eq!(fixture.store.enqueue(&owner, &by_ann).await, Ok(Ok(())));
        assert_eq!(claim_all(&fixture.store).await, []);
    }

    async fn pending_requests_of_a_player_are_listed_oldest_first(fixture) {
        let (owner, ann, bob) = (tenant("a"), player("ann"), player("bob"));
        let mut claimed = Vec::new();
        // The order of the ids is the opposite of the order of the requests.
        for n in (10..30).rev() {
            let id = n.to_string();
            for (of, prefix) in [(&ann, "a"), (&bob, "b")] {
                let id = format!("{prefix}{id}");
                let item = NewQueueItem { player: Some(of), ..item(&id, id.as_bytes()) };
                fixture.store.enqueue(&owner, &item).await.unwrap().unwrap();
            }
            claimed.extend(claim_all(&fixture.store).await);
        }
        let list = async |limit| {
            let pending = fixture.store.list_pending(&owner, &ann, limit).await.unwrap();
            assert!(pending.iter().all(|one| one.payload == one.id.as_bytes()));
            pending.iter().map(|one| one.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(list(3).await, ["a29", "a28", "a27"]);
        assert_eq!(list(100).await.len(), 20);
        fixture.store.finish_items(Some(&owner), &[finished(&claimed[0], b"")]).await.unwrap();
        assert_eq!(list(3).await, ["a28", "a27", "a26"]);
        assert_eq!(fixture.store.list_pending(&tenant("b"), &ann, 3).await.unwrap(), []);
    }

    async fn an_id_is_queued_once_and_refused_with_another_digest(fixture) {
        let owner = tenant("a");
        let other = NewQueueItem { digest: [8; 16], ..item("1", b"y") };
        for _ in 0..2 {
            assert_eq!(fixture.store.enqueue(&owner, &item("1", b"x")).await, Ok(Ok(())));
        }
        assert_eq!(fixture.store.enqueue(&owner, &other).await, Ok(Err(EnqueueRefusal::IdConflict)));
        let claimed = claim_all(&fixture.store).await;
        assert_eq!(ids_and_attempts(&claimed), [("1", 1)]);
        fixture.store.finish_items(Some(&owner), &[finished(&claimed[0], b"done")]).await.unwrap();
        assert_eq!(fixture.store.enqueue(&owner, &other).await, Ok(Err(EnqueueRefusal::IdConflict)));
    }

    async fn a_full_queue_refuses_its_tenant_alone(fixture) {
        let (a, b) = (tenant("a"), tenant("b"));
        for n in 0..MAX_QUEUED_ITEMS {
            fixture.store.enqueue(&a, &item(&n.to_string(), b"x")).await.unwrap().unwrap();
        }
        assert_eq!(fixture.store.enqueue(&a, &item("more", b"x")).await, Ok(Err(EnqueueRefusal::QueueFull)));
        assert_eq!(fixture.store.enqueue(&a, &item("0", b"x")).await, Ok(Ok(())), "the queue has this one");
        assert_eq!(fixture.store.enqueue(&b, &item("more", b"x")).await, Ok(Ok(())));
        let claimed = claim_all(&fixture.store).await;
        let first = claimed.iter().find(|item| item.request.as_ref().is_some_and(|(of, _)| *of == a)).unwrap();
        assert_eq!(fixture.store.enqueue(&a, &item("more", b"x")).await, Ok(Err(EnqueueRefusal::QueueFull)));
        fixture.store.finish_items(Some(&a), &[finished(first, b"")]).await.unwrap();
        assert_eq!(fixture.store.enqueue(&a, &item("more", b"x")).await, Ok(Ok(())));
    }

    async fn the_bytes_of_a_tenants_items_are_limited(fixture) {
        let owner = tenant("a");
        let large = vec![b'x'; usize::try_from(MAX_QUEUED_BYTES / 4).unwrap()];
        for id in ["1", "2", "3", "4"] {
            assert_eq!(fixture.store.enqueue(&owner, &item(id, &large)).await, Ok(Ok(())));
        }
        assert_eq!(fixture.store.enqueue(&owner, &item("5", b"x")).await, Ok(Err(EnqueueRefusal::QueueFull)));
    }

    async fn a_claim_stops_after_its_maximum_of_bytes(fixture) {
        let owner = tenant("a");
        let half = vec![b'x'; MAX_CLAIMED_BYTES / 2];
        for id in ["1", "2", "3"] {
            fixture.store.enqueue(&owner, &item(id, &half)).await.unwrap().unwrap();
        }
        for expected in [&[("1", 1), ("2", 1)][..], &[("3", 1)], &[]] {
            assert_eq!(ids_and_attempts(&claim_all(&fixture.store).await), expected);
        }
    }
}
