//! Tests of a stream of the queue that somebody else deleted.

use leaderboard_core::PlayerId;
use leaderboard_core::ports::{EnqueueRefusal, FinishedItem, MAX_QUEUED_BYTES, NewQueueItem, Queue};

use crate::server::Server;
use crate::world::tenant;

#[tokio::test]
async fn after_the_stream_was_deleted_its_requests_can_be_sent_again() {
    let server = Server::start().await;
    let store = server.store().await;
    let large = vec![b'x'; usize::try_from(MAX_QUEUED_BYTES / 4).unwrap()];
    let player = PlayerId::new("p").unwrap();
    let item = |id| NewQueueItem {
        id,
        player: Some(&player),
        digest: [7; 16],
        payload: &large,
    };
    let small = NewQueueItem {
        payload: b"x",
        ..item("done")
    };
    assert_eq!(store.enqueue(&tenant(), &small).await, Ok(Ok(())));
    let claimed = store.claim_items(1, 60_000).await.unwrap().remove(0);
    let finished = FinishedItem {
        item: claimed,
        result: b"result".to_vec(),
    };
    store.finish_items(Some(&tenant()), &[finished]).await.unwrap();
    for id in ["1", "2", "3", "4"] {
        assert_eq!(store.enqueue(&tenant(), &item(id)).await, Ok(Ok(())));
    }
    let full = Ok(Err(EnqueueRefusal::QueueFull));
    assert_eq!(store.enqueue(&tenant(), &item("5")).await, full);
    let list_pending = async || {
        let pending = store.list_pending(&tenant(), &player, 10).await.unwrap();
        pending
            .into_iter()
            .map(|one| one.id.into_string())
            .collect::<Vec<_>>()
    };
    assert!(!list_pending().await.is_empty());
    server.run_command("DEL eb::queue").await;
    assert!(list_pending().await.is_empty());
    for id in ["1", "6", "7", "8"] {
        assert_eq!(store.enqueue(&tenant(), &item(id)).await, Ok(Ok(())), "{id}");
    }
    assert_eq!(
        list_pending().await,
        ["1"],
        "one payload exceeds the bytes of a list"
    );
    assert_eq!(store.enqueue(&tenant(), &item("9")).await, full);
    assert_eq!(store.find_request(&tenant(), "2").await, Ok(None));
    let done = store.find_request(&tenant(), "done").await.unwrap().unwrap();
    assert_eq!(done.result.as_deref(), Some(&b"result"[..]));
    let claimed = store.claim_items(10, 60_000).await.unwrap();
    assert_eq!(claimed.len(), 1, "one item exceeds the bytes of a claim");
}
