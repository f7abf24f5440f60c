//! Operations that read the context.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::coerce::{to_number, to_text};
use super::{NULL, OperationResult, RuleEvaluation};
use crate::rule::TargetingRule;

/// The member of the context that the evaluation provides.
const FLAGD: &str = "$flagd";

/// What `var` reads from.
#[derive(Debug, Clone, Copy)]
pub(super) enum DataScope<'s> {
    /// The context of the evaluation.
    Root,
    /// An element of the list of `map`, `filter` and similar operations.
    Item(&'s Value),
    /// The two values of `reduce`.
    Fold {
        current: &'s Value,
        accumulator: &'s Value,
    },
}

impl<'a> RuleEvaluation<'a> {
    /// `var`: the value at a path (`a.b.0`), or else the second argument.
    pub(super) fn var<'s>(
        &mut self,
        arguments: &'s [TargetingRule],
        scope: DataScope<'s>,
    ) -> OperationResult<'s>
    where
        'a: 's,
    {
        let path = self.argument(arguments, 0, scope)?;
        self.weigh_both(&path, &NULL)?;
        match self.look_up(&to_text(&path), scope)? {
            Some(value) => Ok(value),
            None => self.argument(arguments, 1, scope),
        }
    }

    /// `missing`: the paths without a value.
    pub(super) fn missing<'s>(
        &mut self,
        arguments: &'s [TargetingRule],
        scope: DataScope<'s>,
    ) -> OperationResult<'s>
    where
        'a: 's,
    {
        let mut paths = self.values(arguments, scope)?;
        if let Some(Value::Array(first)) = paths.first_mut() {
            paths = std::mem::take(first);
        }
        self.absent(paths, scope)
    }

    /// `missing_some`: as `missing`, but empty if at least the given number of paths have values.
    pub(super) fn missing_some<'s>(
        &mut self,
        arguments: &'s [TargetingRule],
        scope: DataScope<'s>,
    ) -> OperationResult<'s>
    where
        'a: 's,
    {
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

    fn absent<'s>(&mut self, paths: Vec<Value>, scope: DataScope<'s>) -> OperationResult<'s>
    where
        'a: 's,
    {
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
        scope: DataScope<'s>,
    ) -> Result<Option<Cow<'s, Value>>, super::EvaluationStop>
    where
        'a: 's,
    {
        self.take_text(path.len())?;
        if path.is_empty() {
            return self.everything(scope).map(Some);
        }
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default();
        let start = match scope {
            DataScope::Root if first == FLAGD => return Ok(self.flagd(names.next()).map(Cow::Owned)),
            DataScope::Root => member(self.context, first),
            DataScope::Item(item) => member(item, first),
            DataScope::Fold { current, accumulator } => match first {
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

    fn flagd(&self, name: Option<&str>) -> Option<Value> {
        match name {
            None => Some(json!({ "flagKey": self.flag_key, "timestamp": self.now })),
            Some("flagKey") => Some(Value::from(self.flag_key)),
            Some("timestamp") => Some(Value::from(self.now)),
            Some(_) => None,
        }
    }

    /// Returns the whole scope.
    fn everything<'s>(&mut self, scope: DataScope<'s>) -> OperationResult<'s>
    where
        'a: 's,
    {
        match scope {
            DataScope::Item(item) => Ok(Cow::Borrowed(item)),
            DataScope::Root => {
                let mut context = self.own(Cow::Borrowed(self.context))?;
                if let Value::Object(members) = &mut context {
                    members.insert(FLAGD.to_owned(), self.flagd(None).unwrap_or_default());
                }
                Ok(Cow::Owned(context))
            }
            DataScope::Fold { current, accumulator } => {
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
