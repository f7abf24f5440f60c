//! Tests of tenants' records, and of their effects on other routes.

use leaderboard_test_support::{ApiClient, ApiResponse, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Returns the path of the tenant's record.
fn record_path(api: &ApiClient) -> String {
    format!("/tenants/{}", api.tenant)
}

/// Sends a read without a credential.
async fn get_anonymously(api: &ApiClient, path: &str) -> ApiResponse {
    api.request("GET", path).without_header("x-api-key").send().await
}

api_cases! {
    async fn a_record_is_created_read_replaced_and_patched(api) {
        let path = record_path(api);
        api.get(&path).await.expect_problem(404, "tenant-not-found");
        let body = json!({"title": "Acme", "quotas": {"entries": u64::MAX.to_string()}});
        let created = api.put(&path, &body).await;
        assert_eq!(created.header("location"), format!("/api/v1{path}"));
        let whole = json!({"id": api.tenant, "title": "Acme", "state": "active",
            "quotas": {"leaderboards": null, "entries": "18446744073709551615", "requests_per_day": null,
            "log_bytes": 1_073_741_824_u64}, "tokens_not_before": null});
        assert_eq!(created.expect_status(201), whole);
        let tag = created.header("etag").to_owned();
        let same = api.put(&path, &whole).await;
        assert_eq!((same.header("etag"), same.expect_status(200)), (tag.as_str(), whole));
        let stale = api.request("PATCH", &path).header("if-match", "\"0\"").json(&json!({"title": "x"})).send().await;
        stale.expect_problem(412, "precondition-failed");
        let patched = api.patch(&path, &json!({"quotas": {"entries": null}})).await.expect_status(200);
        assert_eq!(api.get(&path).await.expect_status(200), patched);
        assert_eq!((&patched["title"], &patched["quotas"]["entries"]), (&json!("Acme"), &Value::Null));
        let known = api.request("GET", &path).header("if-none-match", &tag).send().await;
        assert_eq!(known.status, 200);
    }

    async fn every_record_is_in_the_list_once(api) {
        api.put(&record_path(api), &json!({})).await.expect_status(201);
        let (mut found, mut cursor) = (0, String::new());
        loop {
            let page = api.get(&format!("/tenants?limit=1{cursor}")).await.expect_status(200);
            found += usize::from(page["tenants"][0]["id"] == json!(api.tenant));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, 1);
    }

    async fn requests_of_a_suspended_tenant_are_refused_until_it_is_active_again(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "p", 1).await;
        let entries = "/leaderboards/b/entries";
        assert_eq!(get_anonymously(api, entries).await.status, 200);
        api.put(&record_path(api), &json!({"state": "suspended"})).await.expect_status(201);
        let refused = wait_until(async || get_anonymously(api, entries).await, |answer| answer.status == 403).await;
        refused.expect_problem(403, "tenant-suspended");
        // The operator still has access, and the data is unchanged.
        assert_eq!(api.list_entries("b").await.len(), 1);
        api.patch(&record_path(api), &json!({"state": "active"})).await.expect_status(200);
        wait_until(async || get_anonymously(api, entries).await.status, |status| *status == 200).await;
    }

    async fn requests_beyond_a_quota_are_refused(api) {
        let quotas = json!({"leaderboards": 1, "entries": 2, "requests_per_day": 4, "log_bytes": 10_000});
        api.put(&record_path(api), &json!({"quotas": quotas})).await.expect_status(201);
        api.create_leaderboard("b", &json!({})).await;
        api.put("/leaderboards/c", &json!({})).await.expect_problem(409, "quota-reached");
        api.submit_score("b", "p", 1).await;
        api.submit_score("b", "q", 1).await;
        let score = |player: &str| json!({"player": player, "score": 2});
        api.post("/leaderboards/b/scores", &score("r")).await.expect_problem(409, "quota-reached");
        let own = api.get("/tenant").await.expect_status(200);
        assert_eq!(own["quotas"], quotas);
        assert_eq!((&own["holdings"]["leaderboards"], &own["holdings"]["entries"]), (&json!(1), &json!(2)));
        let refused = wait_until(
            async || get_anonymously(api, "/leaderboards/b/entries").await,
            |answer| answer.status != 200,
        )
        .await;
        assert_eq!(refused.status, 429);
        // The quota of requests does not apply to the operator, so that the operator can make corrections.
        api.post("/leaderboards/b/scores", &score("p")).await.expect_status(200);
    }

    async fn usage_is_listed_by_day_with_the_entry_quota(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "p", 1).await;
        let batch = json!({"scores": [{"player": "q", "score": 1}, {"player": "r", "score": 1}]});
        api.post("/leaderboards/b/scores", &batch).await.expect_status(207);
        let own = api.get("/tenant/usage").await.expect_status(200);
        let scores: u64 = own["days"].as_array().unwrap().iter().map(|day| day["scores"].as_u64().unwrap()).sum();
        assert_eq!((scores, &own["holdings"]["entries"]), (3, &json!(3)));
        assert!(own["holdings"]["log_bytes"].as_u64().unwrap() > 0);
        assert_eq!(own["days"][0]["day"].as_str().unwrap().len(), "2026-01-01".len());
        assert!(own["days"][0]["requests"].as_u64().unwrap() >= 2);
        let seen = api.get(&format!("{}/usage?days=2", record_path(api))).await.expect_status(200);
        assert_eq!((&seen["tenant"], &seen["holdings"]), (&json!(api.tenant), &own["holdings"]));
        for path in ["/tenant/usage?days=401", "/tenant/usage?days=0", "/tenant?days=1"] {
            api.get(path).await.expect_problem(400, "invalid-parameter");
        }
    }

    async fn operator_and_tenant_routes_need_a_credential(api) {
        for (verb, path) in [("GET", "/tenants"), ("GET", "/tenants/default"), ("PUT", "/tenants/default"),
            ("PATCH", "/tenants/default"), ("GET", "/tenants/default/usage"), ("GET", "/tenants/default/shard"), ("PUT", "/tenants/default/shard"), ("GET", "/operator/audit"),
            ("GET", "/tenant"), ("GET", "/dead-letters"), ("GET", "/health/detailed"), ("GET", "/metrics")] {
            let refused = api.request(verb, path).without_header("x-api-key").json(&json!({})).send().await;
            refused.expect_problem(401, "unauthenticated");
        }
    }

    async fn a_tenant_without_a_record_works_with_the_defaults(api) {
        api.patch(&record_path(api), &json!({})).await.expect_problem(404, "tenant-not-found");
        api.put("/tenants/Upper", &json!({})).await.expect_problem(400, "invalid-parameter");
        let refused = api.put(&record_path(api), &json!({"quotas": {"entries": "many"}})).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/quotas/entries");
        api.create_leaderboard("b", &json!({})).await;
        let own = api.get("/tenant").await.expect_status(200);
        assert_eq!([&own["id"], &own["state"]], [&json!(api.tenant), &json!("active")]);
        assert_eq!([&own["holdings"]["leaderboards"], &own["holdings"]["entries"]], [1, 0]);
    }

    async fn only_null_takes_back_a_revocation_of_tokens(api) {
        let instant = json!("2026-07-19T21:00:00.000Z");
        let put = async |body: Value| api.put(&record_path(api), &body).await.json()["tokens_not_before"].clone();
        let patch = async |body: Value| api.patch(&record_path(api), &body).await.expect_status(200)["tokens_not_before"].clone();
        for _ in 0..2 {
            assert_eq!(put(json!({"tokens_not_before": instant})).await, instant);
            // A replacement without this field keeps the revocation.
            assert_eq!(put(json!({"title": "Acme"})).await, instant);
            assert_eq!(patch(json!({"title": "x"})).await, instant);
            assert_eq!(put(json!({"tokens_not_before": null})).await, Value::Null);
            assert_eq!(put(json!({})).await, Value::Null);
        }
        put(json!({"tokens_not_before": instant})).await;
        assert_eq!(patch(json!({"tokens_not_before": null})).await, Value::Null);
    }

    async fn event_logs_and_idempotency_records_have_a_quota_of_bytes(api) {
        api.put(&record_path(api), &json!({"quotas": {"log_bytes": 600}})).await.expect_status(201);
        api.create_leaderboard("b", &json!({"log": {"keep_events": 3, "keep_days": 7}})).await;
        let score = async |body: Value| api.post("/leaderboards/b/scores", &body).await;
        let with_id = |n: u32| json!({"player": "p", "score": 1, "id": n.to_string()});
        let mut taken = 0;
        let full = loop {
            let answer = score(with_id(taken)).await;
            if answer.status != 200 {
                break answer;
            }
            taken += 1;
        };
        let problem = full.expect_problem(409, "quota-reached");
        assert!(taken > 0 && problem["detail"].as_str().unwrap().contains("log_bytes"), "{taken} {problem}");
        // A replay is answered, and a score without an id is accepted.
        assert_eq!(score(with_id(0)).await.expect_status(200)["replayed"], true);
        assert_eq!(score(json!({"player": "p", "score": 2})).await.expect_status(200)["status"], "improved");
        api.patch(&record_path(api), &json!({"quotas": {"log_bytes": null}})).await.expect_status(200);
        wait_until(async || score(with_id(taken)).await.status, |status| *status == 200).await;
    }
}
