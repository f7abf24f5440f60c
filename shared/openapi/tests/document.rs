//! Tests that the committed OpenAPI documents match the code, and that their schemas and examples are valid.

use std::collections::BTreeSet;
use std::path::Path;

use leaderboard_api::{ApiVersion, IntegerFormat};
use leaderboard_openapi::conformance::Conformance;
use leaderboard_openapi::{document, undescribed};
use serde_json::Value;

/// The version, the integer format and the file of each OpenAPI document.
const FILES: [(ApiVersion, IntegerFormat, &str); 4] = [
    (ApiVersion::V1, IntegerFormat::NumberOrString, "v1.json"),
    (ApiVersion::V1, IntegerFormat::String, "v1-strings.json"),
    (ApiVersion::V2, IntegerFormat::NumberOrString, "v2.json"),
    (ApiVersion::V2, IntegerFormat::String, "v2-strings.json"),
];

/// Creates the OpenAPI documents, each with the name of its file.
fn create_documents() -> impl Iterator<Item = (&'static str, Value)> {
    FILES
        .into_iter()
        .map(|(version, integers, file)| (file, document(version, integers)))
}

#[test]
fn every_route_is_described() {
    assert_eq!(undescribed(), Vec::<String>::new());
}

#[test]
fn the_committed_documents_match_the_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
    for (file, document) in create_documents() {
        let path = folder.join(file);
        let made = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            assert!(
                std::fs::create_dir_all(&folder)
                    .and_then(|()| std::fs::write(&path, &made))
                    .is_ok()
            );
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == made,
            "docs/openapi/{file} is out of date; UPDATE_OPENAPI=1 writes it"
        );
    }
}

/// Authors write `docs/reference/routes.md` by hand. Its rows name routes as `GET /path`, without a version.
#[test]
fn the_reference_lists_every_route() {
    let document = document(ApiVersion::V1, IntegerFormat::NumberOrString);
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        for method in operations.as_object().into_iter().flat_map(serde_json::Map::keys) {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let listed: BTreeSet<String> = include_str!("../../../docs/reference/routes.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.contains(" /"))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, described);
}

#[test]
fn every_reference_has_a_target() {
    for (file, document) in create_documents() {
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
        assert_eq!(dangling, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn every_example_conforms_to_its_schema() {
    for version in ApiVersion::ALL {
        let integers = IntegerFormat::NumberOrString;
        let mut faults = Vec::new();
        let mut count = 0;
        visit(&document(version, integers), "", &mut |value, place| {
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
                if let Err(fault) = Conformance::of(version, integers).check_document(schema, example) {
                    faults.push(format!("{place}: {fault}"));
                }
            }
        });
        assert_eq!(faults, Vec::<String>::new());
        assert!(count > 100, "{count}");
    }
}

#[test]
fn every_body_has_an_example() {
    let mut without = Vec::new();
    for version in ApiVersion::ALL {
        visit(
            &document(version, IntegerFormat::NumberOrString),
            "",
            &mut |value, place| {
                let Some(content) = value.get("content").and_then(Value::as_object) else {
                    return;
                };
                // HTML pages, scripts and the OpenAPI documents need no examples.
                let exempt = content
                    .keys()
                    .any(|name| name == "text/html" || name == "text/javascript");
                let has = content.values().any(|content| content.get("examples").is_some());
                if !has && !exempt && !place.contains(".json/") {
                    without.push(place.to_owned());
                }
            },
        );
    }
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn every_operation_has_a_unique_id_and_names_its_permission() {
    for (file, document) in create_documents() {
        let mut ids = BTreeSet::new();
        let paths = document["paths"].as_object().into_iter().flatten();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let id = operation["operationId"].as_str().unwrap_or_default();
                assert!(!id.ends_with("V2") && ids.insert(id.to_owned()), "{file}: {id}");
                let about = operation["description"].as_str().unwrap_or_default();
                assert!(about.contains("Needs "), "{file}: {method} {path}");
                let other = if file.starts_with("v1") {
                    "/api/v2"
                } else {
                    "/api/v1"
                };
                assert!(!path.starts_with(other), "{file}: {path}");
            }
        }
        assert!(ids.len() > 50, "{file}");
    }
}

/// Checks for constructs that code generators cannot handle (`docs/guide/generated-clients.md` names them).
#[test]
fn schemas_have_the_form_that_code_generators_need() {
    for (file, document) in create_documents() {
        let mut faults = Vec::new();
        let names = |kind: &str| -> BTreeSet<String> {
            let components = document["components"][kind].as_object();
            components
                .into_iter()
                .flatten()
                .map(|(name, _)| name.to_lowercase())
                .collect()
        };
        let mut known = names("schemas");
        for kind in ["parameters", "headers", "responses", "securitySchemes"] {
            faults.extend(
                names(kind)
                    .intersection(&known)
                    .map(|name| format!("{kind}: {name} clashes")),
            );
            known.extend(names(kind));
        }
        for name in names("schemas") {
            if name.contains("btreemap") || name == "integer" || name == "patch" || name.ends_with("v2") {
                faults.push(format!("{name} is no name for a schema"));
            }
        }
        visit(&document["components"]["schemas"], "", &mut |schema, place| {
            let depth = place.matches('/').count();
            let is_object = schema["type"] == "object"
                || schema["type"]
                    .as_array()
                    .is_some_and(|types| types.contains(&"object".into()));
            if is_object && schema.get("properties").is_some() && depth > 1 && !place.contains("/oneOf/") {
                faults.push(format!("{place} is an object without a name"));
            }
            if is_object && schema.get("properties").is_none() && schema.get("additionalProperties").is_none()
            {
                faults.push(format!("{place} does not say what it has"));
            }
        });
        visit(&document["paths"], "", &mut |value, place| {
            if let Some(content) = value.get("content").and_then(Value::as_object) {
                for (media_type, content) in content {
                    let problem = media_type == "application/problem+json";
                    let named = content["schema"].get("$ref").and_then(Value::as_str);
                    if problem && named != Some("#/components/schemas/Problem")
                        || media_type.ends_with("json") && named.is_none()
                    {
                        faults.push(format!("{place}: {media_type} has no named schema"));
                    }
                }
            }
        });
        assert_eq!(faults, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn a_document_with_strings_has_no_64_bit_integer_as_a_number() {
    for (file, document) in create_documents().filter(|(file, _)| file.ends_with("-strings.json")) {
        assert_eq!(document["components"]["schemas"]["Int64"]["type"], "string");
        let mut numbers = Vec::new();
        visit(&document, "", &mut |schema, place| {
            if may_be_an_integer(schema) && schema["format"] == "int64" {
                numbers.push(place.to_owned());
            }
        });
        assert_eq!(numbers, Vec::<String>::new(), "{file}");
    }
}

/// These fields are always JSON numbers, so their schema has a maximum that every reader keeps exactly.
#[test]
fn ranks_counts_and_positions_are_exact_json_numbers() {
    const MAX_EXACT: u64 = (1 << 53) - 1;
    for (file, document) in create_documents() {
        let schemas = &document["components"]["schemas"];
        for (schema, field) in [
            ("Entry", "rank"),
            ("Outcome", "rank"),
            ("Entries", "count"),
            ("Bucket", "count"),
            ("AuditRecord", "position"),
        ] {
            let found = &schemas[schema]["properties"][field];
            assert!(
                may_be_an_integer(found) && found["maximum"] == MAX_EXACT && found.get("format").is_none(),
                "{file}: {schema}.{field}: {found}"
            );
        }
        let about = document["info"]["description"].as_str().unwrap_or_default();
        let header = &document["components"]["parameters"]["IntegersParameter"]["description"];
        let header = header.as_str().unwrap_or_default();
        for text in [about, header] {
            for part in [
                "scores, values, limits, quotas, usage",
                "versions",
                "Ranks, counts of entries and positions",
            ] {
                assert!(text.contains(part), "{file}: {text}");
            }
        }
    }
}

/// Returns whether a schema allows integers.
fn may_be_an_integer(schema: &Value) -> bool {
    match &schema["type"] {
        Value::Array(types) => types.contains(&"integer".into()),
        one => one == "integer",
    }
}

/// Calls `see` for a value and all values within it, each with its path.
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
