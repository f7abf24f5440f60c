//! Changes of the whole document: replaces references, removes unused components, and adds what code generators need.

use std::collections::BTreeSet;

use leaderboard_api::schema::REFERENCES;
use serde_json::{Value, json};

const PREFIX: &str = "#/components/";
/// The largest integer that every reader of JSON keeps exact: 2^53 − 1.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// Calls `see` for each object in a document. The outermost object comes first.
fn for_each_object(value: &mut Value, see: &mut impl FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            see(fields);
            fields.values_mut().for_each(|value| for_each_object(value, see));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| for_each_object(item, see)),
        _ => {}
    }
}

fn reference(fields: &serde_json::Map<String, Value>) -> Option<&str> {
    fields.get("$ref").and_then(Value::as_str)
}

/// Adds the components that `value` refers to, directly or through others.
fn collect(document: &Value, value: &Value, found: &mut BTreeSet<String>) {
    let mut references = Vec::new();
    for_each_object(&mut value.clone(), &mut |fields| {
        references.extend(reference(fields).map(str::to_owned));
    });
    for pointer in references {
        if found.insert(pointer.clone())
            && let Some(target) = pointer
                .strip_prefix('#')
                .and_then(|pointer| document.pointer(pointer))
        {
            collect(document, target, found);
        }
    }
}

/// Removes the components that no path refers to, directly or through other components.
pub(crate) fn keep_used(document: &mut Value) {
    let mut used = BTreeSet::new();
    collect(document, &document["paths"], &mut used);
    for kind in ["schemas", "parameters", "headers", "responses"] {
        if let Some(components) = document["components"][kind].as_object_mut() {
            components.retain(|name, _| used.contains(&format!("{PREFIX}{kind}/{name}")));
        }
    }
}

/// Replaces each reference to `name` by another schema.
pub(crate) fn replace(document: &mut Value, name: &str, by: &Value) {
    let replaced = format!("{REFERENCES}{name}");
    for_each_object(document, &mut |fields| {
        if reference(fields) == Some(&replaced) {
            fields.remove("$ref");
            fields.extend(by.as_object().cloned().unwrap_or_default());
        }
    });
}

/// Adds `additionalProperties: true` to each object without properties, because code generators need it.
pub(crate) fn open_free_forms(schemas: &mut Value) {
    for_each_object(schemas, &mut |fields| {
        let is_object = match fields.get("type") {
            Some(Value::String(name)) => name == "object",
            Some(Value::Array(names)) => names.contains(&json!("object")),
            _ => false,
        };
        if is_object && !fields.contains_key("properties") {
            fields.entry("additionalProperties").or_insert(true.into());
        }
    });
}

/// Replaces the format `int64` by a maximum of 2^53 − 1 in each integer that is always a number: ranks, counts and positions do not
/// grow beyond that, so every reader keeps them exact. Larger integers are `Int64`, which a client can get as strings.
pub(crate) fn bound_wide_integers(schemas: &mut Value) {
    for_each_object(schemas, &mut |fields| {
        let is_number = match fields.get("type") {
            Some(Value::String(name)) => name == "integer",
            Some(Value::Array(names)) => {
                names.contains(&json!("integer")) && !names.contains(&json!("string"))
            }
            _ => false,
        };
        if is_number && fields.get("format") == Some(&json!("int64")) {
            fields.remove("format");
            fields.insert("maximum".to_owned(), MAX_EXACT.into());
        }
    });
}

/// Adds `additionalProperties: false` to each object with properties, except in the schemas named in `open`: their documents belong to
/// other protocols and may have more properties.
pub(crate) fn close_objects(schemas: &mut Value, open: &[&str]) {
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        if open.contains(&name.as_str()) {
            continue;
        }
        for_each_object(schema, &mut |fields| {
            if fields.get("type") == Some(&json!("object")) && fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(false.into());
            }
        });
    }
}
