//! The documents of the API as their readers know them: each is described by its type. The answers that tests get are held
//! to these schemas, the examples too. Unknown fields are errors, so an answer that grows a field fails the tests.

pub mod administration;
pub mod audit;
pub mod bans;
pub mod entries;
pub mod flags;
pub mod health;
pub mod identity;
pub mod leaderboard;
pub mod outcomes;
mod patch;

use leaderboard_api::IntegerFormat;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A schema and its name.
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) schema: Value,
}

/// One type, as a known schema, and those it is made of.
fn known<T: ToSchema>(into: &mut Vec<Known>) {
    let mut all = Vec::new();
    T::schemas(&mut all);
    all.push((T::name().into_owned(), T::schema()));
    for (name, schema) in all {
        if into.iter().all(|known| known.name != name) {
            let schema = serde_json::to_value(&schema).unwrap_or_default();
            into.push(Known { name, schema });
        }
    }
}

/// All schemas.
pub(crate) fn all() -> Vec<Known> {
    let mut all = Vec::new();
    entries::add(&mut all);
    leaderboard::add(&mut all);
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

/// A 64-bit integer; [`int64`] makes its schema.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Int64 {
    /// A number.
    Number(i64),
    /// Decimal digits.
    Text(String),
}

/// An object of the client's own.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Metadata(pub Map<String, Value>);
