//! What the steps of a scenario mean here.

use leaderboard_flags::{Evaluation, EvaluationError, FlagSet, FlagType};
use serde_json::{Map, Value, json};

use crate::gherkin::{Scenario, Step, quoted};

/// A time in 2026, in seconds since 1970.
const NOW: i64 = 1_780_000_000;

struct Asked {
    key: String,
    type_name: String,
    fallback: Value,
}

/// Runs one scenario.
///
/// # Panics
/// When an expectation does not hold, or a step is not known.
pub(crate) fn run(set: &FlagSet, file: &str, scenario: &Scenario) {
    // The server of the testbed adds this member to every context.
    let mut context = Map::from_iter([("injectedmetadata".to_owned(), json!("set"))]);
    let mut asked = None;
    for step in &scenario.steps {
        let at = format!("{file}: {}: {}", scenario.name, step.text);
        let words: Vec<_> = quoted(&step.text).collect();
        if step.text.contains("-flag with key") {
            asked = Some(flag_of(&step.text, &words));
        } else if step.text.contains("nested property") {
            context.insert(words[0].to_owned(), json!({ words[1]: words[2] }));
        } else if step.text.contains("a targeting key with value") {
            context.insert("targetingKey".to_owned(), json!(words[0]));
        } else if step.text.contains("a context containing a key") {
            context.insert(words[0].to_owned(), value_of(words[1], words[2]));
        } else if step.text.contains(" should ") || step.text.ends_with("is empty") {
            check(
                set,
                &Value::Object(context.clone()),
                asked.as_ref().expect(&at),
                step,
                &at,
            );
        } else {
            let known = [
                "an evaluator",
                "flagd provider",
                "an option",
                "the flag was evaluated",
            ];
            assert!(
                known.iter().any(|known| step.text.contains(known)),
                "unknown step: {at}"
            );
        }
    }
}

/// `a <type>-flag with key "<key>" and a default value "<fallback>"`
fn flag_of(text: &str, words: &[&str]) -> Asked {
    let type_name = text
        .split_once("-flag")
        .unwrap()
        .0
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned();
    // The fallback of an object holds quotes itself.
    let fallback = text.split_once(" value \"").unwrap().1.strip_suffix('"').unwrap();
    Asked {
        key: words[0].to_owned(),
        fallback: value_of(&type_name, fallback),
        type_name,
    }
}

fn value_of(type_name: &str, text: &str) -> Value {
    match type_name {
        "String" => json!(text),
        "Integer" => json!(text.parse::<i64>().unwrap()),
        "Float" => json!(text.parse::<f64>().unwrap()),
        "Boolean" | "Object" => serde_json::from_str(&text.replace("\\\"", "\"")).unwrap(),
        other => panic!("unknown type {other}"),
    }
}

fn check(set: &FlagSet, context: &Value, asked: &Asked, step: &Step, at: &str) {
    let wanted = match asked.type_name.as_str() {
        "Boolean" => FlagType::Boolean,
        "String" => FlagType::String,
        "Object" => FlagType::Object,
        _ => FlagType::Number,
    };
    let outcome = set
        .evaluate(&asked.key, context, NOW)
        .and_then(|outcome| outcome.of_type(wanted));
    let text = step
        .text
        .split_once(" should be \"")
        .map(|(_, text)| text.strip_suffix('"').unwrap());
    if step.text.contains("value should be") {
        let expected = value_of(&asked.type_name, text.unwrap());
        let found = outcome
            .as_ref()
            .ok()
            .and_then(|outcome| outcome.value)
            .unwrap_or(&asked.fallback);
        assert!(same(found, &expected), "{at}: {found}, {outcome:?}");
    } else if step.text.contains("reason should be") {
        let reason = outcome
            .as_ref()
            .map_or("ERROR", |outcome| outcome.reason.as_str());
        assert_eq!(Some(reason), text, "{at}: {outcome:?}");
    } else if step.text.contains("error-code should be") {
        assert_eq!(error_code(&outcome), text, "{at}: {outcome:?}");
    } else {
        check_metadata(&set.metadata_of(&asked.key), step, at);
    }
}

fn error_code(outcome: &Result<Evaluation<'_>, EvaluationError>) -> Option<&'static str> {
    Some(outcome.as_ref().err().map_or("", |error| error.code.as_str()))
}

fn check_metadata(metadata: &Map<String, Value>, step: &Step, at: &str) {
    let rows = step.table.get(1..).unwrap_or_default();
    assert_eq!(metadata.len(), rows.len(), "{at}: {metadata:?}");
    for row in rows {
        let expected = value_of(&row[1], &row[2]);
        assert!(same(&metadata[&row[0]], &expected), "{at}: {metadata:?}");
    }
}

fn same(left: &Value, right: &Value) -> bool {
    left == right || left.is_number() && left.as_f64() == right.as_f64()
}
