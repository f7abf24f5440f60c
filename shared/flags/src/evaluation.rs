//! The result of an evaluation.

use std::fmt;

use serde_json::{Map, Value};

/// The outcome of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation<'a> {
    /// The value; `None` if the caller's default applies (the flag is disabled, or has no default).
    pub value: Option<&'a Value>,
    /// The name of the variant that has the value.
    pub variant: Option<&'a str>,
    /// The reason for the value.
    pub reason: Reason,
    /// The type of every variant of the flag.
    pub flag_type: FlagType,
    /// The metadata of the flag; [`crate::FlagSet::metadata`] returns the metadata of the set.
    pub metadata: &'a Map<String, Value>,
}

impl Evaluation<'_> {
    /// Checks that the value has the type that the caller needs.
    ///
    /// # Errors
    /// [`ErrorCode::TypeMismatch`] if there is a value of another type.
    pub fn of_type(self, wanted: FlagType) -> Result<Self, EvaluationError> {
        if self.value.is_some() && self.flag_type != wanted {
            let detail = format!("the flag's values are of type {}, not {wanted}", self.flag_type);
            return Err(EvaluationError {
                code: ErrorCode::TypeMismatch,
                detail,
            });
        }
        Ok(self)
    }
}

/// Why a flag has its value. The names are OpenFeature's, used as flagd uses them: if `fractional` chose a variant, that is a
/// targeting match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The flag has no targeting.
    Static,
    /// The targeting chose the variant.
    TargetingMatch,
    /// The targeting chose no variant, or the flag has no default.
    Default,
    /// The flag is switched off.
    Disabled,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Static, Self::TargetingMatch, Self::Default, Self::Disabled];

    /// Returns the word that the API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Default => "DEFAULT",
            Self::Disabled => "DISABLED",
        }
    }
}

/// The type of a flag's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagType {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A number, whole or not.
    Number,
    /// A JSON object.
    Object,
}

impl FlagType {
    /// Returns the type of a value; `None` for a value that no variant may have.
    pub(crate) const fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) => Some(Self::Boolean),
            Value::String(_) => Some(Self::String),
            Value::Number(_) => Some(Self::Number),
            Value::Object(_) => Some(Self::Object),
            Value::Null | Value::Array(_) => None,
        }
    }
}

impl fmt::Display for FlagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Number => "number",
            Self::Object => "object",
        })
    }
}

/// Why an evaluation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationError {
    /// The kind of error.
    pub code: ErrorCode,
    /// What happened, as text for people. The text contains no part of the context.
    pub detail: String,
}

impl EvaluationError {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for EvaluationError {}

/// The error codes of OpenFeature that an evaluation can end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// No flag has this key.
    FlagNotFound,
    /// The flag's targeting cannot be read.
    ParseError,
    /// The flag's values have another type than the caller needs.
    TypeMismatch,
    /// The context is not a JSON object.
    InvalidContext,
    /// The targeting names a variant that the flag does not have, or takes more than [`crate::limits::MAX_STEPS`] steps.
    General,
}

impl ErrorCode {
    /// All error codes.
    pub const ALL: [Self; 5] = [
        Self::FlagNotFound,
        Self::ParseError,
        Self::TypeMismatch,
        Self::InvalidContext,
        Self::General,
    ];

    /// Returns the word that the API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::ParseError => "PARSE_ERROR",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::InvalidContext => "INVALID_CONTEXT",
            Self::General => "GENERAL",
        }
    }
}
