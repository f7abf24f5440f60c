//! Schemas of the API's documents, for the description of the API. Each type derives its schema from itself; this module
//! collects the schemas. Only the feature `schema` builds it, which no component enables.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

const REFERENCES: &str = "#/components/schemas/";

/// Schemas by their names.
#[derive(Debug, Default)]
pub struct Schemas(pub BTreeMap<String, Value>);

impl Schemas {
    /// Adds the schema of a type, and those of the types it is made of.
    pub fn add<T: ToSchema>(&mut self) {
        let mut all = Vec::new();
        T::schemas(&mut all);
        all.push((T::name().into_owned(), T::schema()));
        for (name, schema) in all {
            let schema = serde_json::to_value(&schema).unwrap_or_default();
            self.0.entry(name).or_insert(schema);
        }
    }

    /// Adds the schemas of a list of `T` in the order of their ids, as [`ListBody`](crate::wire::ListBody) writes it: `name` in
    /// version 1, where `field` has the items, and `name` with the ending `V2` in version 2. `about` says what the list is.
    pub fn add_list<T: ToSchema>(&mut self, name: &str, field: &str, about: &str) {
        self.add::<T>();
        let item = format!("{REFERENCES}{}", T::name());
        let items = json!({
            "type": "array", "items": {"$ref": item}, "description": "In the order of their ids.",
        });
        let object = |properties: Value, required: [&str; 2]| {
            json!({
                "type": "object", "description": about, "properties": properties, "required": required,
                "additionalProperties": false,
            })
        };
        let next = json!({"type": ["string", "null"], "description": "The cursor of the next page."});
        let first = object(json!({field: items, "next": next}), [field, "next"]);
        let page = json!({"$ref": format!("{REFERENCES}PageV2"), "description": "Where the list goes on."});
        let second = object(json!({"data": items, "page": page}), ["data", "page"]);
        self.0.insert(name.to_owned(), first);
        self.0.insert(format!("{name}V2"), second);
    }
}

/// The schema of a choice of words.
pub(crate) fn words<T>(about: &str, table: &[(&'static str, T)]) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .enum_values(Some(table.iter().map(|(word, _)| *word)))
        .into()
}

/// A 64-bit integer. The description replaces its schema: it depends on the form that the client asks for.
#[derive(Debug, Deserialize)]
pub struct Int64;

impl PartialSchema for Int64 {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).into()
    }
}

impl ToSchema for Int64 {
    fn name() -> Cow<'static, str> {
        "Int64".into()
    }
}

/// An object of the client's own.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Metadata(pub Value);

/// Values by the names of their columns.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Values(pub BTreeMap<String, Int64>);
