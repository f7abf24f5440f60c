//! From the channel into the store.

use leaderboard_test_support::{ApiClient, RedisServer, StoreKind, block_on, wait_until};
use serde_json::json;

use super::{letters, listened_to, message, publish, region, score, scores};

/// Runs a test on a host that is woken by a Redis and keeps its data in a store.
fn on(store: StoreKind, test: impl AsyncFnOnce(&ApiClient, &RedisServer)) {
    block_on(async {
        let redis = RedisServer::start();
        let region = region((store == StoreKind::Redis).then_some(&redis), &redis).await;
        listened_to(&redis, 1).await;
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
            // The same again, in one piece or in another.
            publish(
                redis,
                &message(api, &[score("q", 1, "q1"), score("q", 1, &format!("q{n}"))]),
            )
            .await;
        }
    }
    publish(redis, &message(api, &[score("end", 1, "end")])).await;
    let all = wait_until(
        async || scores(api).await,
        |list| list.iter().any(|(player, _)| player == "end"),
    )
    .await;
    assert_eq!(
        all,
        [("end".to_owned(), 1), ("p".to_owned(), 465), ("q".to_owned(), 30)]
    );
    assert_eq!(api.list_entries("last").await[0].score, 30);
    assert_eq!(letters(api).await, []);
}

async fn messages_reach_their_own_tenant_alone(api: &ApiClient, redis: &RedisServer) {
    let other = api.another_tenant();
    for tenant in [api, &other] {
        tenant
            .create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
    }
    // The same ids: they belong to a leaderboard of a tenant.
    publish(redis, &message(api, &[score("p", 1, "x")])).await;
    publish(redis, &message(&other, &[score("p", 10, "x")])).await;
    wait_until(async || scores(&other).await, |list| !list.is_empty()).await;
    assert_eq!(scores(api).await, [("p".to_owned(), 1)]);
    assert_eq!(scores(&other).await, [("p".to_owned(), 10)]);
}

async fn a_thousand_scores_in_one_message(api: &ApiClient, redis: &RedisServer) {
    api.create_leaderboard("b", &json!({"operator": "increment"}))
        .await;
    let batch: Vec<_> = (0..1000)
        .map(|n| score(&format!("p{}", n % 7), 1, &n.to_string()))
        .collect();
    publish(redis, &message(api, &batch)).await;
    // Another request may see a batch while it is being applied: each submission is atomic, not all together.
    let sum = async || scores(api).await.iter().map(|(_, score)| score).sum::<i64>();
    wait_until(sum, |sum| *sum == 1000).await;
    assert_eq!(letters(api).await, []);
}

mod sqlite {
    use leaderboard_test_support::StoreKind;

    use super::on;

    #[test]
    fn published_scores_are_applied_in_order_and_once() {
        on(
            StoreKind::Sqlite,
            super::published_scores_are_applied_in_order_and_once,
        );
    }

    #[test]
    fn messages_reach_their_own_tenant_alone() {
        on(StoreKind::Sqlite, super::messages_reach_their_own_tenant_alone);
    }

    #[test]
    fn a_thousand_scores_in_one_message() {
        on(StoreKind::Sqlite, super::a_thousand_scores_in_one_message);
    }
}

mod redis {
    use leaderboard_test_support::StoreKind;

    use super::on;

    #[test]
    fn published_scores_are_applied_in_order_and_once() {
        on(
            StoreKind::Redis,
            super::published_scores_are_applied_in_order_and_once,
        );
    }

    #[test]
    fn messages_reach_their_own_tenant_alone() {
        on(StoreKind::Redis, super::messages_reach_their_own_tenant_alone);
    }

    #[test]
    fn a_thousand_scores_in_one_message() {
        on(StoreKind::Redis, super::a_thousand_scores_in_one_message);
    }
}
