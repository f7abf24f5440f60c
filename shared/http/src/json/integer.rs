//! 64-bit integers that no reader rounds.

use serde::{Serialize, Serializer};

use super::Json;

/// The largest integer that every JSON reader keeps exact: 2^53 − 1.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// An integer on its way out: a number where every reader keeps it exact, otherwise a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact(pub(crate) i64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.unsigned_abs() <= MAX_SAFE {
            serializer.serialize_i64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

/// As [`Exact`], without a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExactUnsigned(pub(crate) u64);

impl Serialize for ExactUnsigned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 <= MAX_SAFE {
            serializer.serialize_u64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

/// An integer on its way in: a JSON number without fraction and exponent, or the same digits in a string.
///
/// # Errors
/// What it must be, in words.
pub(crate) fn integer(value: &Json<'_>, min: i128, max: i128) -> Result<i128, String> {
    let text = match value {
        Json::Number(text) => text,
        Json::String(text) => text.as_ref(),
        other => return Err(format!("must be an integer, not {}", other.what())),
    };
    decimal(text, min, max)
}

/// The integer that decimal text names.
///
/// # Errors
/// What it must be, in words.
pub(crate) fn decimal(text: &str, min: i128, max: i128) -> Result<i128, String> {
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

    fn of(value: &Json<'_>) -> Option<i64> {
        let number = integer(value, i64::MIN.into(), i64::MAX.into()).ok()?;
        i64::try_from(number).ok()
    }

    #[test]
    fn integers_come_as_numbers_and_as_strings() {
        for (text, number) in [
            ("0", 0),
            ("-0", 0),
            ("-7", -7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(of(&Json::Number(text)), Some(number));
            assert_eq!(of(&Json::String(text.into())), Some(number));
        }
    }

    #[test]
    fn nothing_is_rounded_and_nothing_is_guessed() {
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
            assert_eq!(of(&Json::String(bad.into())), None, "{bad}");
        }
        assert_eq!(of(&Json::Number("1.0")), None);
        assert_eq!(of(&Json::Null), None);
        assert_eq!(of(&Json::Bool(true)), None);
    }

    #[test]
    fn what_some_readers_would_round_goes_out_as_a_string() {
        let written = |number| serde_json::to_string(&Exact(number)).unwrap();
        assert_eq!(written(9_007_199_254_740_991), "9007199254740991");
        assert_eq!(written(9_007_199_254_740_992), "\"9007199254740992\"");
        assert_eq!(written(-9_007_199_254_740_991), "-9007199254740991");
        assert_eq!(written(i64::MIN), "\"-9223372036854775808\"");
        assert_eq!(
            serde_json::to_string(&ExactUnsigned(u64::MAX)).unwrap(),
            "\"18446744073709551615\""
        );
    }
}
