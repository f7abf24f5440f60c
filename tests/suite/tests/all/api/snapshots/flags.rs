//! Flags and their evaluation.

use serde_json::{Value, json};

use super::compare;
use crate::edgeboard::{Edgeboard, Reply, eventually, over_http};

/// Evaluates; a change of the set may take a while to be seen by every instance.
async fn evaluated(edgeboard: &Edgeboard, path: &str, context: &Value, status: u16) -> Reply {
    let path = format!("/ofrep/v1/evaluate/flags{path}");
    let ask = async || edgeboard.anywhere("POST", &path).json(context).send().await;
    let hoped = |answer: &Reply| {
        answer.status == status && answer.json().get("flags").is_none_or(|all| all != &json!([]))
    };
    eventually(ask, hoped).await
}

over_http! {
    async fn flags(edgeboard) {
        let set = json!({"metadata": {"flagSetId": "games"}, "flags": {
            "greeting": {"state": "ENABLED", "variants": {"short": "hey", "long": "good evening"}, "defaultVariant": "short",
                "targeting": {"if": [{"==": [{"var": "plan"}, "vip"]}, "long"]}},
            "lost": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on", "targeting": {"if": [true, "nowhere"]}},
            "new-ranks": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
        }});
        compare("flags-created", &edgeboard.put("/flags", &set).await);
        compare("flags-replaced", &edgeboard.put("/flags", &set).await);
        compare("flags-read", &edgeboard.get("/flags").await);

        let vip = json!({"context": {"targetingKey": "ann", "plan": "vip"}});
        compare("ofrep-one", &evaluated(edgeboard, "/greeting", &vip, 200).await);
        compare("ofrep-all", &evaluated(edgeboard, "", &vip, 200).await);
        compare("ofrep-not-evaluated", &evaluated(edgeboard, "/lost", &vip, 400).await);
        compare("ofrep-no-flag", &evaluated(edgeboard, "/none", &vip, 404).await);
        compare("ofrep-bad-context", &evaluated(edgeboard, "", &json!({"context": 1}), 400).await);
    }
}
