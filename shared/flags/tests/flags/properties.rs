//! Property tests of rules, documents and shares.

use leaderboard_flags::FlagSet;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The names of all operations, and `$ref`.
const OPERATIONS: [&str; 40] = [
    "var",
    "missing",
    "missing_some",
    "if",
    "?:",
    "and",
    "or",
    "!",
    "!!",
    "==",
    "===",
    "!=",
    "!==",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "max",
    "min",
    "map",
    "filter",
    "reduce",
    "all",
    "none",
    "some",
    "merge",
    "in",
    "cat",
    "substr",
    "log",
    "fractional",
    "starts_with",
    "ends_with",
    "sem_ver",
    "$ref",
];

fn generate_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        "[a-c.$0-9]{0,6}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "x",
            "a",
            "a.b",
            "accumulator",
            "current",
            "$flagd",
            "$flagd.timestamp",
            "one",
            "1.2",
            "v2"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ]
}

/// Generates a rule, which may be invalid.
fn generate_rule() -> impl Strategy<Value = Value> {
    generate_scalar().prop_recursive(6, 60, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            3 => (prop::sample::select(OPERATIONS.to_vec()), list.clone())
                .prop_map(|(name, arguments)| json!({ name: arguments })),
            1 => (prop::sample::select(OPERATIONS.to_vec()), inner).prop_map(|(name, one)| json!({ name: one })),
            1 => list.prop_map(Value::from),
        ]
    })
}

/// Creates a document with two flags that use the rules.
fn create_document(first: &Value, second: &Value) -> Value {
    let variants = json!({ "x": 1, "y": 2, "true": 3 });
    json!({
        "$evaluators": { "a": first, "x": { "var": "x" } },
        "flags": {
            "one": { "state": "ENABLED", "variants": variants, "targeting": { "if": [first, "x", second] } },
            "two": { "state": "ENABLED", "variants": variants, "targeting": { "if": [second] }, "defaultVariant": "y" },
        },
    })
}

/// Returns the variant of a player for these shares.
fn find_variant(shares: &Value, player: &str) -> String {
    let flag = json!({ "state": "ENABLED", "variants": { "a": "a", "b": "b", "c": "c" }, "targeting": { "fractional": shares } });
    let set = FlagSet::parse(json!({ "flags": { "rollout": flag } }).to_string().as_bytes()).unwrap();
    let outcome = set
        .evaluate("rollout", &json!({ "targetingKey": player }), 0)
        .unwrap();
    outcome.variant.unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_is_evaluated_without_a_panic_and_repeatably(first in generate_rule(), second in generate_rule(), x in generate_rule(), key in ".{0,8}") {
        let bytes = create_document(&first, &second).to_string();
        if let Ok(set) = FlagSet::parse_tolerant(bytes.as_bytes()) {
            let context = json!({ "x": x, "a": { "b": [1, "2", null] }, "targetingKey": key });
            for (key, outcome) in set.evaluate_all(&context, i64::MAX) {
                if let Ok(outcome) = &outcome {
                    prop_assert_eq!(outcome.value.is_some(), outcome.variant.is_some());
                }
                // A second evaluation returns the same outcome, because only the arguments decide it.
                prop_assert_eq!(&set.evaluate(key, &context, i64::MAX), &outcome);
            }
        }
    }

    #[test]
    fn random_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(FlagSet::parse(&bytes).is_err());
    }

    #[test]
    fn a_growing_share_keeps_its_players(player in "[a-z0-9-]{1,20}", smaller in 0_u32..100, more in 0_u32..100) {
        let larger = (smaller + more).min(100);
        let shares = |part: u32| json!([["a", part], ["b", 100 - part]]);
        let (before, after) = (find_variant(&shares(smaller), &player), find_variant(&shares(larger), &player));
        prop_assert!(before == after || (before == "b" && after == "a"), "{} then {}", before, after);
        prop_assert_eq!(find_variant(&shares(smaller), &player), before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn shares_are_close_to_their_weights(
        weights in prop::array::uniform3(1_u32..50),
        season in "[a-z]{3,8}",
    ) {
        const PLAYERS: u32 = 4000;
        let [a, b, c] = weights;
        let total = f64::from(a + b + c);
        let flag = json!({
            "state": "ENABLED", "variants": { "a": 1, "b": 2, "c": 3 },
            "targeting": { "fractional": [{ "cat": [season, { "var": "targetingKey" }] }, ["a", a], ["b", b], ["c", c]] },
        });
        let set = FlagSet::parse(json!({ "flags": { "f": flag } }).to_string().as_bytes()).unwrap();
        let mut counts = [0_u32; 3];
        for player in 0..PLAYERS {
            let context = json!({ "targetingKey": format!("player-{player}") });
            let value = set.evaluate("f", &context, 0).unwrap().value.and_then(Value::as_u64).unwrap();
            counts[usize::try_from(value).unwrap() - 1] += 1;
        }
        for (count, weight) in counts.into_iter().zip(weights) {
            let share = f64::from(weight) / total;
            // The allowed difference is five standard deviations.
            let slack = 5.0 * (share * (1.0 - share) / f64::from(PLAYERS)).sqrt();
            let found = f64::from(count) / f64::from(PLAYERS);
            prop_assert!((found - share).abs() < slack, "{} of {}: {}", weight, total, found);
        }
    }
}
