//! Conversion and comparison of values, as in JavaScript.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

/// The number up to which all whole numbers are exact as floating-point numbers: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns whether JsonLogic treats a value as true: as in JavaScript, but an empty array is false.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}

/// Converts a value to a number. Returns NaN if the value does not mean a number.
pub(super) fn to_number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) => text_to_number(text),
        Value::Array(items) => match items.as_slice() {
            [] => 0.0,
            [Value::Array(_)] => f64::NAN,
            [one] => to_number(one),
            _ => f64::NAN,
        },
        Value::Object(_) => f64::NAN,
    }
}

fn text_to_number(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    // Rust also reads "inf" and "nan".
    let decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if decimal {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

/// Converts a number to a value: an integer if it is whole, null if it is not finite.
pub(super) fn from_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= MAX_EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
        return Value::from(number as i64);
    }
    Value::from(number)
}

/// Converts a value to text.
pub(super) fn to_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) if number.is_f64() => {
            Cow::Owned(from_number(number.as_f64().unwrap_or(f64::NAN)).to_string())
        }
        Value::Bool(_) | Value::Number(_) => Cow::Owned(value.to_string()),
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().map(to_text).collect();
            Cow::Owned(parts.join(","))
        }
        Value::Object(_) => Cow::Borrowed("[object Object]"),
    }
}

/// Returns whether two values are equal by `==`. Two lists or objects are equal if all their values are equal.
pub(super) fn loosely_equal(left: &Value, right: &Value) -> bool {
    use Value::{Array, Null, Object, String};
    match (left, right) {
        (Null, Null) => true,
        (Null, _) | (_, Null) => false,
        (String(left), String(right)) => left == right,
        (Array(_) | Object(_), Array(_) | Object(_)) => strictly_equal(left, right),
        (Array(_) | Object(_), String(text)) => to_text(left) == text.as_str(),
        (String(text), Array(_) | Object(_)) => to_text(right) == text.as_str(),
        _ => same(left, right),
    }
}

/// Returns whether two values are equal by `===`. `1` and `1.0` are equal.
pub(super) fn strictly_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => same(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| strictly_equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            let same = |(name, value)| right.get(name).is_some_and(|other| strictly_equal(value, other));
            left.len() == right.len() && left.iter().all(same)
        }
        _ => left == right,
    }
}

/// Returns whether two values are the same number; 0 and -0 are the same.
fn same(left: &Value, right: &Value) -> bool {
    to_number(left).partial_cmp(&to_number(right)) == Some(Ordering::Equal)
}

/// Returns whether `left` is less than `right`, or equal with `or_equal`. Texts are compared by characters, other values as numbers.
pub(super) fn less(left: &Value, right: &Value, or_equal: bool) -> bool {
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => to_number(left).partial_cmp(&to_number(right)),
    };
    order.is_some_and(|order| order == Ordering::Less || or_equal && order == Ordering::Equal)
}
