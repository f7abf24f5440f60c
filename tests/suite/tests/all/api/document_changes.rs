//! Tests that a confirmed change of a tenant's documents applies in every instance of the region.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cases::api_cases;

/// How many clients read at the same time.
const READERS: usize = 8;
/// How often the flag changes.
const CHANGES: i64 = 25;

/// Puts a flag `number` with this value.
async fn put_flag(api: &ApiClient, value: i64) {
    let flag = json!({"state": "ENABLED", "variants": {"now": value}, "defaultVariant": "now"});
    let answer = api.put("/flags", &json!({"flags": {"number": flag}})).await;
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
}

/// Evaluates the flag `number`. Returns 0 if there is no such flag.
async fn evaluate_flag(api: &ApiClient) -> i64 {
    let call = api.request_at("POST", "/ofrep/v1/evaluate/flags/number");
    let answer = call.json(&json!({"context": {}})).send().await;
    match answer.status {
        404 => 0,
        _ => answer.expect_status(200)["value"].as_i64().unwrap(),
    }
}

api_cases! {
    async fn no_response_uses_a_document_from_before_a_confirmed_change(api) {
        // After these reads, instances have in memory that the document does not exist.
        let before = [evaluate_flag(api).await, evaluate_flag(api).await];
        assert_eq!(before, [0, 0]);
        let answered = Arc::new(AtomicI64::new(0));
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            let (api, answered) = (api.clone(), Arc::clone(&answered));
            readers.spawn_local(async move {
                let mut reads = 0;
                while answered.load(Ordering::SeqCst) < CHANGES {
                    let least = answered.load(Ordering::SeqCst);
                    let found = evaluate_flag(&api).await;
                    assert!(found >= least, "{found} after {least} was answered");
                    reads += 1;
                }
                reads
            });
        }
        for n in 1..=CHANGES {
            put_flag(api, n).await;
            answered.store(n, Ordering::SeqCst);
            assert_eq!(evaluate_flag(api).await, n);
        }
        let reads: u32 = readers.join_all().await.into_iter().sum();
        assert!(reads > 0);
    }

    async fn a_first_record_of_a_tenant_takes_effect_at_once(api) {
        api.create_leaderboard("b", &json!({})).await;
        let read = async || {
            let call = api.request("GET", "/leaderboards/b/entries").without_header("x-api-key");
            call.send().await.status
        };
        for _ in 0..10 {
            assert_eq!(read().await, 200);
        }
        let path = format!("/tenants/{}", api.tenant);
        for (state, status) in [("suspended", 403), ("active", 200), ("suspended", 403)] {
            let answer = api.put(&path, &json!({"state": state})).await;
            assert!(matches!(answer.status, 200 | 201), "{answer:?}");
            for _ in 0..10 {
                assert_eq!(read().await, status, "{state}");
            }
        }
        let _: Value = api.put(&path, &json!({"state": "active"})).await.expect_status(200);
    }
}
