//! Tests of the delivery of published scores from the channel into the store.

use leaderboard_test_support::{RedisServer, StoreKind, wait_until};
use serde_json::json;

use super::{Region, message, publish, read_letters, read_scores, score, start_region, wait_for_listeners};
use crate::cases::on_both_kinds;

/// Starts a Redis server, and a host that listens to it and has this kind of store.
async fn start_host(store: StoreKind) -> (RedisServer, Region) {
    let redis = RedisServer::start();
    let region = start_region((store == StoreKind::Redis).then_some(&redis), &redis).await;
    wait_for_listeners(&redis, 1).await;
    (redis, region)
}

async fn published_scores_are_applied_in_order_and_once(store: StoreKind) {
    let (redis, region) = start_host(store).await;
    let (api, redis) = (&region.api(), &redis);
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

async fn a_message_reaches_only_its_own_tenant(store: StoreKind) {
    let (redis, region) = start_host(store).await;
    let (api, redis) = (&region.api(), &redis);
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

async fn a_message_with_a_thousand_scores_is_applied(store: StoreKind) {
    let (redis, region) = start_host(store).await;
    let (api, redis) = (&region.api(), &redis);
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

on_both_kinds! {
    published_scores_are_applied_in_order_and_once
    a_message_reaches_only_its_own_tenant
    a_message_with_a_thousand_scores_is_applied
}
