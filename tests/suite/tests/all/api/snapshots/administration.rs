//! Snapshots of tenants, limits and the audit log. The test has its own service, so it lists no other
//! tenants.

use leaderboard_test_support::{ApiClient, StoreKind, TestService};
use serde_json::json;

use super::compare;
use crate::cases::on_both_kinds;

on_both_kinds! {
    tenants_limits_and_audit_log
}

async fn tenants_limits_and_audit_log(store: StoreKind) {
    let service = TestService::start(store).await;
    let api = ApiClient::over_http(&service.host.url()).for_tenant("acme");

    let record = json!({"title": "Acme", "quotas": {"leaderboards": 100, "entries": 1_000_000}});
    compare("tenant-created", &api.put("/tenants/acme", &record).await);
    compare("tenant-replaced", &api.put("/tenants/acme", &record).await);
    let patch = json!({"quotas": {"requests_per_day": 5_000_000}});
    compare("tenant-patched", &api.patch("/tenants/acme", &patch).await);
    compare("tenant-read", &api.get("/tenants/acme").await);
    api.put("/tenants/bets", &json!({})).await.expect_status(201);
    compare("tenants-listed", &api.get("/tenants?limit=1").await);
    compare("v2-tenants-listed", &api.get_v2("/tenants?limit=1").await);

    api.create_leaderboard("goals", &json!({})).await;
    api.submit_score("goals", "ann", 1).await;
    compare("tenant-own", &api.get("/tenant").await);
    compare("usage", &api.get("/tenant/usage").await);
    compare("tenant-shard", &api.get("/tenants/acme/shard").await);
    compare(
        "tenant-moved",
        &api.put("/tenants/acme/shard", &json!({"shard": 1})).await,
    );

    let limits = json!({"policies": {"player": {"quota": 50, "burst": 100}, "tenant": "off"}, "addresses": {"deny": ["192.0.2.0/24"]}});
    compare("limits-created", &api.put("/limits", &limits).await);
    compare("limits-replaced", &api.put("/limits", &limits).await);
    compare("limits-read", &api.get("/limits").await);

    compare("audit", &api.get("/audit?limit=2").await);
    compare("v2-audit", &api.get_v2("/audit?limit=2").await);
}
