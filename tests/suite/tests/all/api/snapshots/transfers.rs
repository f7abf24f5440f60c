//! Snapshots of exports and imports.

use serde_json::json;

use super::compare;
use crate::cases::api_cases;

api_cases! {
    async fn exports_and_imports(api) {
        api.create_leaderboard("goals", &json!({"ends_at": "2026-01-02T00:00:00Z"})).await;
        let score = json!({"player": "ann", "score": 3, "occurred_at": "2026-01-01T00:00:00Z"});
        api.submit("goals", &score).await;
        let exported = api.get("/leaderboards/goals/export").await;
        compare("exported", &exported);
        let lines = exported.json()["lines"].clone();
        api.delete("/leaderboards/goals").await.expect_status(204);
        let some = json!({"first_line": 1, "lines": lines.as_array().unwrap()[..3]});
        compare("imported", &api.post("/leaderboards/goals/import", &some).await);
        compare("import-read", &api.get("/leaderboards/goals/import").await);
    }
}
