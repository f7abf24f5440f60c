//! Tenants' records, and what they do to everything else.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, Reply, eventually, over_http};

fn record(edgeboard: &Edgeboard) -> String {
    format!("/tenants/{}", edgeboard.tenant)
}

async fn anonymous(edgeboard: &Edgeboard, path: &str) -> Reply {
    edgeboard.call("GET", path).without("x-api-key").send().await
}

over_http! {
    async fn a_record_is_created_read_replaced_and_patched(edgeboard) {
        let path = record(edgeboard);
        edgeboard.get(&path).await.problem(404, "tenant-not-found");
        let body = json!({"title": "Acme", "quotas": {"entries": u64::MAX.to_string()}});
        let created = edgeboard.put(&path, &body).await;
        assert_eq!(created.header("location"), format!("/api/v1{path}"));
        let whole = json!({"id": edgeboard.tenant, "title": "Acme", "state": "active",
            "quotas": {"leaderboards": null, "entries": "18446744073709551615", "requests_per_day": null,
            "log_bytes": 1_073_741_824_u64}, "tokens_not_before": null});
        assert_eq!(created.is(201), whole);
        let tag = created.header("etag").to_owned();
        let same = edgeboard.put(&path, &whole).await;
        assert_eq!((same.header("etag"), same.is(200)), (tag.as_str(), whole));
        let stale = edgeboard.call("PATCH", &path).header("if-match", "\"0\"").json(&json!({"title": "x"})).send().await;
        stale.problem(412, "precondition-failed");
        let patched = edgeboard.patch(&path, &json!({"quotas": {"entries": null}})).await.is(200);
        assert_eq!(edgeboard.get(&path).await.is(200), patched);
        assert_eq!((&patched["title"], &patched["quotas"]["entries"]), (&json!("Acme"), &Value::Null));
        let known = edgeboard.call("GET", &path).header("if-none-match", &tag).send().await;
        assert_eq!(known.status, 200);
    }

    async fn every_record_is_in_the_list_once(edgeboard) {
        edgeboard.put(&record(edgeboard), &json!({})).await.is(201);
        let (mut found, mut cursor) = (0, String::new());
        loop {
            let page = edgeboard.get(&format!("/tenants?limit=1{cursor}")).await.is(200);
            found += usize::from(page["tenants"][0]["id"] == json!(edgeboard.tenant));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, 1);
    }

    async fn a_suspended_tenant_is_closed_everywhere_until_it_is_resumed(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        edgeboard.score("b", "p", 1).await;
        let entries = "/leaderboards/b/entries";
        assert_eq!(anonymous(edgeboard, entries).await.status, 200);
        edgeboard.put(&record(edgeboard), &json!({"state": "suspended"})).await.is(201);
        let refused = eventually(async || anonymous(edgeboard, entries).await, |answer| answer.status == 403).await;
        refused.problem(403, "tenant-suspended");
        // The operator still gets in, and the data is all there.
        assert_eq!(edgeboard.list("b").await.len(), 1);
        edgeboard.patch(&record(edgeboard), &json!({"state": "active"})).await.is(200);
        eventually(async || anonymous(edgeboard, entries).await.status, |status| *status == 200).await;
    }

    async fn quotas_hold(edgeboard) {
        let quotas = json!({"leaderboards": 1, "entries": 2, "requests_per_day": 4, "log_bytes": 10_000});
        edgeboard.put(&record(edgeboard), &json!({"quotas": quotas})).await.is(201);
        edgeboard.board("b", &json!({})).await;
        edgeboard.put("/leaderboards/c", &json!({})).await.problem(409, "quota-reached");
        edgeboard.score("b", "p", 1).await;
        edgeboard.score("b", "q", 1).await;
        let score = |player: &str| json!({"player": player, "score": 2});
        edgeboard.post("/leaderboards/b/scores", &score("r")).await.problem(409, "quota-reached");
        let own = edgeboard.get("/tenant").await.is(200);
        assert_eq!(own["quotas"], quotas);
        assert_eq!((&own["holdings"]["leaderboards"], &own["holdings"]["entries"]), (&json!(1), &json!(2)));
        let refused = eventually(
            async || anonymous(edgeboard, "/leaderboards/b/entries").await,
            |answer| answer.status != 200,
        )
        .await;
        assert_eq!(refused.status, 429);
        // The operator sets right what is wrong, and has no quota.
        edgeboard.post("/leaderboards/b/scores", &score("p")).await.is(200);
    }

    async fn usage_is_told_by_day_with_what_is_held(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        edgeboard.score("b", "p", 1).await;
        let batch = json!({"scores": [{"player": "q", "score": 1}, {"player": "r", "score": 1}]});
        edgeboard.post("/leaderboards/b/scores", &batch).await.is(207);
        let own = edgeboard.get("/tenant/usage").await.is(200);
        let scores: u64 = own["days"].as_array().unwrap().iter().map(|day| day["scores"].as_u64().unwrap()).sum();
        assert_eq!((scores, &own["holdings"]["entries"]), (3, &json!(3)));
        assert!(own["holdings"]["log_bytes"].as_u64().unwrap() > 0);
        assert_eq!(own["days"][0]["day"].as_str().unwrap().len(), "2026-01-01".len());
        assert!(own["days"][0]["requests"].as_u64().unwrap() >= 2);
        let seen = edgeboard.get(&format!("{}/usage?days=2", record(edgeboard))).await.is(200);
        assert_eq!((&seen["tenant"], &seen["holdings"]), (&json!(edgeboard.tenant), &own["holdings"]));
        for path in ["/tenant/usage?days=401", "/tenant/usage?days=0", "/tenant?days=1"] {
            edgeboard.get(path).await.problem(400, "invalid-parameter");
        }
    }

    async fn the_operators_routes_are_nobody_elses(edgeboard) {
        for (verb, path) in [("GET", "/tenants"), ("GET", "/tenants/default"), ("PUT", "/tenants/default"),
            ("PATCH", "/tenants/default"), ("GET", "/tenants/default/usage"), ("GET", "/operator/audit"),
            ("GET", "/dead-letters"), ("GET", "/health/detailed")] {
            let refused = edgeboard.call(verb, path).without("x-api-key").json(&json!({})).send().await;
            refused.problem(401, "unauthenticated");
        }
    }
}
