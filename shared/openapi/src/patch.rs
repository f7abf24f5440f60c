//! Makes the schemas of merge patches (RFC 7396) from the schemas of documents that clients send.

use leaderboard_api::schema::{REFERENCES, Schemas};
use serde_json::{Value, json};

const WRITTEN: &str = "Written";
/// The type `null`.
const NULL: &str = "null";

/// Adds the schema of a merge patch of the document `written`, whose name ends with `Written`, and the schemas of its parts. A patch has
/// the same fields as the document. Each field may be `null`, which resets it to its default.
pub(crate) fn add_patch(all: &mut Schemas, written: &str) {
    let mut pending = vec![written.to_owned()];
    while let Some(written) = pending.pop() {
        let name = patch_name(&written);
        let known = all.by_name.get(&written);
        let Some(mut schema) = known.filter(|_| !all.by_name.contains_key(&name)).cloned() else {
            continue;
        };
        for property in schema["properties"]
            .as_object_mut()
            .into_iter()
            .flat_map(|map| map.values_mut())
        {
            pending.extend(point_to_patch(property));
            allow_null(property);
        }
        schema["description"] =
            "A merge patch (RFC 7396): a field that is left out does not change, and `null` resets a field to its default.".into();
        all.by_name.insert(name, schema);
    }
}

fn patch_name(written: &str) -> String {
    format!("{}Patch", written.strip_suffix(WRITTEN).unwrap_or(written))
}

/// Changes a property that refers to a part, so that it refers to the patch of the part. Returns the name of the part. Items of lists
/// do not change, because a patch replaces a list as a whole.
fn point_to_patch(property: &mut Value) -> Option<String> {
    let part = match property.get_mut("$ref") {
        Some(reference) => reference,
        None => property["oneOf"]
            .as_array_mut()?
            .iter_mut()
            .find_map(|branch| branch.get_mut("$ref"))?,
    };
    let written = part
        .as_str()?
        .strip_prefix(REFERENCES)
        .filter(|name| name.ends_with(WRITTEN))?
        .to_owned();
    *part = format!("{REFERENCES}{}", patch_name(&written)).into();
    Some(written)
}

fn allow_null(property: &mut Value) {
    if let Some(types) = property["type"].as_array_mut() {
        if !types.contains(&NULL.into()) {
            types.push(NULL.into());
        }
    } else if property["type"].is_string() {
        property["type"] = json!([property["type"], NULL]);
    } else if let Some(branches) = property["oneOf"].as_array_mut() {
        if branches.iter().all(|branch| branch["type"] != NULL) {
            branches.push(json!({"type": NULL}));
        }
    } else if let Some(reference) = property.get("$ref").cloned() {
        *property =
            json!({"oneOf": [{"$ref": reference}, {"type": NULL}], "description": property["description"]});
    }
    // Indexing a missing member adds it as `null`.
    if let Some(fields) = property.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
}
