//! The committed description is the one that the code gives.

use std::path::Path;

use leaderboard_openapi::{document, undescribed};
use serde_json::Value;

#[test]
fn every_route_is_described_and_every_example_is_what_its_schema_says() {
    assert_eq!(undescribed(), Vec::<String>::new());
}

#[test]
fn the_committed_document_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let made = serde_json::to_string_pretty(&document()).unwrap_or_default() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        assert!(std::fs::write(&path, &made).is_ok());
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "docs/openapi.json is out of date; UPDATE_OPENAPI=1 writes it anew"
    );
}

#[test]
fn references_lead_somewhere() {
    let document = document();
    let mut dangling = Vec::new();
    references(&document, &mut |reference| {
        let found = reference
            .strip_prefix('#')
            .and_then(|pointer| document.pointer(pointer));
        if found.is_none() {
            dangling.push(reference.to_owned());
        }
    });
    assert_eq!(dangling, Vec::<String>::new());
}

fn references(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                found(reference);
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
