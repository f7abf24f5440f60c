//! Flags and their evaluation.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Known, known};

pub(super) fn add(all: &mut Vec<Known>) {
    known::<FlagSet>(all);
    known::<OfrepContext>(all);
    known::<OfrepFlag>(all);
    known::<OfrepFlags>(all);
    known::<OfrepFailure>(all);
}

/// A flagd definition.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FlagSet {
    /// Flags by their keys: `state`, `variants`, `defaultVariant`, `targeting`.
    #[schema(value_type = Object)]
    pub flags: Map<String, Value>,
}

/// What flags are evaluated for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OfrepContext {
    /// `targetingKey`, and whatever the rules ask for.
    #[schema(value_type = Object)]
    pub context: Map<String, Value>,
}

/// The value of a flag.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OfrepFlag {
    /// Its key.
    pub key: String,
    /// Why this value.
    pub reason: String,
    /// Left out: the client's own default holds.
    #[schema(value_type = Option<Value>)]
    pub value: Option<Value>,
    /// The name of the value.
    #[schema(nullable = false)]
    pub variant: Option<String>,
    /// Of the set and of the flag.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

/// Why a flag has no value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfrepFailure {
    /// Its key.
    #[schema(nullable = false)]
    pub key: Option<String>,
    /// For programs.
    pub error_code: String,
    /// In words.
    pub error_details: String,
}

/// A flag of many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum OfrepOutcome {
    /// It has a value.
    Flag(OfrepFlag),
    /// It has none.
    Failure(OfrepFailure),
}

/// All flags.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OfrepFlags {
    /// By the order of their keys.
    pub flags: Vec<OfrepOutcome>,
    /// Of the sets.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}
