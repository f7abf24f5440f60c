//! `sem_ver`: compares versions as flagd does.

use std::cmp::Ordering;

use semver::Version;
use serde_json::Value;

/// Compares two versions. Returns `None` if a value is not a version, or the operator is unknown.
///
/// A version may begin with `v`, may omit its minor and patch numbers, and may be a number. Build metadata is ignored. `^`
/// requires the same major number; `~` also requires the same minor number.
pub(super) fn compare(left: &Value, operator: &Value, right: &Value) -> Option<bool> {
    let (left, right) = (version(left)?, version(right)?);
    let order = left.cmp_precedence(&right);
    Some(match operator.as_str()? {
        "=" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        ">=" => order != Ordering::Less,
        "^" => left.major == right.major,
        "~" => left.major == right.major && left.minor == right.minor,
        _ => return None,
    })
}

fn version(value: &Value) -> Option<Version> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        _ => None,
    }
}

fn parse(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let missing = match text.bytes().filter(|byte| *byte == b'.').count() {
        0 if plain => ".0.0",
        1 if plain => ".0",
        _ => "",
    };
    Version::parse(&format!("{text}{missing}")).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_may_be_short_prefixed_or_numbers() {
        assert_eq!(compare(&json!("v1"), &json!("="), &json!("1.0.0")), Some(true));
        assert_eq!(
            compare(&json!("V1.2"), &json!("="), &json!("v1.2.0+build")),
            Some(true)
        );
        assert_eq!(compare(&json!(1.2), &json!(">"), &json!("1.1")), Some(true));
        assert_eq!(
            compare(&json!("1.0.0-a"), &json!("<"), &json!("1.0.0")),
            Some(true)
        );
        assert_eq!(compare(&json!("2.9.1"), &json!("^"), &json!("2")), Some(true));
        assert_eq!(
            compare(&json!("2.9.1"), &json!("~"), &json!("2.8.1")),
            Some(false)
        );
    }

    #[test]
    fn an_invalid_version_or_operator_gives_no_result() {
        for wrong in [
            json!("1.0.0.0"),
            json!(""),
            json!("1.2-a"),
            json!("vv1"),
            json!(null),
            json!("01.0.0"),
        ] {
            assert_eq!(compare(&wrong, &json!("!="), &json!("1.0.0")), None, "{wrong}");
        }
        assert_eq!(compare(&json!("1.0.0"), &json!("==="), &json!("1.0.0")), None);
    }
}
