//! Operations that read the context.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::coerce::{to_number, to_text};
use super::{EvaluationInput, NULL, OperationArguments, OperationResult, RuleEvaluation};

/// The member of the context that the evaluation provides.
const FLAGD: &str = "$flagd";

/// The value that `var` reads from, and the input of the whole evaluation.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) input: &'s EvaluationInput<'s>,
    data: ScopedData<'s>,
}

#[derive(Clone, Copy)]
enum ScopedData<'s> {
    /// The evaluation context, as flagd defines it.
    Context,
    /// An element of the list of `map`, `filter` and similar operations.
    Item(&'s Value),
    /// The two values of `reduce`.
    Fold {
        current: &'s Value,
        accumulator: &'s Value,
    },
}

impl<'s> Scope<'s> {
    pub(super) fn of_input(input: &'s EvaluationInput<'s>) -> Self {
        let data = ScopedData::Context;
        Self { input, data }
    }

    pub(super) fn at_item<'i>(self, item: &'i Value) -> Scope<'i>
    where
        's: 'i,
    {
        Scope {
            data: ScopedData::Item(item),
            ..self
        }
    }

    pub(super) fn at_fold<'i>(self, current: &'i Value, accumulator: &'i Value) -> Scope<'i>
    where
        's: 'i,
    {
        Scope {
            data: ScopedData::Fold { current, accumulator },
            ..self
        }
    }

    /// Returns `$flagd`, or one of its members.
    fn flagd(self, name: Option<&str>) -> Option<Value> {
        let EvaluationInput { flag_key, now, .. } = *self.input;
        match name {
            None => Some(json!({ "flagKey": flag_key, "timestamp": now })),
            Some("flagKey") => Some(Value::from(flag_key)),
            Some("timestamp") => Some(Value::from(now)),
            Some(_) => None,
        }
    }
}

impl RuleEvaluation {
    /// Evaluates `var`: the value at a path (`a.b.0`), or else the second argument.
    pub(super) fn var<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let path = self.argument(arguments, 0, scope)?;
        self.weigh_both(&path, &NULL)?;
        match self.look_up(&to_text(&path), scope)? {
            Some(value) => Ok(value),
            None => self.argument(arguments, 1, scope),
        }
    }

    /// Evaluates `missing`: the paths that have no value.
    pub(super) fn missing<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let mut paths = self.values(arguments, scope)?;
        if let Some(Value::Array(first)) = paths.first_mut() {
            paths = std::mem::take(first);
        }
        self.absent(paths, scope)
    }

    /// Evaluates `missing_some`: like `missing`, but the result is empty if at least the given number of paths have values.
    pub(super) fn missing_some<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let wanted = to_number(self.argument(arguments, 0, scope)?.as_ref());
        let paths = self.argument(arguments, 1, scope)?;
        let Value::Array(paths) = self.own(paths)? else {
            return Ok(NULL);
        };
        let all = paths.len();
        let absent = self.absent(paths, scope)?;
        let found = all - absent.as_array().map_or(0, Vec::len).min(all);
        let enough = u32::try_from(found).is_ok_and(|found| f64::from(found) >= wanted);
        Ok(if enough {
            Cow::Owned(Value::Array(Vec::new()))
        } else {
            absent
        })
    }

    fn absent<'s>(&mut self, paths: Vec<Value>, scope: Scope<'s>) -> OperationResult<'s> {
        let mut absent = Vec::new();
        for path in paths {
            self.step()?;
            let found = self.look_up(&to_text(&path), scope)?;
            let there = found.is_some_and(|value| !value.is_null() && value.as_str() != Some(""));
            if !there {
                absent.push(path);
            }
        }
        Ok(Cow::Owned(Value::Array(absent)))
    }

    fn look_up<'s>(
        &mut self,
        path: &str,
        scope: Scope<'s>,
    ) -> Result<Option<Cow<'s, Value>>, super::EvaluationStop> {
        self.take_text(path.len())?;
        if path.is_empty() {
            return self.everything(scope).map(Some);
        }
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default();
        let start = match scope.data {
            ScopedData::Context if first == FLAGD => return Ok(scope.flagd(names.next()).map(Cow::Owned)),
            ScopedData::Context => member(scope.input.context, first),
            ScopedData::Item(item) => member(item, first),
            ScopedData::Fold { current, accumulator } => match first {
                "current" => Some(current),
                "accumulator" => Some(accumulator),
                _ => None,
            },
        };
        let mut value = start;
        for name in names {
            self.step()?;
            value = value.and_then(|value| member(value, name));
        }
        Ok(value.map(Cow::Borrowed))
    }

    /// Returns the whole scope.
    fn everything<'s>(&mut self, scope: Scope<'s>) -> OperationResult<'s> {
        match scope.data {
            ScopedData::Item(item) => Ok(Cow::Borrowed(item)),
            ScopedData::Context => {
                let mut context = self.own(Cow::Borrowed(scope.input.context))?;
                if let Value::Object(members) = &mut context {
                    members.insert(FLAGD.to_owned(), scope.flagd(None).unwrap_or_default());
                }
                Ok(Cow::Owned(context))
            }
            ScopedData::Fold { current, accumulator } => {
                let current = self.own(Cow::Borrowed(current))?;
                let accumulator = self.own(Cow::Borrowed(accumulator))?;
                Ok(Cow::Owned(
                    json!({ "current": current, "accumulator": accumulator }),
                ))
            }
        }
    }
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}
