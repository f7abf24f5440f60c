//! Documents that the functions write, each described by a type; the documents of `leaderboard-api` carry their schemas
//! themselves. The answers that tests get are held
//! to these schemas, the examples too. Unknown fields are errors, so an answer that grows a field fails the tests.

pub mod administration;
pub mod audit;
pub mod bans;
pub mod entries;
pub mod flags;
pub mod health;
pub mod identity;
pub mod outcomes;
mod patch;

use leaderboard_api::IntegerFormat;
use leaderboard_api::schema::Schemas;
use serde_json::{Value, json};

/// All schemas.
pub(crate) fn all() -> Schemas {
    let mut all = Schemas::default();
    entries::add(&mut all);
    leaderboard_api::wire::add_schemas(&mut all);
    patch::add_patch(&mut all, "LeaderboardWritten");
    outcomes::add(&mut all);
    bans::add(&mut all);
    administration::add(&mut all);
    audit::add(&mut all);
    health::add(&mut all);
    identity::add(&mut all);
    flags::add(&mut all);
    all
}

/// The schema `Int64`. It names its types in a list: code generators make a class of each branch of a `oneOf`.
pub(crate) fn int64(integers: IntegerFormat) -> Value {
    match integers {
        IntegerFormat::NumberOrString => json!({
            "type": ["integer", "string"], "format": "int64", "pattern": DECIMAL,
            "description": "A 64-bit integer: a number within ±(2^53 − 1), which every reader keeps exact, a string beyond. Both are accepted.",
        }),
        IntegerFormat::String => json!({
            "type": "string", "pattern": DECIMAL,
            "description": "A 64-bit integer in decimal digits.",
        }),
    }
}

/// Decimal digits of an integer of 64 bits.
const DECIMAL: &str = "^(0|-?[1-9][0-9]{0,19})$";
