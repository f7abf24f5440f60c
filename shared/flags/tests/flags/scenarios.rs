//! Tests of the scenarios in `tests/data`: the outcome of a flag of `flags.json` for a context.

use leaderboard_flags::{ErrorCode, EvaluationError, FlagSet};
use serde_json::{Value, json};

/// A time in 2026, in seconds since 1970.
const NOW: i64 = 1_780_000_000;

fn parse_set() -> FlagSet {
    FlagSet::parse(include_bytes!("../data/flags.json")).unwrap()
}

fn read_scenarios() -> Vec<Value> {
    serde_json::from_str(include_str!("../data/scenarios.json")).unwrap()
}

/// Evaluates a flag, and returns the outcome in the form of the scenarios.
fn evaluate_flag(set: &FlagSet, key: &str, context: &Value) -> Value {
    match set.evaluate(key, context, NOW) {
        Err(EvaluationError { code, .. }) => json!({ "error": code.as_str() }),
        Ok(outcome) => {
            let mut row = json!({ "reason": outcome.reason.as_str() });
            if let (Some(value), Some(variant)) = (outcome.value, outcome.variant) {
                row["value"] = value.clone();
                row["variant"] = json!(variant);
            }
            row
        }
    }
}

#[test]
fn every_scenario_has_the_expected_outcome() {
    let set = parse_set();
    for mut row in read_scenarios() {
        let about = row.to_string();
        let members = row.as_object_mut().unwrap();
        members.remove("scenario");
        let key = members.remove("flag").unwrap();
        let context = members.remove("context").unwrap();
        assert_eq!(
            evaluate_flag(&set, key.as_str().unwrap(), &context),
            row,
            "{about}"
        );
    }
}

#[test]
fn every_flag_has_a_scenario() {
    let set = parse_set();
    let table = read_scenarios();
    for key in set.keys() {
        let named =
            table.iter().any(|row| row["flag"] == key) || key == "with-metadata" || key == "zero-float";
        assert!(named, "{key}");
    }
}

#[test]
fn evaluate_all_returns_the_outcome_of_each_flag() {
    let set = parse_set();
    let context = json!({ "targetingKey": "ann-1", "role": "tester", "client": "4.3.0" });
    let all: Vec<_> = set.evaluate_all(&context, NOW).collect();
    assert_eq!(all.len(), set.len());
    for (key, outcome) in all {
        assert_eq!(outcome, set.evaluate(key, &context, NOW), "{key}");
    }
}

#[test]
fn the_metadata_of_a_flag_overrides_the_metadata_of_the_set() {
    let set = parse_set();
    assert_eq!(
        Value::from(set.metadata().clone()),
        json!({ "flagSetId": "games", "version": "7" })
    );
    let own = set
        .evaluate("with-metadata", &Value::Null, NOW)
        .unwrap()
        .metadata
        .clone();
    assert_eq!(
        Value::from(own),
        json!({ "owner": "games", "revision": 4, "share": 0.5, "temporary": true })
    );
    let document = br#"{"metadata":{"a":1,"b":2},"flags":{"f":{"state":"ENABLED","variants":{"x":1},
        "metadata":{"b":3}}}}"#;
    let set = FlagSet::parse(document).unwrap();
    assert_eq!(Value::from(set.metadata_of("f")), json!({ "a": 1, "b": 3 }));
    assert_eq!(Value::from(set.metadata_of("none")), json!({ "a": 1, "b": 2 }));
}

#[test]
fn a_context_cannot_set_the_member_flagd() {
    let set = parse_set();
    let context = json!({ "$flagd": { "flagKey": "other", "timestamp": 5 }, "until": 1 });
    assert_eq!(evaluate_flag(&set, "by-own-key", &context)["value"], "yes");
    assert_eq!(evaluate_flag(&set, "by-time", &context)["value"], -1);
}

#[test]
fn a_value_of_another_type_is_a_mismatch() {
    use leaderboard_flags::FlagType::{Boolean, Number, Object, String};
    let set = parse_set();
    for (key, own) in [
        ("show-ranks", Boolean),
        ("greeting", String),
        ("decay", Number),
        ("theme", Object),
    ] {
        for wanted in [Boolean, Number, Object, String] {
            let typed = set
                .evaluate(key, &Value::Null, NOW)
                .and_then(|outcome| outcome.of_type(wanted));
            assert_eq!(typed.is_ok(), own == wanted, "{key} as {wanted}");
            assert!(typed.is_ok_and(|it| it.value.is_some()) || own != wanted);
        }
    }
    // A flag without a value fits every type.
    assert!(
        set.evaluate("off-text", &Value::Null, NOW)
            .unwrap()
            .of_type(Number)
            .is_ok()
    );
}

#[test]
fn a_context_that_is_not_an_object_is_refused() {
    for context in [json!([]), json!("text"), json!(1), json!(true)] {
        let error = parse_set().evaluate("show-ranks", &context, NOW).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidContext, "{context}");
    }
}
