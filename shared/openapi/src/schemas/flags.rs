//! Flags and their evaluation.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use leaderboard_api::schema::Schemas;

pub(super) fn add(all: &mut Schemas) {
    all.add::<FlagSet>();
    all.add::<OfrepContext>();
    all.add::<OfrepFlag>();
    all.add::<OfrepFlags>();
    all.add::<OfrepFailure>();
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

/// Why a flag has its value. `DEFAULT` is flagd's, and not in OFREP's own list: no target fitted, and the default variant
/// holds. OpenFeature's clients know it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OfrepReason {
    /// It has no rules.
    Static,
    /// A rule chose it.
    TargetingMatch,
    /// No rule chose one.
    Default,
    /// The flag is switched off.
    Disabled,
}

/// Why a flag has no value, for programs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OfrepErrorCode {
    /// There is no such flag.
    FlagNotFound,
    /// The body is not JSON, or the flag cannot be read.
    ParseError,
    /// The value has another type.
    TypeMismatch,
    /// The context is no object.
    InvalidContext,
    /// Something else.
    General,
}

/// The value of a flag.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfrepFlag {
    /// Its key.
    pub key: String,
    /// Why this value.
    pub reason: OfrepReason,
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfrepFailure {
    /// Its key.
    #[schema(nullable = false)]
    pub key: Option<String>,
    /// For programs.
    pub error_code: OfrepErrorCode,
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
#[serde(deny_unknown_fields)]
pub struct OfrepFlags {
    /// By the order of their keys.
    pub flags: Vec<OfrepOutcome>,
    /// Of the sets.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}
