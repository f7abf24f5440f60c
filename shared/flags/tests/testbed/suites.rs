//! Runs the feature files of the testbed with their flags.

use std::path::{Path, PathBuf};

use leaderboard_flags::FlagSet;
use serde_json::{Map, Value, json};

use crate::gherkin::{Scenario, parse_scenarios};

/// The environment variable with the path of the checkout.
const CHECKOUT: &str = "FLAGD_TESTBED";
/// The tags of scenarios that do not apply; the README gives the reasons.
const LEFT_OUT: [&str; 5] = [
    "@fractional-v1",
    "@fractional-v3",
    "@deprecated",
    "@grace",
    "@caching",
];

fn find_checkout() -> PathBuf {
    PathBuf::from(std::env::var_os(CHECKOUT).expect("FLAGD_TESTBED names a checkout of flagd-testbed"))
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Merges all flag files of the testbed into one document, as the flagd of the testbed does.
fn merge_flags(root: &Path) -> Value {
    let (mut flags, mut evaluators) = (Map::new(), Map::new());
    let mut paths: Vec<_> = std::fs::read_dir(root.join("flags"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("selector")
        {
            continue;
        }
        let file = read_json(&path);
        flags.extend(file["flags"].as_object().unwrap().clone());
        evaluators.extend(file["$evaluators"].as_object().cloned().unwrap_or_default());
    }
    json!({ "flags": flags, "$evaluators": evaluators })
}

fn applies(scenario: &Scenario) -> bool {
    !scenario.tags.iter().any(|tag| LEFT_OUT.contains(&tag.as_str()))
}

/// Runs the scenarios of some files, and returns their number.
fn run_scenarios(root: &Path, folder: &str, files: &[&str], document: &Value) -> usize {
    let read = |document: &Value| FlagSet::parse_tolerant(document.to_string().as_bytes()).unwrap();
    let whole = read(document);
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(root.join(folder).join(file)).unwrap();
        for scenario in parse_scenarios(&text).iter().filter(|scenario| applies(scenario)) {
            let selected = scenario
                .selector()
                .map(|file| match file.strip_prefix("rawflags/") {
                    Some(name) => read(&read_json(&root.join("flags").join(name))),
                    None => whole.clone(),
                });
            crate::steps::run_scenario(selected.as_ref().unwrap_or(&whole), file, scenario);
            count += 1;
        }
    }
    count
}

#[test]
fn the_scenarios_of_the_evaluator_have_the_expected_outcomes() {
    let root = find_checkout();
    let files = [
        "disabled.feature",
        "errors.feature",
        "evaluation.feature",
        "evaluator-refs.feature",
        "fractional.feature",
        "metadata.feature",
        "no-default-variant.feature",
        "semver.feature",
        "string.feature",
        "targeting.feature",
        "zero-values.feature",
    ];
    let flags = read_json(&root.join("evaluator/flags/testkit-flags.json"));
    let count = run_scenarios(&root, "evaluator/gherkin", &files, &flags);
    println!("{count} scenarios of the evaluator ran");
    assert!(count > 100, "only {count} scenarios ran");
}

#[test]
fn the_evaluation_scenarios_of_the_provider_have_the_expected_outcomes() {
    let root = find_checkout();
    let files = [
        "contextEnrichment.feature",
        "disabled.feature",
        "evaluation.feature",
        "metadata.feature",
        "selector.feature",
        "targeting.feature",
    ];
    let count = run_scenarios(&root, "gherkin", &files, &merge_flags(&root));
    println!("{count} scenarios of the provider ran");
    assert!(count > 100, "only {count} scenarios ran");
}
