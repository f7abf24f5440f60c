//! Changes of what rules a tenant hold in every instance of the region once they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::edgeboard::{Edgeboard, over_http};

/// How many ask at a time.
const READERS: usize = 8;
/// How often the flag changes.
const CHANGES: i64 = 25;

async fn put(edgeboard: &Edgeboard, value: i64) {
    let flag = json!({"state": "ENABLED", "variants": {"now": value}, "defaultVariant": "now"});
    let answer = edgeboard.put("/flags", &json!({"flags": {"number": flag}})).await;
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
}

async fn value(edgeboard: &Edgeboard) -> i64 {
    let call = edgeboard.anywhere("POST", "/ofrep/v1/evaluate/flags/number");
    let answer = call.json(&json!({"context": {}})).send().await;
    match answer.status {
        404 => 0,
        _ => answer.is(200)["value"].as_i64().unwrap(),
    }
}

over_http! {
    async fn no_response_goes_back_to_a_document_from_before_a_change_that_was_answered(edgeboard) {
        // Instances that know there is none.
        let before = [value(edgeboard).await, value(edgeboard).await];
        assert_eq!(before, [0, 0]);
        let answered = Arc::new(AtomicI64::new(0));
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            let (edgeboard, answered) = (edgeboard.clone(), Arc::clone(&answered));
            readers.spawn(async move {
                let mut asked = 0;
                while answered.load(Ordering::SeqCst) < CHANGES {
                    let least = answered.load(Ordering::SeqCst);
                    let found = value(&edgeboard).await;
                    assert!(found >= least, "{found} after {least} was answered");
                    asked += 1;
                }
                asked
            });
        }
        for n in 1..=CHANGES {
            put(edgeboard, n).await;
            answered.store(n, Ordering::SeqCst);
            assert_eq!(value(edgeboard).await, n);
        }
        let asked: u32 = readers.join_all().await.into_iter().sum();
        assert!(asked > 0);
    }

    async fn a_first_record_of_a_tenant_holds_at_once(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        let read = async || {
            let call = edgeboard.call("GET", "/leaderboards/b/entries").without("x-api-key");
            call.send().await.status
        };
        for _ in 0..10 {
            assert_eq!(read().await, 200);
        }
        let path = format!("/tenants/{}", edgeboard.tenant);
        for (state, status) in [("suspended", 403), ("active", 200), ("suspended", 403)] {
            let answer = edgeboard.put(&path, &json!({"state": state})).await;
            assert!(matches!(answer.status, 200 | 201), "{answer:?}");
            for _ in 0..10 {
                assert_eq!(read().await, status, "{state}");
            }
        }
        let _: Value = edgeboard.put(&path, &json!({"state": "active"})).await.is(200);
    }
}
