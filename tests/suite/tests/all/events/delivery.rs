//! Tests of the delivery of published scores from the channel into the store.

use leaderboard_test_support::{ApiClient, RedisServer, StoreKind, block_on, wait_until};
use serde_json::json;

use super::{message, publish, read_letters, read_scores, score, start_region, wait_for_listeners};

/// Runs a test on a host that listens to a Redis server and has this kind of store.
fn run_with_store(store: StoreKind, test: impl AsyncFnOnce(&ApiClient, &RedisServer)) {
    block_on(async {
        let redis = RedisServer::start();
        let region = start_region((store == StoreKind::Redis).then_some(&redis), &redis).await;
        wait_for_listeners(&redis, 1).await;
        test(&region.api(), &redis).await;
    });
}

async fn published_scores_are_applied_in_order_and_once(api: &ApiClient, redis: &RedisServer) {
    api.create_leaderboard("b", &json!({"operator": "increment"}))
        .await;
    api.create_leaderboard("last", &json!({"operator": "set"})).await;
    for n in 1..=30 {
        let mut to_both = score("p", n, &format!("m{n}"));
        to_both["leaderboards"] = json!(["b", "last"]);
        assert_eq!(
            publish(redis, &message(api, &[to_both, score("q", 1, &format!("q{n}"))])).await,
            1
        );
        if n % 10 == 0 {
            // Some of the same submissions again, in another message.
            publish(
                redis,
                &message(api, &[score("q", 1, "q1"), score("q", 1, &format!("q{n}"))]),
            )
            .await;
        }
    }
    publish(redis, &message(api, &[score("end", 1, "end")])).await;
    let all = wait_until(
        async || read_scores(api).await,
        |list| list.iter().any(|(player, _)| player == "end"),
    )
    .await;
    assert_eq!(
        all,
        [("end".to_owned(), 1), ("p".to_owned(), 465), ("q".to_owned(), 30)]
    );
    assert_eq!(api.list_entries("last").await[0].score, 30);
    assert_eq!(read_letters(api).await, []);
}

async fn a_message_reaches_only_its_own_tenant(api: &ApiClient, redis: &RedisServer) {
    let other = api.another_tenant();
    for tenant in [api, &other] {
        tenant
            .create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
    }
    // Both tenants use the same id, because an id belongs to a leaderboard of one tenant.
    publish(redis, &message(api, &[score("p", 1, "x")])).await;
    publish(redis, &message(&other, &[score("p", 10, "x")])).await;
    wait_until(async || read_scores(&other).await, |list| !list.is_empty()).await;
    assert_eq!(read_scores(api).await, [("p".to_owned(), 1)]);
    assert_eq!(read_scores(&other).await, [("p".to_owned(), 10)]);
}

async fn a_message_with_a_thousand_scores_is_applied(api: &ApiClient, redis: &RedisServer) {
    api.create_leaderboard("b", &json!({"operator": "increment"}))
        .await;
    let batch: Vec<_> = (0..1000)
        .map(|n| score(&format!("p{}", n % 7), 1, &n.to_string()))
        .collect();
    publish(redis, &message(api, &batch)).await;
    // Each submission is atomic, but the batch is not, so a read may see a part of the batch.
    let sum = async || read_scores(api).await.iter().map(|(_, score)| score).sum::<i64>();
    wait_until(sum, |sum| *sum == 1000).await;
    assert_eq!(read_letters(api).await, []);
}

mod sqlite {
    use leaderboard_test_support::StoreKind;

    use super::run_with_store;

    #[test]
    fn published_scores_are_applied_in_order_and_once() {
        run_with_store(
            StoreKind::Sqlite,
            super::published_scores_are_applied_in_order_and_once,
        );
    }

    #[test]
    fn a_message_reaches_only_its_own_tenant() {
        run_with_store(StoreKind::Sqlite, super::a_message_reaches_only_its_own_tenant);
    }

    #[test]
    fn a_message_with_a_thousand_scores_is_applied() {
        run_with_store(
            StoreKind::Sqlite,
            super::a_message_with_a_thousand_scores_is_applied,
        );
    }
}

mod redis {
    use leaderboard_test_support::StoreKind;

    use super::run_with_store;

    #[test]
    fn published_scores_are_applied_in_order_and_once() {
        run_with_store(
            StoreKind::Redis,
            super::published_scores_are_applied_in_order_and_once,
        );
    }

    #[test]
    fn a_message_reaches_only_its_own_tenant() {
        run_with_store(StoreKind::Redis, super::a_message_reaches_only_its_own_tenant);
    }

    #[test]
    fn a_message_with_a_thousand_scores_is_applied() {
        run_with_store(
            StoreKind::Redis,
            super::a_message_with_a_thousand_scores_is_applied,
        );
    }
}
