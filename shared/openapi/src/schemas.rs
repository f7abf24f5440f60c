//! The schemas of all documents. Each function, and each crate that owns a document, adds its own.

use leaderboard_api::schema::{Schemas, any_object, described};
use leaderboard_api::{ApiVersion, IntegerFormat};
use serde_json::{Value, json};

use crate::patch::add_patch;

/// Returns the schemas of a version, with 64-bit integers in the form of `integers`.
pub(crate) fn schemas(version: ApiVersion, integers: IntegerFormat) -> Value {
    let mut all = Schemas::new(version);
    leaderboard_api::add_schemas(&mut all);
    leaderboard_flags_function::add_schemas(&mut all);
    leaderboard_ops_function::add_schemas(&mut all);
    leaderboard_ranks_function::add_schemas(&mut all);
    leaderboard_scores_function::add_schemas(&mut all);
    leaderboard_tenants_function::add_schemas(&mut all);
    leaderboard_webhooks_function::add_schemas(&mut all);
    add_patch(&mut all, "LeaderboardWritten");
    add_patch(&mut all, "TenantWritten");
    all.insert("Description", described(any_object(), "An OpenAPI 3.1 document."));
    let format = json!({"type": "string", "enum": ["string"]});
    all.insert(
        "IntegerFormat",
        described(format, "The form of 64-bit integers (`Int64`) in responses."),
    );
    all.insert("Int64", int64(integers));
    all.by_name.into_iter().collect()
}

/// Returns the schema `Int64`. It has a list of types instead of a `oneOf`, because code generators make a class of each branch
/// of a `oneOf`.
fn int64(integers: IntegerFormat) -> Value {
    match integers {
        IntegerFormat::NumberOrString => json!({
            "type": ["integer", "string"], "format": "int64", "pattern": DECIMAL,
            "description": "A 64-bit integer: a number if it is within ±(2^53 − 1), so that every JSON reader keeps it exact; otherwise a string of decimal digits. Requests may contain either form.",
        }),
        IntegerFormat::String => json!({
            "type": "string", "pattern": DECIMAL,
            "description": "A 64-bit integer as a string of decimal digits.",
        }),
    }
}

/// The pattern of a 64-bit integer in decimal digits.
const DECIMAL: &str = "^(0|-?[1-9][0-9]{0,19})$";
