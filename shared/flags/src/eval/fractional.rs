//! `fractional`: each variant gets a share of the players, and a player always stays in the same share.

use serde_json::Value;

use super::coerce::from_number;
use super::murmur3::murmur3;

/// The greatest sum of the weights.
const MAX_WEIGHT: u64 = i32::MAX as u64;

/// Chooses the variant for a bucketing key. `values` are the evaluated arguments: an optional key, then `[variant, weight]` of each
/// share. Without a key, the bucketing key is the flag's key and the targeting key.
///
/// Returns `None` if the arguments are invalid or there is no targeting key; then the default applies.
pub(super) fn choose(values: &[Value], flag_key: &str, targeting_key: Option<&Value>) -> Option<Value> {
    let (key, shares) = match values.split_first()? {
        (Value::String(key), shares) => (key.clone(), shares),
        (Value::Null, shares) => (default_key(flag_key, targeting_key)?, shares),
        _ => (default_key(flag_key, targeting_key)?, values),
    };
    let shares = shares.iter().map(share).collect::<Option<Vec<_>>>()?;
    let total: u64 = shares.iter().map(|(_, weight)| weight).sum();
    if total > MAX_WEIGHT {
        return None;
    }
    let bucket = (u64::from(murmur3(key.as_bytes())) * total) >> 32;
    let mut end = 0;
    let mut shares = shares.into_iter();
    shares.find_map(|(variant, weight)| {
        end += weight;
        (bucket < end).then(|| variant.clone())
    })
}

fn default_key(flag_key: &str, targeting_key: Option<&Value>) -> Option<String> {
    let targeting_key = targeting_key?.as_str().filter(|key| !key.is_empty())?;
    Some(format!("{flag_key}{targeting_key}"))
}

/// Reads a variant and its weight: 1 by default, 0 if negative.
fn share(value: &Value) -> Option<(&Value, u64)> {
    let (variant, rest) = value.as_array()?.split_first()?;
    if matches!(variant, Value::Array(_) | Value::Object(_)) {
        return None;
    }
    let weight = match rest.first() {
        None | Some(Value::Null) => 1,
        Some(weight) => whole(weight)?,
    };
    (weight <= MAX_WEIGHT).then_some((variant, weight))
}

/// Reads a whole number; a negative number is 0. A number that is too large becomes one that exceeds every weight.
fn whole(value: &Value) -> Option<u64> {
    if let Some(whole) = value.as_u64() {
        return Some(whole);
    }
    let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
    if number <= 0.0 {
        return Some(0);
    }
    // A whole number that is written with a point or an exponent (`5.0`, `1e3`).
    Some(from_number(number).as_u64().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Chooses the variant of one player for the flag `flag`.
    fn choose_for_player(values: &Value) -> Option<Value> {
        choose(values.as_array().unwrap(), "flag", Some(&json!("player")))
    }

    #[test]
    fn proportional_weights_choose_the_same_variant_for_a_player() {
        let small = json!(["someone", ["a", 1], ["b", 3]]);
        let large = json!(["someone", ["a", 1000.0], ["b", 3e3]]);
        assert_eq!(choose_for_player(&small), choose_for_player(&large));
        assert!(choose_for_player(&small).is_some());
    }

    #[test]
    fn the_flag_key_and_the_targeting_key_replace_a_missing_key() {
        let given = choose_for_player(&json!(["flagplayer", ["a"], ["b"], ["c"]]));
        assert_eq!(choose_for_player(&json!([["a"], ["b"], ["c"]])), given);
        assert_eq!(choose_for_player(&json!([null, ["a"], ["b"], ["c"]])), given);
        assert_eq!(choose(&[json!(["a"])], "flag", None), None);
        assert_eq!(choose(&[json!(["a"])], "flag", Some(&json!(""))), None);
        assert_eq!(choose(&[json!(["a"])], "flag", Some(&json!(7))), None);
    }

    #[test]
    fn invalid_shares_choose_no_variant() {
        for wrong in [
            json!([]),
            json!(["k"]),
            json!(["k", []]),
            json!(["k", "a"]),
            json!(["k", ["a", 0]]),
            json!(["k", ["a", "1"]]),
            json!(["k", ["a", 1.5]]),
            json!(["k", [["a"], 1]]),
            json!(["k", ["a", 2_147_483_648_u64]]),
            json!(["k", ["a", 1e300]]),
            json!(["k", ["a", 2_147_483_647], ["b", 1]]),
        ] {
            assert_eq!(choose_for_player(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_negative_weight_counts_as_zero() {
        assert_eq!(
            choose_for_player(&json!(["k", ["a", -50], ["b", 1]])),
            Some(json!("b"))
        );
        assert_eq!(choose_for_player(&json!(["k", [true, 1]])), Some(json!(true)));
    }
}
