//! Tenants, limits, the audit log: on a host of one's own, so that nobody else is in the lists.

use serde_json::json;

use super::compare;
use crate::edgeboard::{Edgeboard, Site, Store};
use crate::harness::block_on;

#[test]
fn on_sqlite() {
    block_on(administration(Store::Sqlite));
}

#[test]
fn on_redis() {
    block_on(administration(Store::Redis));
}

async fn administration(store: Store) {
    let site = Site::start(store).await;
    let edgeboard = Edgeboard::of_tenant(site.host.url(), "acme");
    let second = |path: &str| edgeboard.anywhere("GET", &format!("/api/v2{path}")).send();

    let record = json!({"title": "Acme", "quotas": {"leaderboards": 100, "entries": 1_000_000}});
    compare("tenant-created", &edgeboard.put("/tenants/acme", &record).await);
    compare("tenant-replaced", &edgeboard.put("/tenants/acme", &record).await);
    let patch = json!({"quotas": {"requests_per_day": 5_000_000}});
    compare("tenant-patched", &edgeboard.patch("/tenants/acme", &patch).await);
    compare("tenant-read", &edgeboard.get("/tenants/acme").await);
    edgeboard.put("/tenants/bets", &json!({})).await.is(201);
    compare("tenants-listed", &edgeboard.get("/tenants?limit=1").await);
    compare("v2-tenants-listed", &second("/tenants?limit=1").await);

    edgeboard.board("goals", &json!({})).await;
    edgeboard.score("goals", "ann", 1).await;
    compare("tenant-own", &edgeboard.get("/tenant").await);
    compare("usage", &edgeboard.get("/tenant/usage").await);

    let limits = json!({"policies": {"player": {"quota": 50, "burst": 100}, "tenant": "off"}, "addresses": {"deny": ["192.0.2.0/24"]}});
    compare("limits-created", &edgeboard.put("/limits", &limits).await);
    compare("limits-replaced", &edgeboard.put("/limits", &limits).await);
    compare("limits-read", &edgeboard.get("/limits").await);

    compare("audit", &edgeboard.get("/audit?limit=2").await);
    compare("v2-audit", &second("/audit?limit=2").await);
}
