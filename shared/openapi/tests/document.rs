//! The committed description is the one that the code gives, and its examples are what it says.

use std::path::Path;

use leaderboard_openapi::conformance::Conformance;
use leaderboard_openapi::{document, undescribed};
use serde_json::Value;

#[test]
fn every_route_is_described() {
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
    visit(&document, "", &mut |value, _| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str)
            && reference
                .strip_prefix('#')
                .and_then(|pointer| document.pointer(pointer))
                .is_none()
        {
            dangling.push(reference.to_owned());
        }
    });
    assert_eq!(dangling, Vec::<String>::new());
}

#[test]
fn examples_are_what_their_schemas_say() {
    let mut faults = Vec::new();
    let mut count = 0;
    visit(&document(), "", &mut |value, place| {
        let Some(schema) = value.get("schema") else {
            return;
        };
        let several = value.get("examples").and_then(Value::as_object);
        let several = several
            .into_iter()
            .flatten()
            .map(|(_, example)| &example["value"]);
        for example in several.chain(schema.get("example")) {
            count += 1;
            if let Err(fault) = Conformance::get().check_document(schema, example) {
                faults.push(format!("{place}: {fault}"));
            }
        }
    });
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 200, "{count}");
}

#[test]
fn every_body_has_an_example() {
    let mut without = Vec::new();
    visit(&document(), "", &mut |value, place| {
        let Some(content) = value.get("content").and_then(Value::as_object) else {
            return;
        };
        // Pages and scripts are themselves, and so is the description.
        let exempt = content
            .keys()
            .any(|name| name == "text/html" || name == "text/javascript");
        let has = content.values().any(|content| content.get("examples").is_some());
        if !has && !exempt && !place.contains("/openapi.json/") {
            without.push(place.to_owned());
        }
    });
    assert_eq!(without, Vec::<String>::new());
}

fn visit(value: &Value, place: &str, see: &mut impl FnMut(&Value, &str)) {
    see(value, place);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                visit(value, &format!("{place}/{name}"), see);
            }
        }
        Value::Array(items) => items.iter().for_each(|value| visit(value, place, see)),
        _ => {}
    }
}
