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

    /// Adds the schemas of a list of `T` as [`ListBody`](crate::wire::ListBody) writes it: `list.name` in version 1, and
    /// `list.name` with the ending `V2` in version 2, where `page` names the schema of the page.
    pub fn add_list<T: ToSchema>(&mut self, list: &ListSchema) {
        self.add::<T>();
        self.add_list_of(&T::name(), &T::name(), list);
    }

    /// As [`Schemas::add_list`], where the items have another schema in each version; both are added already.
    pub fn add_list_of(&mut self, item_v1: &str, item_v2: &str, list: &ListSchema) {
        let items = |name: &str| json!({"type": "array", "items": {"$ref": reference(name)}, "description": list.order});
        let object = |properties: Value, required: [&str; 2]| {
            json!({
                "type": "object", "description": list.about, "properties": properties, "required": required,
                "additionalProperties": false,
            })
        };
        let next = json!({"type": [list.next, "null"], "description": list.about_next});
        let next = with_bounds(next, list.next);
        let first = object(
            json!({list.field: items(item_v1), "next": next}),
            [list.field, "next"],
        );
        let page = json!({"$ref": reference(list.page), "description": list.about_page});
        let second = object(json!({"data": items(item_v2), "page": page}), ["data", "page"]);
        self.0.insert(list.name.to_owned(), first);
        self.0.insert(format!("{}V2", list.name), second);
    }

    /// Adds the schemas of version 2 of documents that differ in the player alone, which is an object there. `names` are
    /// their names in version 1; the first of them has the field `player`, the others refer to documents of `names`.
    pub fn add_with_player_object(&mut self, names: &[&str]) {
        for name in names {
            let Some(mut schema) = self.0.get(*name).cloned() else {
                continue;
            };
            if let Some(player) = schema.pointer_mut("/properties/player") {
                let description = player.get("description").cloned();
                *player = json!({"$ref": reference("PlayerIdV2"), "description": description});
            }
            rename_references(&mut schema, names);
            self.0.insert(format!("{name}V2"), schema);
        }
    }
}

/// What is said of a list.
#[derive(Debug, Clone, Copy)]
pub struct ListSchema {
    /// The name of the schema in version 1.
    pub name: &'static str,
    /// The name of the field that has the items in version 1.
    pub field: &'static str,
    /// What the document is.
    pub about: &'static str,
    /// The order of the items.
    pub order: &'static str,
    /// The JSON type of what names the next page.
    pub next: &'static str,
    /// What names the next page.
    pub about_next: &'static str,
    /// The schema of the page in version 2.
    pub page: &'static str,
    /// What the page is.
    pub about_page: &'static str,
}

impl ListSchema {
    /// A list whose items stand in the order of their ids, page by page.
    #[must_use]
    pub const fn new(name: &'static str, field: &'static str, about: &'static str) -> Self {
        Self {
            name,
            field,
            about,
            order: "In the order of their ids.",
            next: "string",
            about_next: "The cursor of the next page.",
            page: "PageV2",
            about_page: "Where the list goes on.",
        }
    }
}

fn reference(name: &str) -> String {
    format!("{REFERENCES}{name}")
}

/// Integers here are positions: unsigned, and as wide as a `u64`.
fn with_bounds(mut schema: Value, json_type: &str) -> Value {
    if json_type == "integer"
        && let Some(fields) = schema.as_object_mut()
    {
        fields.insert("format".to_owned(), "int64".into());
        fields.insert("minimum".to_owned(), 0.into());
    }
    schema
}

fn rename_references(schema: &mut Value, names: &[&str]) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match value {
                    Value::String(text) if key == "$ref" => {
                        let name = text.strip_prefix(REFERENCES).unwrap_or_default();
                        if names.contains(&name) {
                            text.push_str("V2");
                        }
                    }
                    other => rename_references(other, names),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, names)),
        _ => {}
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
