//! A set of flags and their evaluation.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::eval::{EvaluationInput, EvaluationStop, RuleEvaluation};
use crate::evaluation::{ErrorCode, Evaluation, EvaluationError, FlagType, Reason};
use crate::flag::{Flag, Targeting};
use crate::limits::{MAX_STEPS, MAX_STEPS_OF_A_SET};
use crate::rule::TargetingRule;

/// The flags of one document.
#[derive(Debug, Clone, Default)]
pub struct FlagSet {
    flags: BTreeMap<String, Flag>,
    evaluators: Vec<TargetingRule>,
    metadata: Map<String, Value>,
}

/// The properties of a flag that do not depend on the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// Whether the flag is enabled.
    pub enabled: bool,
    /// The type of the flag's variants.
    pub flag_type: FlagType,
    /// Whether the flag has a default variant.
    pub has_default: bool,
}

impl FlagSet {
    pub(crate) const fn new(
        flags: BTreeMap<String, Flag>,
        evaluators: Vec<TargetingRule>,
        metadata: Map<String, Value>,
    ) -> Self {
        Self {
            flags,
            evaluators,
            metadata,
        }
    }

    /// Returns the keys of the flags, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.flags.keys().map(String::as_str)
    }

    /// Returns whether a flag has this key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.flags.contains_key(key)
    }

    /// Returns the properties of a flag; `None` if no flag has this key.
    #[must_use]
    pub fn outline(&self, key: &str) -> Option<Outline> {
        self.flags.get(key).map(|flag| Outline {
            enabled: flag.enabled,
            flag_type: flag.flag_type,
            has_default: flag.default_variant.is_some(),
        })
    }

    /// Returns the number of flags.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// Returns whether the set has no flag.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    /// Returns the metadata of the set.
    #[must_use]
    pub const fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }

    /// Returns the metadata of the set, in which the metadata of the flag replaces members with the same name.
    #[must_use]
    pub fn metadata_of(&self, key: &str) -> Map<String, Value> {
        let own = self.flags.get(key).map(|flag| &flag.metadata);
        let members = self.metadata.iter().chain(own.into_iter().flatten());
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Evaluates one flag. `context` is a JSON object, or null for an empty context. The member `$flagd` of the context is
    /// replaced by an object with the flag's key and the time. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// The error codes of flagd: unknown flag, broken rule, unknown variant, invalid context, too many steps.
    pub fn evaluate<'a>(
        &'a self,
        key: &str,
        context: &Value,
        now: i64,
    ) -> Result<Evaluation<'a>, EvaluationError> {
        self.evaluate_within(key, context, now, MAX_STEPS)
    }

    /// Does the same as [`FlagSet::evaluate`] with at most `max_steps` steps (and at most [`MAX_STEPS`]).
    ///
    /// # Errors
    /// As for [`FlagSet::evaluate`].
    pub fn evaluate_within<'a>(
        &'a self,
        key: &str,
        context: &Value,
        now: i64,
        max_steps: u32,
    ) -> Result<Evaluation<'a>, EvaluationError> {
        let Some((key, flag)) = self.flags.get_key_value(key) else {
            return Err(EvaluationError::new(
                ErrorCode::FlagNotFound,
                "there is no flag of this key",
            ));
        };
        let mut steps = max_steps.min(MAX_STEPS);
        self.evaluate_flag(key, flag, context, now, &mut steps)
    }

    /// Evaluates every flag, in the order of the keys. If one flag fails, the others are still evaluated, but all flags share
    /// [`MAX_STEPS_OF_A_SET`].
    pub fn evaluate_all<'a, 'c>(
        &'a self,
        context: &'c Value,
        now: i64,
    ) -> impl Iterator<Item = (&'a str, Result<Evaluation<'a>, EvaluationError>)> + use<'a, 'c> {
        let mut left = MAX_STEPS_OF_A_SET;
        self.flags.iter().map(move |(key, flag)| {
            let allowed = left.min(MAX_STEPS);
            let mut steps = allowed;
            let outcome = self.evaluate_flag(key, flag, context, now, &mut steps);
            left = left.saturating_sub(allowed.saturating_sub(steps));
            (key.as_str(), outcome)
        })
    }

    fn evaluate_flag<'a>(
        &'a self,
        key: &str,
        flag: &'a Flag,
        context: &Value,
        now: i64,
        steps: &mut u32,
    ) -> Result<Evaluation<'a>, EvaluationError> {
        if !matches!(context, Value::Object(_) | Value::Null) {
            return Err(EvaluationError::new(
                ErrorCode::InvalidContext,
                "the context must be an object",
            ));
        }
        if !flag.enabled {
            return Ok(flag.code_default(Reason::Disabled));
        }
        let rule = match &flag.targeting {
            Targeting::Absent => return Ok(flag.default_outcome(Reason::Static)),
            Targeting::Broken => {
                return Err(EvaluationError::new(
                    ErrorCode::ParseError,
                    "the targeting cannot be read",
                ));
            }
            Targeting::Rule(rule) => rule,
        };
        let input = EvaluationInput {
            evaluators: &self.evaluators,
            flag_key: key,
            context,
            now,
        };
        let mut evaluation = RuleEvaluation::new(*steps);
        let chosen = evaluation.run(rule, &input).map(variant_name);
        *steps = evaluation.steps_left();
        match chosen {
            Ok(Some(name)) => flag.variant_outcome(&name),
            Ok(None) => Ok(flag.default_outcome(Reason::Default)),
            Err(EvaluationStop::Steps) => Err(EvaluationError::new(
                ErrorCode::General,
                "the targeting takes too many steps",
            )),
            Err(EvaluationStop::Depth) => Err(EvaluationError::new(
                ErrorCode::General,
                "the targeting makes a value that is too deep",
            )),
        }
    }
}

/// Returns the name of the variant that a rule returned; `None` for null.
fn variant_name(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(name) => Some(name),
        other => Some(other.to_string()),
    }
}

impl Flag {
    fn code_default(&self, reason: Reason) -> Evaluation<'_> {
        Evaluation {
            value: None,
            variant: None,
            reason,
            flag_type: self.flag_type,
            metadata: &self.metadata,
        }
    }

    /// Returns the default variant. If the flag has no default variant, returns [`Reason::Default`] without a value, and the
    /// caller's default applies.
    fn default_outcome(&self, reason: Reason) -> Evaluation<'_> {
        let entry = self
            .default_variant
            .as_ref()
            .and_then(|name| self.variants.get_key_value(name));
        entry.map_or_else(
            || self.code_default(Reason::Default),
            |(name, value)| Evaluation {
                value: Some(value),
                variant: Some(name),
                reason,
                flag_type: self.flag_type,
                metadata: &self.metadata,
            },
        )
    }

    fn variant_outcome(&self, name: &str) -> Result<Evaluation<'_>, EvaluationError> {
        let Some((name, value)) = self.variants.get_key_value(name) else {
            return Err(EvaluationError::new(
                ErrorCode::General,
                "the targeting names no variant of the flag",
            ));
        };
        Ok(Evaluation {
            value: Some(value),
            variant: Some(name),
            reason: Reason::TargetingMatch,
            flag_type: self.flag_type,
            metadata: &self.metadata,
        })
    }
}
