//! Snapshots of flags and of their evaluation.

use leaderboard_test_support::{ApiClient, ApiResponse, wait_until};
use serde_json::{Value, json};

use super::compare;
use crate::cases::api_cases;

/// Repeats an evaluation until the response has this status and is not an empty list, because a change of the
/// flags may reach an instance late.
async fn wait_for_evaluation(api: &ApiClient, path: &str, context: &Value, status: u16) -> ApiResponse {
    let path = format!("/ofrep/v1/evaluate/flags{path}");
    let evaluate = async || api.request_at("POST", &path).json(context).send().await;
    let is_ready = |answer: &ApiResponse| {
        answer.status == status && answer.json().get("flags").is_none_or(|all| all != &json!([]))
    };
    wait_until(evaluate, is_ready).await
}

api_cases! {
    async fn flags(api) {
        let set = json!({"metadata": {"flagSetId": "games"}, "flags": {
            "greeting": {"state": "ENABLED", "variants": {"short": "hey", "long": "good evening"}, "defaultVariant": "short",
                "targeting": {"if": [{"==": [{"var": "plan"}, "vip"]}, "long"]}},
            "lost": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on", "targeting": {"if": [true, "nowhere"]}},
            "new-ranks": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
        }});
        compare("flags-created", &api.put("/flags", &set).await);
        compare("flags-replaced", &api.put("/flags", &set).await);
        compare("flags-read", &api.get("/flags").await);

        let vip = json!({"context": {"targetingKey": "ann", "plan": "vip"}});
        compare("ofrep-one", &wait_for_evaluation(api, "/greeting", &vip, 200).await);
        compare("ofrep-all", &wait_for_evaluation(api, "", &vip, 200).await);
        compare("ofrep-not-evaluated", &wait_for_evaluation(api, "/lost", &vip, 400).await);
        compare("ofrep-no-flag", &wait_for_evaluation(api, "/none", &vip, 404).await);
        compare("ofrep-bad-context", &wait_for_evaluation(api, "", &json!({"context": 1}), 400).await);
    }
}
