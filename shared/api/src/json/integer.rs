//! 64-bit integers that no reader rounds. [`super::write`] decides between numbers and strings.

use serde::{Serialize, Serializer};

use super::Json;

/// The largest integer that every JSON reader keeps exact: 2^53 − 1.
const MAX_SAFE: u128 = (1 << 53) - 1;

/// Returns whether every JSON reader keeps an integer of this magnitude exact.
pub(super) const fn is_safe(magnitude: u128) -> bool {
    magnitude <= MAX_SAFE
}

/// A 64-bit integer of a response. Only [`super::write`] writes it in the form that the client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Int64))]
pub struct Exact(pub i64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i128(self.0.into())
    }
}

/// An unsigned 64-bit integer of a response, like [`Exact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Int64))]
pub struct ExactUnsigned(pub u64);

impl Serialize for ExactUnsigned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u128(self.0.into())
    }
}

/// Reads an integer from a JSON number without fraction and exponent, or from the same digits in a string.
///
/// # Errors
/// An error text that says what the value must be.
pub(super) fn integer(value: &Json<'_>, min: i128, max: i128) -> Result<i128, String> {
    let text = match value {
        Json::Number(text) => text,
        Json::String(text) => text.as_ref(),
        other => return Err(format!("must be an integer, not {}", other.describe_kind())),
    };
    decimal(text, min, max)
}

/// Reads an integer from decimal digits.
///
/// # Errors
/// An error text that says what the value must be.
pub fn decimal(text: &str, min: i128, max: i128) -> Result<i128, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if !is_decimal {
        return Err("must be an integer, without fraction and exponent".into());
    }
    text.parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| format!("must be an integer from {min} to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_integer(value: &Json<'_>) -> Option<i64> {
        let number = integer(value, i64::MIN.into(), i64::MAX.into()).ok()?;
        i64::try_from(number).ok()
    }

    #[test]
    fn integers_are_read_from_numbers_and_strings() {
        for (text, number) in [
            ("0", 0),
            ("-0", 0),
            ("-7", -7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(parse_integer(&Json::Number(text)), Some(number));
            assert_eq!(parse_integer(&Json::String(text.into())), Some(number));
        }
    }

    #[test]
    fn values_that_are_not_exact_integers_are_refused() {
        for bad in [
            "1.0",
            "1e3",
            "NaN",
            "Infinity",
            "",
            "-",
            "+1",
            " 1",
            "01",
            "1_000",
            "0x1",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999999999999999999999999999",
        ] {
            assert_eq!(parse_integer(&Json::String(bad.into())), None, "{bad}");
        }
        assert_eq!(parse_integer(&Json::Number("1.0")), None);
        assert_eq!(parse_integer(&Json::Null), None);
        assert_eq!(parse_integer(&Json::Bool(true)), None);
    }
}
