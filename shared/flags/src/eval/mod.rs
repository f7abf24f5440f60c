//! The evaluation of a rule: a walk over its tree, with a bound on the work and on the values it makes.
//!
//! The meaning is that of [JsonLogic](https://jsonlogic.com/operations.html), with values coerced as JavaScript
//! does. Nothing fails but the bounds: what makes no sense is null, and null chooses the default.

mod arithmetic;
mod budget;
mod coerce;
mod data;
mod lists;
mod text;

use std::borrow::Cow;

use serde_json::Value;

use crate::rule::{Operator, Rule};
use crate::{fractional, sem_ver};
pub(crate) use budget::Stop;
pub(crate) use coerce::from_number;
use coerce::{is_truthy, less, loosely_equal, strictly_equal};
use data::Scope;

/// What an operation yields: borrowed from the rule or the context where that is possible.
type Yield<'s> = Result<Cow<'s, Value>, Stop>;

const NULL: Cow<'static, Value> = Cow::Owned(Value::Null);

/// One evaluation of one rule.
pub(crate) struct Call<'a> {
    evaluators: &'a [Rule],
    flag_key: &'a str,
    context: &'a Value,
    /// Seconds since 1970.
    now: i64,
    steps: u32,
}

impl<'a> Call<'a> {
    pub(crate) const fn new(
        evaluators: &'a [Rule],
        flag_key: &'a str,
        context: &'a Value,
        now: i64,
        steps: u32,
    ) -> Self {
        Self {
            evaluators,
            flag_key,
            context,
            now,
            steps,
        }
    }

    /// The steps that are left of those allowed.
    pub(crate) const fn steps_left(&self) -> u32 {
        self.steps
    }

    /// The value of a rule.
    pub(crate) fn run(&mut self, rule: &'a Rule) -> Result<Value, Stop> {
        let value = self.eval(rule, Scope::Root)?;
        self.own(value)
    }

    fn eval<'s>(&mut self, rule: &'s Rule, scope: Scope<'s>) -> Yield<'s>
    where
        'a: 's,
    {
        self.step()?;
        match rule {
            Rule::Literal(value) => Ok(Cow::Borrowed(value)),
            Rule::Array(rules) => Ok(Cow::Owned(Value::Array(self.values(rules, scope)?))),
            Rule::Shared(index) => {
                let evaluators = self.evaluators;
                evaluators
                    .get(*index)
                    .map_or(Ok(NULL), |shared| self.eval(shared, scope))
            }
            Rule::Apply(operator, arguments) => self.apply(*operator, arguments, scope),
        }
    }

    fn apply<'s>(&mut self, operator: Operator, arguments: &'s [Rule], scope: Scope<'s>) -> Yield<'s>
    where
        'a: 's,
    {
        match operator {
            Operator::Var => self.var(arguments, scope),
            Operator::Missing => self.missing(arguments, scope),
            Operator::MissingSome => self.missing_some(arguments, scope),
            Operator::If => self.choose(arguments, scope),
            Operator::And => self.first_that(arguments, scope, false),
            Operator::Or => self.first_that(arguments, scope, true),
            Operator::Not => Ok(boolean(!self.is_true(arguments.first(), scope)?)),
            Operator::Truthy => Ok(boolean(self.is_true(arguments.first(), scope)?)),
            Operator::Log => self.argument(arguments, 0, scope),
            Operator::Equal
            | Operator::NotEqual
            | Operator::StrictEqual
            | Operator::StrictNotEqual
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => self.compare(operator, arguments, scope),
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder
            | Operator::Max
            | Operator::Min => self.calculate(operator, arguments, scope),
            Operator::Map => self.map(arguments, scope),
            Operator::Filter => self.filter(arguments, scope),
            Operator::Reduce => self.reduce(arguments, scope),
            Operator::All | Operator::Some | Operator::None => self.quantify(operator, arguments, scope),
            Operator::Merge => self.merge(arguments, scope),
            Operator::In => self.contains(arguments, scope),
            Operator::Cat => self.cat(arguments, scope),
            Operator::Substr => self.substr(arguments, scope),
            Operator::StartsWith => self.affix(arguments, scope, |text, part| text.starts_with(part)),
            Operator::EndsWith => self.affix(arguments, scope, |text, part| text.ends_with(part)),
            Operator::Fractional => self.fractional(arguments, scope),
            Operator::SemVer => self.sem_ver(arguments, scope),
        }
    }

    /// The argument of that index; null when it is left out.
    fn argument<'s>(&mut self, arguments: &'s [Rule], index: usize, scope: Scope<'s>) -> Yield<'s>
    where
        'a: 's,
    {
        arguments
            .get(index)
            .map_or(Ok(NULL), |rule| self.eval(rule, scope))
    }

    /// The values of some rules, as new values.
    fn values<'s>(&mut self, rules: &'s [Rule], scope: Scope<'s>) -> Result<Vec<Value>, Stop>
    where
        'a: 's,
    {
        let mut values = Vec::new();
        for rule in rules {
            let value = self.eval(rule, scope)?;
            values.push(self.own(value)?);
        }
        Ok(values)
    }

    fn is_true<'s>(&mut self, rule: Option<&'s Rule>, scope: Scope<'s>) -> Result<bool, Stop>
    where
        'a: 's,
    {
        rule.map_or(Ok(false), |rule| Ok(is_truthy(self.eval(rule, scope)?.as_ref())))
    }

    /// `if`: pairs of a condition and a value, and perhaps a last value.
    fn choose<'s>(&mut self, arguments: &'s [Rule], scope: Scope<'s>) -> Yield<'s>
    where
        'a: 's,
    {
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

    /// `and`, `or`: the first value that is as `wanted`, else the last.
    fn first_that<'s>(&mut self, arguments: &'s [Rule], scope: Scope<'s>, wanted: bool) -> Yield<'s>
    where
        'a: 's,
    {
        let mut last = NULL;
        for rule in arguments {
            last = self.eval(rule, scope)?;
            if is_truthy(last.as_ref()) == wanted {
                break;
            }
        }
        Ok(last)
    }

    fn compare<'s>(&mut self, operator: Operator, arguments: &'s [Rule], scope: Scope<'s>) -> Yield<'s>
    where
        'a: 's,
    {
        let left = self.argument(arguments, 0, scope)?;
        let right = self.argument(arguments, 1, scope)?;
        self.weigh_both(&left, &right)?;
        let (left, right) = (left.as_ref(), right.as_ref());
        let holds = match operator {
            Operator::Equal => loosely_equal(left, right),
            Operator::NotEqual => !loosely_equal(left, right),
            Operator::StrictEqual => strictly_equal(left, right),
            Operator::StrictNotEqual => !strictly_equal(left, right),
            Operator::Greater => less(right, left, false),
            Operator::GreaterOrEqual => less(right, left, true),
            _ => {
                let or_equal = operator == Operator::LessOrEqual;
                // With three arguments: whether the middle one is between the others.
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

    fn fractional<'s>(&mut self, arguments: &'s [Rule], scope: Scope<'s>) -> Yield<'s>
    where
        'a: 's,
    {
        let mut values = self.values(arguments, scope)?;
        // One operation that yields all the arguments.
        if let ([Rule::Apply(..) | Rule::Shared(_)], [Value::Array(all)]) = (arguments, values.as_mut_slice())
        {
            values = std::mem::take(all);
        }
        let targeting_key = self.context.get("targetingKey");
        self.weigh_both(
            targeting_key.unwrap_or(&Value::Null),
            values.first().unwrap_or(&Value::Null),
        )?;
        Ok(Cow::Owned(
            fractional::choose(&values, self.flag_key, targeting_key).unwrap_or_default(),
        ))
    }

    fn sem_ver<'s>(&mut self, arguments: &'s [Rule], scope: Scope<'s>) -> Yield<'s>
    where
        'a: 's,
    {
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
