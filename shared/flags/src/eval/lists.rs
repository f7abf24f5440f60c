//! Operations on lists.

use std::borrow::Cow;

use serde_json::Value;

use super::coerce::{strictly_equal, to_text};
use super::data::Scope;
use super::{NULL, OperationArguments, OperationResult, RuleEvaluation, boolean};
use crate::rule::RuleOperation;

impl RuleEvaluation {
    pub(super) fn map<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let list = self.argument(arguments, 0, scope)?;
        let mut mapped = Vec::new();
        for item in items(&list) {
            let value = self.argument(arguments, 1, scope.at_item(item))?;
            mapped.push(self.own(value)?);
        }
        Ok(Cow::Owned(Value::Array(mapped)))
    }

    pub(super) fn filter<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let list = self.argument(arguments, 0, scope)?;
        let mut kept = Vec::new();
        for item in items(&list) {
            self.step()?;
            if self.is_true(arguments.get(1), scope.at_item(item))? {
                kept.push(self.own(Cow::Borrowed(item))?);
            }
        }
        Ok(Cow::Owned(Value::Array(kept)))
    }

    pub(super) fn reduce<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let list = self.argument(arguments, 0, scope)?;
        let start = self.argument(arguments, 2, scope)?;
        let mut accumulator = self.own(start)?;
        for current in items(&list) {
            let next = self.argument(arguments, 1, scope.at_fold(current, &accumulator))?;
            accumulator = self.own(next)?;
        }
        Ok(Cow::Owned(accumulator))
    }

    /// Evaluates `all`, `some` and `none`. `all` of an empty list is false.
    pub(super) fn quantify<'s>(
        &mut self,
        operation: RuleOperation,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let list = self.argument(arguments, 0, scope)?;
        let items = items(&list);
        let wanted = operation != RuleOperation::All;
        for item in items {
            self.step()?;
            if self.is_true(arguments.get(1), scope.at_item(item))? == wanted {
                return Ok(boolean(operation == RuleOperation::Some));
            }
        }
        Ok(boolean(match operation {
            RuleOperation::All => !items.is_empty(),
            RuleOperation::None => true,
            _ => false,
        }))
    }

    pub(super) fn merge<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let mut merged = Vec::new();
        for value in self.values(arguments, scope)? {
            match value {
                Value::Array(items) => merged.extend(items),
                one => merged.push(one),
            }
        }
        Ok(Cow::Owned(Value::Array(merged)))
    }

    /// Evaluates `in`: whether an element is in a list, or a text in a text.
    pub(super) fn contains<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let needle = self.argument(arguments, 0, scope)?;
        let haystack = self.argument(arguments, 1, scope)?;
        self.weigh_both(&needle, &haystack)?;
        Ok(boolean(match haystack.as_ref() {
            Value::String(text) => text.contains(to_text(&needle).as_ref()),
            Value::Array(items) => items.iter().any(|item| strictly_equal(item, &needle)),
            _ => return Ok(boolean(false)),
        }))
    }

    /// Evaluates `starts_with` and `ends_with`. Returns null unless both arguments are texts.
    pub(super) fn affix<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
        holds: fn(&str, &str) -> bool,
    ) -> OperationResult<'s> {
        let [text, part] = arguments else {
            return Ok(NULL);
        };
        let (text, part) = (self.eval(text, scope)?, self.eval(part, scope)?);
        self.weigh_both(&part, &NULL)?;
        Ok(text
            .as_str()
            .zip(part.as_str())
            .map_or(NULL, |(text, part)| boolean(holds(text, part))))
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
