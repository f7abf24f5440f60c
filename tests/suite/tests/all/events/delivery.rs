//! From the channel into the store.

use leaderboard_suite::RedisServer;
use serde_json::json;

use super::{letters, listened_to, message, publish, region, score, scores};
use crate::edgeboard::{Edgeboard, Store, eventually};
use crate::harness::block_on;

/// Runs a test on a host that is woken by a Redis and keeps its data in a store.
fn on(store: Store, test: impl AsyncFnOnce(&Edgeboard, &RedisServer)) {
    block_on(async {
        let redis = RedisServer::start();
        let region = region((store == Store::Redis).then_some(&redis), &redis).await;
        listened_to(&redis, 1).await;
        test(&region.edgeboard(), &redis).await;
    });
}

async fn published_scores_are_applied_in_order_and_once(edgeboard: &Edgeboard, redis: &RedisServer) {
    edgeboard.board("b", &json!({"operator": "increment"})).await;
    edgeboard.board("last", &json!({"operator": "set"})).await;
    for n in 1..=30 {
        let mut to_both = score("p", n, &format!("m{n}"));
        to_both["leaderboards"] = json!(["b", "last"]);
        assert_eq!(
            publish(
                redis,
                &message(edgeboard, &[to_both, score("q", 1, &format!("q{n}"))])
            )
            .await,
            1
        );
        if n % 10 == 0 {
            // The same again, in one piece or in another.
            publish(
                redis,
                &message(edgeboard, &[score("q", 1, "q1"), score("q", 1, &format!("q{n}"))]),
            )
            .await;
        }
    }
    publish(redis, &message(edgeboard, &[score("end", 1, "end")])).await;
    let all = eventually(
        async || scores(edgeboard).await,
        |list| list.iter().any(|(player, _)| player == "end"),
    )
    .await;
    assert_eq!(
        all,
        [("end".to_owned(), 1), ("p".to_owned(), 465), ("q".to_owned(), 30)]
    );
    assert_eq!(edgeboard.list("last").await[0].score, 30);
    assert_eq!(letters(edgeboard).await, []);
}

async fn messages_reach_their_own_tenant_alone(edgeboard: &Edgeboard, redis: &RedisServer) {
    let other = Edgeboard::new(&edgeboard.url);
    for tenant in [edgeboard, &other] {
        tenant.board("b", &json!({"operator": "increment"})).await;
    }
    // The same ids: they belong to a leaderboard of a tenant.
    publish(redis, &message(edgeboard, &[score("p", 1, "x")])).await;
    publish(redis, &message(&other, &[score("p", 10, "x")])).await;
    eventually(async || scores(&other).await, |list| !list.is_empty()).await;
    assert_eq!(scores(edgeboard).await, [("p".to_owned(), 1)]);
    assert_eq!(scores(&other).await, [("p".to_owned(), 10)]);
}

async fn a_thousand_scores_in_one_message(edgeboard: &Edgeboard, redis: &RedisServer) {
    edgeboard.board("b", &json!({"operator": "increment"})).await;
    let batch: Vec<_> = (0..1000)
        .map(|n| score(&format!("p{}", n % 7), 1, &n.to_string()))
        .collect();
    publish(redis, &message(edgeboard, &batch)).await;
    // Another request may see a batch while it is being applied: each submission is atomic, not all together.
    let sum = async || {
        scores(edgeboard)
            .await
            .iter()
            .map(|(_, score)| score)
            .sum::<i64>()
    };
    eventually(sum, |sum| *sum == 1000).await;
    assert_eq!(letters(edgeboard).await, []);
}

mod sqlite {
    use super::{Store, on};

    #[test]
    fn published_scores_are_applied_in_order_and_once() {
        on(
            Store::Sqlite,
            super::published_scores_are_applied_in_order_and_once,
        );
    }

    #[test]
    fn messages_reach_their_own_tenant_alone() {
        on(Store::Sqlite, super::messages_reach_their_own_tenant_alone);
    }

    #[test]
    fn a_thousand_scores_in_one_message() {
        on(Store::Sqlite, super::a_thousand_scores_in_one_message);
    }
}

mod redis {
    use super::{Store, on};

    #[test]
    fn published_scores_are_applied_in_order_and_once() {
        on(
            Store::Redis,
            super::published_scores_are_applied_in_order_and_once,
        );
    }

    #[test]
    fn messages_reach_their_own_tenant_alone() {
        on(Store::Redis, super::messages_reach_their_own_tenant_alone);
    }

    #[test]
    fn a_thousand_scores_in_one_message() {
        on(Store::Redis, super::a_thousand_scores_in_one_message);
    }
}
