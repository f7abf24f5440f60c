//! The limits of an evaluation: its steps, and the depth of the values that a rule creates.

use std::borrow::Cow;

use serde_json::Value;

use super::RuleEvaluation;
use crate::limits::{BYTES_PER_STEP, MAX_VALUE_DEPTH};

/// Why an evaluation ended without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EvaluationStop {
    /// The evaluation used all its steps.
    Steps,
    /// The evaluation created a value with more than [`MAX_VALUE_DEPTH`] levels.
    Depth,
}

impl RuleEvaluation {
    /// Counts one step.
    pub(super) fn step(&mut self) -> Result<(), EvaluationStop> {
        self.take(1)
    }

    /// Counts the steps for a number of bytes of text.
    pub(super) fn take_text(&mut self, bytes: usize) -> Result<(), EvaluationStop> {
        self.take(u32::try_from(bytes / BYTES_PER_STEP).unwrap_or(u32::MAX))
    }

    pub(super) fn take(&mut self, steps: u32) -> Result<(), EvaluationStop> {
        self.steps = self
            .steps
            .checked_sub(steps)
            .ok_or(EvaluationStop::Steps)
            .inspect_err(|_| self.steps = 0)?;
        Ok(())
    }

    /// Returns an owned value, and counts the steps of copying it. Every list that a rule creates consists of such values, which
    /// limits the depth of all values.
    pub(super) fn own(&mut self, value: Cow<'_, Value>) -> Result<Value, EvaluationStop> {
        self.weigh(&value, MAX_VALUE_DEPTH)?;
        Ok(value.into_owned())
    }

    /// Counts the steps of reading two whole values.
    pub(super) fn weigh_both(&mut self, left: &Value, right: &Value) -> Result<(), EvaluationStop> {
        // A list of owned values is at most two levels deeper than these values.
        self.weigh(left, MAX_VALUE_DEPTH + 2)?;
        self.weigh(right, MAX_VALUE_DEPTH + 2)
    }

    fn weigh(&mut self, value: &Value, depth: usize) -> Result<(), EvaluationStop> {
        let below = depth.checked_sub(1).ok_or(EvaluationStop::Depth)?;
        self.step()?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::String(text) => self.take_text(text.len()),
            Value::Array(items) => items.iter().try_for_each(|item| self.weigh(item, below)),
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                self.take_text(name.len())?;
                self.weigh(member, below)
            }),
        }
    }
}
