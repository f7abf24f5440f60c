//! Operations on numbers.

use std::borrow::Cow;

use super::coerce::{from_number, to_number};
use super::data::Scope;
use super::{NULL, OperationArguments, OperationResult, RuleEvaluation};
use crate::rule::RuleOperation;

impl RuleEvaluation {
    /// Evaluates an operation on numbers. Returns null if the result is not finite.
    pub(super) fn calculate<'s>(
        &mut self,
        operation: RuleOperation,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let mut numbers = Vec::with_capacity(arguments.len());
        for rule in arguments {
            let value = self.eval(rule, scope)?;
            self.weigh_both(&value, &NULL)?;
            numbers.push(to_number(&value));
        }
        Ok(Cow::Owned(from_number(result(operation, &numbers))))
    }
}

fn result(operation: RuleOperation, numbers: &[f64]) -> f64 {
    let pair = |of: fn(f64, f64) -> f64| match numbers {
        [left, right, ..] => of(*left, *right),
        _ => f64::NAN,
    };
    match operation {
        RuleOperation::Add => numbers.iter().sum(),
        RuleOperation::Multiply if !numbers.is_empty() => numbers.iter().product(),
        RuleOperation::Subtract if numbers.len() == 1 => pair_with_zero(numbers),
        RuleOperation::Subtract => pair(|left, right| left - right),
        RuleOperation::Divide => pair(|left, right| left / right),
        RuleOperation::Remainder => pair(|left, right| left % right),
        RuleOperation::Max => extreme(numbers, f64::gt),
        RuleOperation::Min => extreme(numbers, f64::lt),
        _ => f64::NAN,
    }
}

fn pair_with_zero(numbers: &[f64]) -> f64 {
    numbers.first().map_or(f64::NAN, |number| 0.0 - number)
}

/// Returns the number that `beats` all others; NaN if one of them is NaN, or there are no numbers.
fn extreme(numbers: &[f64], beats: fn(&f64, &f64) -> bool) -> f64 {
    if numbers.iter().any(|number| number.is_nan()) {
        return f64::NAN;
    }
    numbers
        .iter()
        .copied()
        .reduce(|best, next| if beats(&next, &best) { next } else { best })
        .unwrap_or(f64::NAN)
}
