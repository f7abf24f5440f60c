//! Snapshots of final standings and claims.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use super::{compare_with_replacements, create_goals};
use crate::cases::api_cases;

/// The period of the snapshots.
const PERIOD: &str = "1916-07-06";

/// Creates leaderboards with entries in 1916, and prizes.
async fn create_prizes(api: &ApiClient) {
    create_goals(api).await;
    let prizes =
        json!([{"name": "Gold", "from_rank": 1, "to_rank": 1}, {"name": "Chest", "top_percent": 50}]);
    let patch = json!({"prizes": prizes, "claim_days": 7});
    api.patch("/leaderboards/goals-by-year", &patch)
        .await
        .expect_status(200);
}

/// Compares a response with its snapshot, without the instant at which claims expire.
fn compare(name: &str, response: &leaderboard_test_support::ApiResponse) {
    let body = response.json();
    let claims = ["/claim", "/claims/0", "/data/0"];
    let expires_at = claims
        .iter()
        .find_map(|pointer| body.pointer(pointer)?.get("expires_at")?.as_str());
    let replacements = expires_at.map(|own| (own, "2026-11-28T10:00:00.000Z"));
    compare_with_replacements(name, response, replacements.as_slice());
}

api_cases! {
    async fn standings(api) {
        create_prizes(api).await;
        let at = |path: &str| format!("/leaderboards/goals-by-year{path}period={PERIOD}");
        let v2 = |path: String| api.request_at("GET", &format!("/api/v2{path}")).send();
        compare("standings", &api.get(&at("/standings?")).await);
        compare("v2-standings", &v2(at("/standings?limit=1&")).await);
        let body: Value = json!({"player": "Isabelino Gradín (Uruguay)", "period": PERIOD});
        compare("claim-created", &api.post("/leaderboards/goals-by-year/claims", &body).await);
        compare("claim-repeated", &api.post("/leaderboards/goals-by-year/claims", &body).await);
        compare("claim-read", &api.get(&at("/claims/Jos%C3%A9%20Piendibene%20(Uruguay)?")).await);
        compare("claims", &api.get(&at("/claims?")).await);
        compare("v2-claims", &v2(at("/claims?limit=1&")).await);
        compare("v2-claim-read", &v2(at("/claims/Isabelino%20Grad%C3%ADn%20(Uruguay)?")).await);
        let body: Value = json!({"player": "José Piendibene (Uruguay)", "period": PERIOD});
        let claim_in_v2 = || api.request_at("POST", "/api/v2/leaderboards/goals-by-year/claims").json(&body).send();
        compare("v2-claim-created", &claim_in_v2().await);
        compare("v2-claim-repeated", &claim_in_v2().await);
        let late = json!({"player": "New", "score": 1, "occurred_at": "1916-07-06T00:00:00Z"});
        compare("problem-standings-final", &api.post("/leaderboards/goals-by-year/scores", &late).await);
        compare("problem-period-not-ended", &api.get("/leaderboards/goals-by-year/standings?period=current").await);
    }
}
