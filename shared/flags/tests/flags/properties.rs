//! What holds of every rule and every player.

use leaderboard_flags::FlagSet;
use proptest::prelude::*;
use serde_json::{Value, json};

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

fn scalar() -> impl Strategy<Value = Value> {
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

fn rule() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(6, 60, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            3 => (prop::sample::select(OPERATIONS.to_vec()), list.clone())
                .prop_map(|(name, arguments)| json!({ name: arguments })),
            1 => (prop::sample::select(OPERATIONS.to_vec()), inner).prop_map(|(name, one)| json!({ name: one })),
            1 => list.prop_map(Value::from),
        ]
    })
}

fn document(first: &Value, second: &Value) -> Value {
    let variants = json!({ "x": 1, "y": 2, "true": 3 });
    json!({
        "$evaluators": { "a": first, "x": { "var": "x" } },
        "flags": {
            "one": { "state": "ENABLED", "variants": variants, "targeting": { "if": [first, "x", second] } },
            "two": { "state": "ENABLED", "variants": variants, "targeting": { "if": [second] }, "defaultVariant": "y" },
        },
    })
}

/// Where in a rollout of `shares` a player is.
fn placed(shares: &Value, player: &str) -> String {
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
    fn any_rule_ends_without_a_panic(first in rule(), second in rule(), x in rule(), key in ".{0,8}") {
        let bytes = document(&first, &second).to_string();
        if let Ok(set) = FlagSet::parse_tolerant(bytes.as_bytes()) {
            let context = json!({ "x": x, "a": { "b": [1, "2", null] }, "targetingKey": key });
            for (key, outcome) in set.evaluate_all(&context, i64::MAX) {
                if let Ok(outcome) = &outcome {
                    prop_assert_eq!(outcome.value.is_some(), outcome.variant.is_some());
                }
                // The same again: nothing but the arguments counts.
                prop_assert_eq!(&set.evaluate(key, &context, i64::MAX), &outcome);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(FlagSet::parse(&bytes).is_err());
    }

    #[test]
    fn a_growing_share_keeps_those_who_are_in_it(player in "[a-z0-9-]{1,20}", smaller in 0_u32..100, more in 0_u32..100) {
        let larger = (smaller + more).min(100);
        let shares = |part: u32| json!([["a", part], ["b", 100 - part]]);
        let (before, after) = (placed(&shares(smaller), &player), placed(&shares(larger), &player));
        prop_assert!(before == after || (before == "b" && after == "a"), "{} then {}", before, after);
        prop_assert_eq!(placed(&shares(smaller), &player), before);
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
            // Five standard deviations.
            let slack = 5.0 * (share * (1.0 - share) / f64::from(PLAYERS)).sqrt();
            let found = f64::from(count) / f64::from(PLAYERS);
            prop_assert!((found - share).abs() < slack, "{} of {}: {}", weight, total, found);
        }
    }
}
