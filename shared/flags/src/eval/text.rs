//! Operations that create text.

use std::borrow::Cow;

use serde_json::Value;

use super::coerce::{from_number, to_number, to_text};
use super::data::Scope;
use super::{NULL, OperationArguments, OperationResult, RuleEvaluation};

impl RuleEvaluation {
    pub(super) fn cat<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let mut text = String::new();
        for rule in arguments {
            let value = self.eval(rule, scope)?;
            // The steps are counted before the text of a list is created.
            self.weigh_both(&value, &NULL)?;
            text.push_str(&to_text(&value));
        }
        Ok(Cow::Owned(Value::String(text)))
    }

    /// Evaluates `substr`: the part of a text from an offset (counted from the end if negative). The optional length is a number
    /// of characters, or, if negative, the number of characters to omit at the end.
    pub(super) fn substr<'s>(
        &mut self,
        arguments: OperationArguments<'s>,
        scope: Scope<'s>,
    ) -> OperationResult<'s> {
        let text = self.argument(arguments, 0, scope)?;
        self.weigh_both(&text, &NULL)?;
        let text = to_text(&text).into_owned();
        let from = to_number(self.argument(arguments, 1, scope)?.as_ref());
        let start = offset(from, text.chars().count());
        let rest: String = text.chars().skip(start).collect();
        let Some(length) = arguments.get(2) else {
            return Ok(Cow::Owned(Value::String(rest)));
        };
        let length = to_number(self.eval(length, scope)?.as_ref());
        let end = offset(length, rest.chars().count());
        Ok(Cow::Owned(Value::String(rest.chars().take(end).collect())))
    }
}

/// Returns an offset in a text of `length` characters, counted from its end if negative.
fn offset(number: f64, length: usize) -> usize {
    let beyond = if number > 0.0 { i64::MAX } else { 0 };
    let far = from_number(number.trunc()).as_i64().unwrap_or(beyond);
    let distance = usize::try_from(far.unsigned_abs()).unwrap_or(usize::MAX);
    if far < 0 {
        length.saturating_sub(distance)
    } else {
        distance.min(length)
    }
}
