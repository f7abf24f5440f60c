//! Tests that the evaluation of a rule with too much work ends with an error.

use leaderboard_flags::{ErrorCode, FlagSet};
use serde_json::{Map, Value, json};

/// Parses a document with one flag `f`.
fn parse_set(targeting: &Value, evaluators: &Value) -> FlagSet {
    let flag = json!({ "state": "ENABLED", "variants": { "x": 1 }, "targeting": targeting });
    let document = json!({ "flags": { "f": flag }, "$evaluators": evaluators });
    FlagSet::parse(document.to_string().as_bytes()).unwrap()
}

/// Checks that a limit ends the evaluation of a rule.
fn assert_stops(targeting: &Value, context: &Value) {
    let error = parse_set(targeting, &json!({}))
        .evaluate("f", context, 0)
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::General, "{targeting}");
    assert!(error.detail.contains("too"), "{error}");
}

#[test]
fn shared_rules_that_double_each_other_exceed_the_step_limit() {
    let mut rules: Map<_, _> = (0..20)
        .map(|n| {
            let next = json!({ "$ref": format!("r{}", n + 1) });
            (format!("r{n}"), json!({ "+": [next, next] }))
        })
        .collect();
    rules.insert("r20".to_owned(), json!(1));
    let error = parse_set(&json!({ "$ref": "r0" }), &rules.into())
        .evaluate("f", &Value::Null, 0)
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::General);
}

#[test]
fn text_that_doubles_exceeds_the_step_limit() {
    let twice = json!({ "cat": [{ "var": "accumulator" }, { "var": "accumulator" }] });
    assert_stops(
        &json!({ "reduce": [vec![0; 64], twice, "0123456789"] }),
        &Value::Null,
    );
}

#[test]
fn lists_that_double_exceed_a_limit() {
    let twice = json!({ "merge": [{ "var": "accumulator" }, { "var": "accumulator" }] });
    assert_stops(&json!({ "reduce": [vec![0; 64], twice, [1, 2]] }), &Value::Null);
    let pair = json!({ "map": [[1, 2], { "var": "" }] });
    assert_stops(
        &json!({ "reduce": [vec![0; 64], [{ "var": "accumulator" }, pair, { "var": "accumulator" }], 1] }),
        &Value::Null,
    );
}

#[test]
fn deeply_nested_lists_exceed_a_limit() {
    assert_stops(
        &json!({ "reduce": [vec![0; 1000], [{ "var": "accumulator" }], 1] }),
        &Value::Null,
    );
    assert_stops(
        &json!({ "reduce": [vec![0; 1000], { "var": "" }, 1] }),
        &Value::Null,
    );
}

#[test]
fn nested_loops_exceed_the_step_limit() {
    let list = vec![0; 100];
    let inner = |body: Value| json!({ "map": [list, body] });
    assert_stops(&inner(inner(inner(inner(json!(1))))), &Value::Null);
}

#[test]
fn long_texts_in_a_loop_exceed_the_step_limit() {
    let context = json!({ "long": "x".repeat(100_000), "list": vec![0; 100] });
    let body = json!({ "in": [{ "cat": ["y", "z"] }, "x".repeat(10_000)] });
    assert_stops(
        &json!({ "map": [{ "var": "list" }, { "cat": [body, "x".repeat(50_000)] }] }),
        &context,
    );
    assert_stops(
        &json!({ "map": [vec![0; 2000], { "==": ["x".repeat(3_000), "y"] }] }),
        &context,
    );
}

#[test]
fn the_flags_of_a_set_share_a_step_limit() {
    let rule = json!({ "map": [vec![0; 60], { "map": [vec![0; 60], { "map": [vec![0; 60], 1] }] }] });
    let heavy = json!({ "state": "ENABLED", "variants": { "x": 1 }, "targeting": rule });
    let mut flags: Map<_, _> = (0..40).map(|n| (format!("f{n:02}"), heavy.clone())).collect();
    flags.insert(
        "g".to_owned(),
        json!({ "state": "ENABLED", "variants": { "x": 1 }, "targeting": { "if": [1, "x"] } }),
    );
    flags.insert(
        "h".to_owned(),
        json!({ "state": "ENABLED", "variants": { "x": 1 }, "defaultVariant": "x" }),
    );
    let set = FlagSet::parse(json!({ "flags": flags }).to_string().as_bytes()).unwrap();
    let outcomes: Map<_, _> = set
        .evaluate_all(&Value::Null, 0)
        .map(|(key, outcome)| {
            (
                key.to_owned(),
                json!(outcome.map_or("stopped", |outcome| outcome.reason.as_str())),
            )
        })
        .collect();
    assert_eq!(outcomes["f00"], "stopped");
    // No steps are left for another rule, but a flag without a rule needs no steps.
    assert_eq!(outcomes["g"], "stopped");
    assert_eq!(outcomes["h"], "STATIC");
}

#[test]
fn a_list_of_thousands_of_players_is_within_the_step_limit() {
    let players: Vec<_> = (0..6_000).map(|n| format!("player-{n:020}")).collect();
    let last = players[5_999].clone();
    let set = parse_set(
        &json!({ "if": [{ "in": [{ "var": "targetingKey" }, players] }, "x"] }),
        &json!({}),
    );
    assert_eq!(
        set.evaluate("f", &json!({ "targetingKey": last }), 0)
            .unwrap()
            .variant,
        Some("x")
    );
}
