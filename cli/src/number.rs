//! Signed 64-bit integers in the form of the API, which keeps them exact at any size.

use std::fmt;
use std::str::FromStr;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The largest absolute value that every JSON reader keeps exactly (2^53 − 1).
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// A signed 64-bit integer. On the wire it is a JSON number within ±(2^53 − 1) and a string beyond;
/// both forms are read at any size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "IntegerForm")]
pub(crate) struct Integer(pub(crate) i64);

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Integer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .map(Self)
            .map_err(|_error| format!("`{text}` is not a whole number of 64 bits"))
    }
}

impl From<Integer> for Value {
    fn from(Integer(integer): Integer) -> Self {
        if (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&integer) {
            Self::from(integer)
        } else {
            Self::from(integer.to_string())
        }
    }
}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from(*self).serialize(serializer)
    }
}

/// Both JSON forms of an integer.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a whole number of 64 bits, as a number or a string"
)]
enum IntegerForm {
    Number(i64),
    Text(String),
}

impl TryFrom<IntegerForm> for Integer {
    type Error = String;

    fn try_from(form: IntegerForm) -> Result<Self, String> {
        match form {
            IntegerForm::Number(value) => Ok(Self(value)),
            IntegerForm::Text(text) => text.parse(),
        }
    }
}

/// The number of digits between two thousands separators.
const GROUP: usize = 3;

/// The character between the thousands of a number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThousandsSeparator(char);

impl FromStr for ThousandsSeparator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut characters = text.chars();
        match (text, characters.next(), characters.next()) {
            ("space", _, _) => Ok(Self(' ')),
            (_, Some(one), None) if !one.is_alphanumeric() && !matches!(one, '+' | '-') => Ok(Self(one)),
            _ => Err("a thousands separator is one character such as `,` or `.`, or `space`".into()),
        }
    }
}

impl ThousandsSeparator {
    /// Parses a whole number whose digits are all in groups of three, or all in one group.
    pub(crate) fn parse(self, text: &str) -> Result<Integer, String> {
        let wrong = || {
            let separator = self.0;
            format!("`{text}` is not a whole number of 64 bits with `{separator}` between its thousands")
        };
        let mut groups = text.split(|character| self.is_between(character));
        let first = groups.next().unwrap_or_default();
        let groups: Vec<&str> = groups.collect();
        let is_grouped = (1..=GROUP).contains(&first.trim_start_matches(['+', '-']).len())
            && groups.iter().all(|group| group.len() == GROUP);
        if !groups.is_empty() && !is_grouped {
            return Err(wrong());
        }
        format!("{first}{}", groups.concat())
            .parse()
            .map_err(|_error: String| wrong())
    }

    /// Returns whether a character separates thousands. If the separator is a space, so does a no-break space, because
    /// spreadsheets write it.
    fn is_between(self, character: char) -> bool {
        character == self.0 || (self.0 == ' ' && matches!(character, '\u{a0}' | '\u{202f}'))
    }
}

/// Column values by name, in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamedIntegers(pub(crate) Vec<(String, Integer)>);

impl NamedIntegers {
    /// Returns the value of the column `name`.
    pub(crate) fn get(&self, name: &str) -> Option<Integer> {
        self.0
            .iter()
            .find(|(column, _value)| column == name)
            .map(|(_column, value)| *value)
    }
}

impl Serialize for NamedIntegers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for NamedIntegers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamedVisitor)
    }
}

struct NamedVisitor;

impl<'de> Visitor<'de> for NamedVisitor {
    type Value = NamedIntegers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of whole numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamedIntegers, A::Error> {
        let mut values = Vec::new();
        while let Some(entry) = map.next_entry()? {
            values.push(entry);
        }
        Ok(NamedIntegers(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beyond_the_safe_range_of_json_are_written_as_strings() {
        let cases = [
            (0, "0"),
            (-5, "-5"),
            (9_007_199_254_740_991, "9007199254740991"),
            (9_007_199_254_740_992, "\"9007199254740992\""),
            (-9_007_199_254_740_992, "\"-9007199254740992\""),
            (i64::MAX, "\"9223372036854775807\""),
            (i64::MIN, "\"-9223372036854775808\""),
        ];
        for (value, json) in cases {
            assert_eq!(serde_json::to_string(&Integer(value)).unwrap(), json);
            assert_eq!(serde_json::from_str::<Integer>(json).unwrap(), Integer(value));
        }
    }

    #[test]
    fn both_json_forms_are_read_exactly_at_any_size() {
        assert_eq!(
            serde_json::from_str::<Integer>("9223372036854775807").unwrap(),
            Integer(i64::MAX)
        );
        assert_eq!(serde_json::from_str::<Integer>("\"7\"").unwrap(), Integer(7));
        for refused in [
            "1.5",
            "1e3",
            "9223372036854775808",
            "\"9223372036854775808\"",
            "\"abc\"",
            "null",
        ] {
            assert!(serde_json::from_str::<Integer>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn thousands_are_grouped_completely_or_not_at_all() {
        let parse =
            |separator: &str, text: &str| separator.parse::<ThousandsSeparator>().unwrap().parse(text);
        for (separator, text, value) in [
            (",", "1,234,567", 1_234_567),
            (",", "-1,234", -1234),
            (",", "+999", 999),
            (",", "1234567", 1_234_567),
            (".", "12.345", 12_345),
            ("space", "1 000\u{a0}000", 1_000_000),
            ("'", "9'223'372'036'854'775'807", i64::MAX),
        ] {
            assert_eq!(parse(separator, text), Ok(Integer(value)), "{text}");
        }
        for wrong in [
            "1,23", "1234,567", ",123", "1,,234", "1,234,", "1.234", "", "1,2+3",
        ] {
            assert!(parse(",", wrong).is_err(), "{wrong}");
        }
        for separator in ["", ",,", "1", "-", "a"] {
            assert!(separator.parse::<ThousandsSeparator>().is_err(), "{separator}");
        }
    }

    #[test]
    fn named_integers_keep_their_order() {
        let json = r#"{"time_ms":5321,"score":"9007199254740993"}"#;
        let values: NamedIntegers = serde_json::from_str(json).unwrap();
        assert_eq!(values.get("score"), Some(Integer(9_007_199_254_740_993)));
        assert_eq!(serde_json::to_string(&values).unwrap(), json);
    }
}
