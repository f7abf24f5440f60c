//! The parts that schemas are made of, as JSON: texts, numbers, lists, maps, references.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a part is made where it is put into another one"
)]

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// The beginning of a reference; the name of a schema follows.
pub const REFERENCES: &str = "#/components/schemas/";

/// The schema of a document that clients send. `fields` has for each field whether it is `required`, its name, a text about it, and
/// its schema.
pub fn object<const N: usize>(about: &str, fields: [(&str, &str, &str, Value); N]) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (need, field, about, mut schema) in fields {
        // Where a reference may be `null`, the text stands beside the reference.
        match schema.pointer_mut("/oneOf/0") {
            Some(reference) => reference["description"] = plain_text(about).into(),
            None => schema["description"] = plain_text(about).into(),
        }
        properties.insert(field.to_owned(), schema);
        if need == "required" {
            required.push(field);
        }
    }
    let mut schema = json!({"type": "object", "description": plain_text(about), "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// Returns the text of a doc comment, without the space at the beginning of each line.
fn plain_text(doc: &str) -> String {
    let lines: Vec<&str> = doc.lines().map(str::trim).collect();
    lines.join("\n")
}

/// The schema of a text.
pub fn text() -> Value {
    json!({"type": "string"})
}

/// The schema of a text of at most so many characters.
pub fn text_up_to(max_length: usize) -> Value {
    json!({"type": "string", "maxLength": max_length})
}

/// The schema of a text of one character to `max_length` characters.
pub fn text_within(max_length: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": max_length})
}

/// The schema of the id of a leaderboard, a tenant or an issuer.
pub fn slug() -> Value {
    let after_first = leaderboard_core::MAX_SLUG_BYTES - 1;
    json!({"type": "string", "pattern": format!("^[a-z0-9][a-z0-9._-]{{0,{after_first}}}$")})
}

/// The schema of the name of a column.
pub fn column_name() -> Value {
    let after_first = leaderboard_core::MAX_COLUMN_NAME_BYTES - 1;
    json!({"type": "string", "pattern": format!("^[a-z][a-z0-9_]{{0,{after_first}}}$")})
}

/// The schema of a time.
pub fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// The schema of `true` and `false`.
pub fn boolean() -> Value {
    json!({"type": "boolean"})
}

/// Returns the schema of an integer from `least` to the largest 32-bit integer, which every JSON reader keeps exact.
pub fn integer(least: u32) -> Value {
    json!({"type": "integer", "format": "int32", "minimum": least})
}

/// The schema of an integer from `least` to `most`.
pub fn integer_within(least: u32, most: impl Into<u32>) -> Value {
    let most = most.into();
    json!({"type": "integer", "format": "int32", "minimum": least, "maximum": most})
}

/// The schema of a list.
pub fn list_of(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// The schema of a list with at least `least` items.
pub fn list_from(least: usize, items: Value) -> Value {
    json!({"type": "array", "items": items, "minItems": least})
}

/// The schema of a list with at most `most` items.
pub fn list_up_to(most: usize, items: Value) -> Value {
    json!({"type": "array", "items": items, "maxItems": most})
}

/// The schema of a list with `least` to `most` items.
pub fn list_within(least: usize, most: usize, items: Value) -> Value {
    json!({"type": "array", "items": items, "minItems": least, "maxItems": most})
}

/// The schema of an object with any fields.
pub fn any_object() -> Value {
    json!({"type": "object"})
}

/// The schema of a choice between schemas: the name of each, and what it means to choose it.
pub fn one_of(about: &str, branches: [(&str, &str); 2]) -> Value {
    let branches = branches.map(|(name, about)| reference_about(name, about));
    json!({"description": about, "oneOf": branches})
}

/// The schema of a map.
pub fn map_of(values: Value) -> Value {
    json!({"type": "object", "additionalProperties": values, "propertyNames": {"type": "string"}})
}

/// A reference to another schema, with a text of its own.
pub(crate) fn reference_about(name: &str, about: &str) -> Value {
    described(reference(name), about)
}

/// Returns a schema with a text about it.
pub fn described(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}

/// A reference to another schema.
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("{REFERENCES}{name}")})
}

/// Returns a schema that allows `null`, too.
pub fn or_null(mut schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        return json!({"oneOf": [schema, {"type": "null"}]});
    }
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

/// The schema of a choice of words.
pub fn words<T>(about: &str, table: &[(&'static str, T)]) -> Value {
    let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
    json!({"type": "string", "description": about, "enum": words})
}

/// Returns a schema in JSON as a schema of utoipa.
pub(crate) fn utoipa_schema(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(Schema::default()))
}

/// The schema of a type, as JSON.
pub(crate) fn json_of<T: ToSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}
