//! The documents of the API as their readers know them: each is described by its type. The answers that tests get are held
//! to these schemas, the examples too. Unknown fields are errors, so an answer that grows a field fails the tests.

pub mod administration;
pub mod entries;
pub mod flags;
pub mod health;
pub mod identity;
pub mod leaderboard;
pub mod outcomes;

use serde::Deserialize;
use serde_json::{Map, Value};
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
    administration::add(&mut all);
    health::add(&mut all);
    identity::add(&mut all);
    flags::add(&mut all);
    all
}

/// A 64-bit integer: a number where every reader keeps it exact, otherwise a string.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Integer {
    /// Within ±(2^53 − 1).
    Number(i64),
    /// Beyond.
    Text(String),
}

/// An object of the client's own.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Metadata(pub Map<String, Value>);

/// A merge patch (RFC 7396): fields to set, `null` for those to take away.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Patch(pub Map<String, Value>);
