//! Evaluates a rule: walks over its tree, with limits on the work and on the created values.
//!
//! The operations are those of [JsonLogic](https://jsonlogic.com/operations.html), with JavaScript's conversion of values. Only a
//! limit causes an error. An invalid operation returns null, and if a rule returns null, the flag has its default variant.

mod arithmetic;
mod budget;
mod coerce;
mod data;
mod fractional;
mod lists;
mod murmur3;
mod sem_ver;
mod text;

use std::borrow::Cow;

use serde_json::Value;

use crate::rule::{RuleOperation, TargetingRule};
pub(crate) use budget::EvaluationStop;
use coerce::{is_truthy, less, loosely_equal, strictly_equal};
use data::Scope;

/// The result of an operation, borrowed from the rule or the context if possible.
type OperationResult<'s> = Result<Cow<'s, Value>, EvaluationStop>;

const NULL: Cow<'static, Value> = Cow::Owned(Value::Null);

/// The arguments of an operation.
type OperationArguments<'s> = &'s [TargetingRule];

/// The data that an evaluation reads.
pub(crate) struct EvaluationInput<'a> {
    pub(crate) evaluators: &'a [TargetingRule],
    pub(crate) flag_key: &'a str,
    pub(crate) context: &'a Value,
    /// The current time, in seconds since 1970.
    pub(crate) now: i64,
}

/// One evaluation of one rule, with the number of steps that it may still take.
pub(crate) struct RuleEvaluation {
    steps: u32,
}

impl RuleEvaluation {
    pub(crate) const fn new(steps: u32) -> Self {
        Self { steps }
    }

    /// Returns the number of remaining steps.
    pub(crate) const fn steps_left(&self) -> u32 {
        self.steps
    }

    /// Returns the value of a rule.
    pub(crate) fn run(
        &mut self,
        rule: &TargetingRule,
        input: &EvaluationInput<'_>,
    ) -> Result<Value, EvaluationStop> {
        let value = self.eval(rule, Scope::of_input(input))?;
        self.own(value)
    }

    fn eval<'s>(&mut self, rule: &'s TargetingRule, scope: Scope<'s>) -> OperationResult<'s> {
        self.step()?;
        match rule {
            TargetingRule::Literal(value) => Ok(Cow::Borrowed(value)),
            TargetingRule::Array(rules) => Ok(Cow::Owned(Value::Array(self.values(rules, scope)?))),
            TargetingRule::Shared(index) => self.argument(scope.input.evaluators, *index, scope),
            TargetingRule::Apply(operation, arguments) => self.apply(*operation, arguments, scope),
        }
    }

    fn apply<'s>(
        &mut self,
        operation: RuleOperation,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        match operation {
            RuleOperation::Var => self.var(arguments, scope),
            RuleOperation::Missing => self.missing(arguments, scope),
            RuleOperation::MissingSome => self.missing_some(arguments, scope),
            RuleOperation::If => self.choose(arguments, scope),
            RuleOperation::And => self.first_that(arguments, scope, false),
            RuleOperation::Or => self.first_that(arguments, scope, true),
            RuleOperation::Not => Ok(boolean(!self.is_true(arguments.first(), scope)?)),
            RuleOperation::Truthy => Ok(boolean(self.is_true(arguments.first(), scope)?)),
            RuleOperation::Log => self.argument(arguments, 0, scope),
            RuleOperation::Equal
            | RuleOperation::NotEqual
            | RuleOperation::StrictEqual
            | RuleOperation::StrictNotEqual
            | RuleOperation::Less
            | RuleOperation::LessOrEqual
            | RuleOperation::Greater
            | RuleOperation::GreaterOrEqual => self.compare(operation, arguments, scope),
            RuleOperation::Add
            | RuleOperation::Subtract
            | RuleOperation::Multiply
            | RuleOperation::Divide
            | RuleOperation::Remainder
            | RuleOperation::Max
            | RuleOperation::Min => self.calculate(operation, arguments, scope),
            RuleOperation::Map => self.map(arguments, scope),
            RuleOperation::Filter => self.filter(arguments, scope),
            RuleOperation::Reduce => self.reduce(arguments, scope),
            RuleOperation::All | RuleOperation::Some | RuleOperation::None => {
                self.quantify(operation, arguments, scope)
            }
            RuleOperation::Merge => self.merge(arguments, scope),
            RuleOperation::In => self.contains(arguments, scope),
            RuleOperation::Cat => self.cat(arguments, scope),
            RuleOperation::Substr => self.substr(arguments, scope),
            RuleOperation::StartsWith => self.affix(arguments, scope, |text, part| text.starts_with(part)),
            RuleOperation::EndsWith => self.affix(arguments, scope, |text, part| text.ends_with(part)),
            RuleOperation::Fractional => self.fractional(arguments, scope),
            RuleOperation::SemVer => self.sem_ver(arguments, scope),
        }
    }

    /// Evaluates the argument with this index; null if it is missing.
    fn argument<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        index: usize,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        arguments
            .get(index)
            .map_or(Ok(NULL), |rule| self.eval(rule, scope))
    }

    /// Returns the values of some rules, as owned values.
    fn values<'s>(
        &mut self,
        rules: &'s [TargetingRule],
        scope: Scope<'s>,
    ) -> Result<Vec<Value>, EvaluationStop> {
        let mut values = Vec::new();
        for rule in rules {
            let value = self.eval(rule, scope)?;
            values.push(self.own(value)?);
        }
        Ok(values)
    }

    fn is_true<'s>(
        &mut self,
        rule: Option<&'s TargetingRule>,
        scope: Scope<'s>,
    ) -> Result<bool, EvaluationStop> {
        rule.map_or(Ok(false), |rule| Ok(is_truthy(self.eval(rule, scope)?.as_ref())))
    }

    /// Evaluates `if`: pairs of a condition and a value, and optionally a last value.
    fn choose<'s>(&mut self, arguments: OperationArguments<'s>, scope: Scope<'s>) -> OperationResult<'s> {
        for pair in arguments.chunks(2) {
            match pair {
                [condition, value] if self.is_true(Some(condition), scope)? => {
                    return self.eval(value, scope);
                }
                [otherwise] => return self.eval(otherwise, scope),
                _ => {}
            }
        }
        Ok(NULL)
    }

    /// Evaluates `and` and `or`: the first value whose truth is `wanted`, or else the last value.
    fn first_that<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
        wanted: bool,
    ) -> OperationResult<'s> {
        let mut last = NULL;
        for rule in arguments {
            last = self.eval(rule, scope)?;
            if is_truthy(last.as_ref()) == wanted {
                break;
            }
        }
        Ok(last)
    }

    fn compare<'s>(
        &mut self,
        operation: RuleOperation,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let left = self.argument(arguments, 0, scope)?;
        let right = self.argument(arguments, 1, scope)?;
        self.weigh_both(&left, &right)?;
        let (left, right) = (left.as_ref(), right.as_ref());
        let holds = match operation {
            RuleOperation::Equal => loosely_equal(left, right),
            RuleOperation::NotEqual => !loosely_equal(left, right),
            RuleOperation::StrictEqual => strictly_equal(left, right),
            RuleOperation::StrictNotEqual => !strictly_equal(left, right),
            RuleOperation::Greater => less(right, left, false),
            RuleOperation::GreaterOrEqual => less(right, left, true),
            _ => {
                let or_equal = operation == RuleOperation::LessOrEqual;
                // With three arguments, the second value must be between the first value and the third value.
                let mut holds = less(left, right, or_equal);
                if let (true, Some(third)) = (holds, arguments.get(2)) {
                    let third = self.eval(third, scope)?;
                    self.weigh_both(right, &third)?;
                    holds = less(right, third.as_ref(), or_equal);
                }
                holds
            }
        };
        Ok(boolean(holds))
    }

    fn fractional<'s>(&mut self, arguments: OperationArguments<'s>, scope: Scope<'s>) -> OperationResult<'s> {
        let mut values = self.values(arguments, scope)?;
        // A single operation can return the list of all arguments.
        if let ([TargetingRule::Apply(..) | TargetingRule::Shared(_)], [Value::Array(all)]) =
            (arguments, values.as_mut_slice())
        {
            values = std::mem::take(all);
        }
        let targeting_key = scope.input.context.get("targetingKey");
        self.weigh_both(
            targeting_key.unwrap_or(&Value::Null),
            values.first().unwrap_or(&Value::Null),
        )?;
        Ok(Cow::Owned(
            fractional::choose(&values, scope.input.flag_key, targeting_key).unwrap_or_default(),
        ))
    }

    fn sem_ver<'s>(&mut self, arguments: OperationArguments<'s>, scope: Scope<'s>) -> OperationResult<'s> {
        let [left, operator, right] = arguments else {
            return Ok(NULL);
        };
        let (left, operator) = (self.eval(left, scope)?, self.eval(operator, scope)?);
        let right = self.eval(right, scope)?;
        self.weigh_both(&left, &right)?;
        Ok(sem_ver::compare(&left, &operator, &right).map_or(NULL, boolean))
    }
}

const fn boolean(value: bool) -> Cow<'static, Value> {
    Cow::Owned(Value::Bool(value))
}
