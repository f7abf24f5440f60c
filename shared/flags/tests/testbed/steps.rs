//! Runs the steps of a scenario against a set of flags.

use leaderboard_flags::{Evaluation, EvaluationError, FlagSet, FlagType};
use serde_json::{Map, Value, json};

use crate::gherkin::{Scenario, Step, list_quoted};

/// A time in 2026, in seconds since 1970.
const NOW: i64 = 1_780_000_000;

/// The flag that a scenario evaluates.
struct FlagRequest {
    key: String,
    type_name: String,
    fallback: Value,
}

/// Runs one scenario.
///
/// # Panics
/// Panics if the outcome is not the expected outcome, or if a step is unknown.
pub(crate) fn run_scenario(set: &FlagSet, file: &str, scenario: &Scenario) {
    // The server of the testbed adds this member to every context.
    let mut context = Map::from_iter([("injectedmetadata".to_owned(), json!("set"))]);
    let mut request = None;
    for step in &scenario.steps {
        let at = format!("{file}: {}: {}", scenario.name, step.text);
        let words: Vec<_> = list_quoted(&step.text).collect();
        if step.text.contains("-flag with key") {
            request = Some(parse_flag_request(&step.text, &words));
        } else if step.text.contains("nested property") {
            context.insert(words[0].to_owned(), json!({ words[1]: words[2] }));
        } else if step.text.contains("a targeting key with value") {
            context.insert("targetingKey".to_owned(), json!(words[0]));
        } else if step.text.contains("a context containing a key") {
            context.insert(words[0].to_owned(), parse_value(words[1], words[2]));
        } else if step.text.contains(" should ") || step.text.ends_with("is empty") {
            check_expectation(
                set,
                &Value::Object(context.clone()),
                request.as_ref().expect(&at),
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

/// Parses the step `a <type>-flag with key "<key>" and a default value "<fallback>"`.
fn parse_flag_request(text: &str, words: &[&str]) -> FlagRequest {
    let type_name = text
        .split_once("-flag")
        .unwrap()
        .0
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned();
    // The fallback of an object contains quotes.
    let fallback = text.split_once(" value \"").unwrap().1.strip_suffix('"').unwrap();
    FlagRequest {
        key: words[0].to_owned(),
        fallback: parse_value(&type_name, fallback),
        type_name,
    }
}

fn parse_value(type_name: &str, text: &str) -> Value {
    match type_name {
        "String" => json!(text),
        "Integer" => json!(text.parse::<i64>().unwrap()),
        "Float" => json!(text.parse::<f64>().unwrap()),
        "Boolean" | "Object" => serde_json::from_str(&text.replace("\\\"", "\"")).unwrap(),
        other => panic!("unknown type {other}"),
    }
}

/// Checks one expectation.
fn check_expectation(set: &FlagSet, context: &Value, request: &FlagRequest, step: &Step, at: &str) {
    let wanted = match request.type_name.as_str() {
        "Boolean" => FlagType::Boolean,
        "String" => FlagType::String,
        "Object" => FlagType::Object,
        _ => FlagType::Number,
    };
    let outcome = set
        .evaluate(&request.key, context, NOW)
        .and_then(|outcome| outcome.of_type(wanted));
    let text = step
        .text
        .split_once(" should be \"")
        .map(|(_, text)| text.strip_suffix('"').unwrap());
    if step.text.contains("value should be") {
        let expected = parse_value(&request.type_name, text.unwrap());
        let found = outcome
            .as_ref()
            .ok()
            .and_then(|outcome| outcome.value)
            .unwrap_or(&request.fallback);
        assert!(is_same_value(found, &expected), "{at}: {found}, {outcome:?}");
    } else if step.text.contains("reason should be") {
        let reason = outcome
            .as_ref()
            .map_or("ERROR", |outcome| outcome.reason.as_str());
        assert_eq!(Some(reason), text, "{at}: {outcome:?}");
    } else if step.text.contains("error-code should be") {
        assert_eq!(error_code(&outcome), text, "{at}: {outcome:?}");
    } else {
        check_metadata(&set.metadata_of(&request.key), step, at);
    }
}

fn error_code(outcome: &Result<Evaluation<'_>, EvaluationError>) -> Option<&'static str> {
    Some(outcome.as_ref().err().map_or("", |error| error.code.as_str()))
}

fn check_metadata(metadata: &Map<String, Value>, step: &Step, at: &str) {
    let rows = step.table.get(1..).unwrap_or_default();
    assert_eq!(metadata.len(), rows.len(), "{at}: {metadata:?}");
    for row in rows {
        let expected = parse_value(&row[1], &row[2]);
        assert!(is_same_value(&metadata[&row[0]], &expected), "{at}: {metadata:?}");
    }
}

fn is_same_value(left: &Value, right: &Value) -> bool {
    left == right || left.is_number() && left.as_f64() == right.as_f64()
}
