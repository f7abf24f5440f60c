//! Schemas of the documents of one version, for the description of the API. Each type of a response derives its schema from itself;
//! each document that clients send has a table of its fields (`request_fields!`). This module collects the
//! schemas. Only the feature `schema` compiles it, which no component enables.
#![expect(
    clippy::indexing_slicing,
    reason = "schemas are written member by member, and this never runs in a component"
)]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

mod parts;

pub use parts::*;

use crate::json::RequestFields;
use crate::version::ApiVersion;

/// The schemas of one version, by their names.
#[derive(Debug)]
pub struct Schemas {
    /// The version.
    pub version: ApiVersion,
    /// The schemas by their names.
    pub by_name: BTreeMap<String, Value>,
}

impl Schemas {
    /// Returns an empty collection.
    pub const fn new(version: ApiVersion) -> Self {
        Self {
            version,
            by_name: BTreeMap::new(),
        }
    }

    /// Adds the schema of a response, and the schemas of its parts. If a name has a schema already, that schema stays.
    pub fn add<T: ToSchema>(&mut self) {
        self.add_as::<T>(&T::name());
    }

    /// Does the same as [`Schemas::add`], but gives the schema another name than its type's.
    pub fn add_as<T: ToSchema>(&mut self, name: &str) {
        let mut added = Vec::new();
        T::schemas(&mut added);
        added.push((name.to_owned(), T::schema()));
        let added: BTreeMap<String, Value> = added
            .into_iter()
            .filter(|(_, schema)| !matches!(schema, RefOr::Ref(_)))
            .map(|(name, schema)| (name, with_required_nulls(schema)))
            .collect();
        for (name, schema) in &added {
            let schema = merge_parts(schema, &added);
            self.by_name.entry(name.clone()).or_insert(schema);
        }
    }

    /// Adds the schema of a choice whose field `tag` names the branch (`serde(tag)`) as `name`. Each branch becomes a schema of its
    /// own, named `prefix` and the branch, and so does its tag: code generators make a type without a name of every other branch.
    pub fn add_tagged<T: ToSchema>(&mut self, name: &str, prefix: &str, tag: &str, about_tag: &str) {
        self.add_as::<T>(name);
        let mut choice = self.by_name.remove(name).unwrap_or_default();
        for branch in choice["oneOf"].as_array_mut().into_iter().flatten() {
            let value = branch["properties"][tag]["enum"][0].clone();
            let branch_name = format!("{prefix}{}", camel_case(value.as_str().unwrap_or_default()));
            let tag_name = format!("{branch_name}{}", camel_case(tag));
            branch["properties"][tag] = reference_about(&tag_name, about_tag);
            if let Some(required) = branch["required"].as_array_mut() {
                required.rotate_right(1);
            }
            let about = format!("The value of the tag of `{branch_name}`.");
            self.insert(
                &tag_name,
                json!({"type": "string", "description": about, "enum": [value]}),
            );
            let about = branch["description"].clone();
            let short = reference_about(&branch_name, about.as_str().unwrap_or_default());
            self.insert(&branch_name, std::mem::replace(branch, short));
        }
        self.insert(name, choice);
    }

    /// Adds the schema of a list of `T`, as [`Schemas::insert_list`] does.
    pub fn add_list<T: ToSchema>(&mut self, name: &str, field: &str, about: [&str; 2]) {
        self.add::<T>();
        self.insert_list(name, field, &T::name(), about);
    }

    /// Adds the schema of a list, as [`ListBody`](crate::wire::ListBody) writes it: in version 1, `field` has the items. `about` says
    /// what the list is, and in which order it is.
    pub fn insert_list(&mut self, name: &str, field: &str, item: &str, about: [&str; 2]) {
        let next = described(
            or_null(text()),
            "The cursor of the next page; `null` on the last page.",
        );
        self.insert_pages(name, [field, item], about, next, "Page");
    }

    /// Adds the schema of a list of `T` whose cursors are positions, and `page`, the schema of its `page` in version 2.
    pub fn add_list_by_position<T: ToSchema>(
        &mut self,
        name: &str,
        field: &str,
        about: [&str; 2],
        page: &str,
    ) {
        self.add::<T>();
        let next = described(
            or_null(json_of::<u64>()),
            "The value of `before` for the next page; `null` on the last page.",
        );
        let mut page_schema = self.by_name.get("Page").cloned().unwrap_or_default();
        page_schema["properties"]["next"] = next.clone();
        page_schema["properties"]["previous"] = or_null(json_of::<u64>());
        // Records have no common version.
        page_schema["properties"]["snapshot"] = or_null(any_object());
        self.insert(page, page_schema);
        self.insert_pages(name, [field, &T::name()], about, next, page);
    }

    fn insert_pages(&mut self, name: &str, items: [&str; 2], about: [&str; 2], next: Value, page: &str) {
        let ([field, item], [about, order]) = (items, about);
        let items = json!({"type": "array", "items": reference(item), "description": order});
        let [(items_field, items), (page_field, page)] = match self.version {
            ApiVersion::V1 => [(field, items), ("next", next)],
            ApiVersion::V2 => [
                ("data", items),
                (
                    "page",
                    reference_about(page, "The cursors of the neighbouring pages."),
                ),
            ],
        };
        let list = json!({
            "type": "object", "description": about, "properties": {items_field: items, page_field: page},
            "required": [items_field, page_field],
        });
        self.insert(name, list);
    }

    /// Adds the schemas of documents that clients send.
    pub fn add_requests(&mut self, requests: &[&RequestFields]) {
        for request in requests {
            let (name, schema) = (request.schema)();
            self.by_name.insert(name.to_owned(), schema);
        }
    }

    /// Adds the fields of one schema to another schema.
    pub fn add_fields_of(&mut self, name: &str, to: &str) {
        let from = self.by_name.get(name).cloned().unwrap_or_default();
        if let Some(to) = self.by_name.get_mut(to) {
            *to = merge_parts(
                &json!({"description": to["description"], "allOf": [*to, from]}),
                &BTreeMap::new(),
            );
        }
    }

    /// Adds a schema that is JSON already.
    pub fn insert(&mut self, name: &str, schema: Value) {
        self.by_name.insert(name.to_owned(), schema);
    }
}

/// Returns `UnknownKey` for `unknown_key`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// Writes a response's schema as JSON. In a response, a field that can be `null` is always there: it is required. A field that can
/// be left out is never `null`; its type says `schema(nullable = false)`.
fn with_required_nulls(mut schema: RefOr<Schema>) -> Value {
    require_nulls(&mut schema);
    serde_json::to_value(&schema).unwrap_or_default()
}

fn require_nulls(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let can_be_null = |name: &String| object.properties.get(name).is_some_and(can_be_null);
            let names = object.properties.keys();
            object.required = names
                .filter(|name| object.required.contains(name) || can_be_null(name))
                .cloned()
                .collect();
        }
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().for_each(require_nulls),
        RefOr::T(Schema::OneOf(branches)) => branches.items.iter_mut().for_each(require_nulls),
        _ => {}
    }
}

fn can_be_null(schema: &RefOr<Schema>) -> bool {
    let schema = serde_json::to_value(schema).unwrap_or_default();
    let is_null = |kind: &Value| *kind == "null";
    let types = schema["type"].as_array().into_iter().flatten();
    let branches = schema["oneOf"].as_array().into_iter().flatten();
    types.chain(branches.map(|branch| &branch["type"])).any(is_null)
}

/// Makes one object of a schema that consists of parts (`allOf`): the type has the fields of another type among its own
/// (`serde(flatten)`). Of a part that is a choice (`oneOf`), no field is required.
fn merge_parts(schema: &Value, known: &BTreeMap<String, Value>) -> Value {
    let Some(parts) = schema["allOf"].as_array() else {
        return schema.clone();
    };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let part = merge_parts(resolve(part, known), known);
        for branch in part["oneOf"].as_array().into_iter().flatten() {
            let branch = resolve(branch, known);
            properties.extend(branch["properties"].as_object().cloned().unwrap_or_default());
        }
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    json!({
        "type": "object", "description": schema["description"], "properties": properties, "required": required,
    })
}

/// Returns the schema that a reference names; returns any other schema unchanged.
fn resolve<'a>(schema: &'a Value, known: &'a BTreeMap<String, Value>) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let name = reference.and_then(|reference| reference.strip_prefix(REFERENCES));
    name.and_then(|name| known.get(name)).unwrap_or(schema)
}

/// Defines types that stand for schemas which other crates, or other versions, define: a type refers to them by their names.
macro_rules! references {
    ($($name:ident),+) => {
        $(
            #[doc = concat!("Refers to the schema `", stringify!($name), "`.")]
            #[derive(Debug)]
            pub struct $name;

            written_schema!($name, stringify!($name), reference(stringify!($name)));
        )+
    };
}

references!(AuditEvent, AuditWho, Entries, OfrepErrorCode, OfrepReason, Window);

/// The metadata of a submission: an object that only the client interprets.
#[derive(Debug, ToSchema)]
#[schema(as = Metadata, value_type = Object)]
pub struct AnyMetadata(pub Value);
