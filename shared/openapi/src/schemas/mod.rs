//! The documents of the API as their readers know them: each is described by its type, and the examples, which are real
//! answers, are read with that very type. Unknown fields are errors, so an answer that grows a field fails the test.

pub mod administration;
pub mod entries;
pub mod flags;
pub mod identity;
pub mod leaderboard;
pub mod outcomes;

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A schema, and what reads documents of it.
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) schema: Value,
    pub(crate) reads: fn(&Value) -> Result<(), String>,
}

/// One type, as a known schema, and those it is made of.
fn known<T: ToSchema + for<'de> Deserialize<'de>>(into: &mut Vec<Known>) {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    for (name, schema) in parts {
        if into.iter().all(|known| known.name != name) {
            into.push(Known {
                name,
                schema: serde_json::to_value(&schema).unwrap_or_default(),
                reads: |_| Ok(()),
            });
        }
    }
    let name = T::name().into_owned();
    into.retain(|known| known.name != name);
    into.push(Known {
        name,
        schema: serde_json::to_value(T::schema()).unwrap_or_default(),
        reads: |value| {
            T::deserialize(value)
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
    });
}

/// All schemas.
pub(crate) fn all() -> Vec<Known> {
    let mut all = Vec::new();
    entries::add(&mut all);
    leaderboard::add(&mut all);
    outcomes::add(&mut all);
    administration::add(&mut all);
    identity::add(&mut all);
    flags::add(&mut all);
    all
}

/// Reads a document as a schema says.
///
/// # Errors
/// Why it is none, or that there is no such schema.
pub(crate) fn read(name: &str, document: &Value) -> Result<(), String> {
    let known = all();
    let schema = known
        .iter()
        .find(|known| known.name == name)
        .ok_or_else(|| format!("there is no schema {name}"))?;
    (schema.reads)(document)
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
