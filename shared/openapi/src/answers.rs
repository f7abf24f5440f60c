//! The responses of an operation.

use leaderboard_api::schema::reference;
use leaderboard_api::{ApiVersion, BodyKind, Permission};
use leaderboard_pipeline::RouteHead;
use serde_json::{Map, Value, json};

use crate::components::{OF_EVERY_ANSWER, OF_FILES, header_references};
use crate::examples::{Example, read_example};
use crate::operation::{DescribedResponse, Operation, Shape};

/// Returns the responses of an operation by their status: its answers, and a reference for each status of its problems.
pub(crate) fn responses(operation: &Operation, route: &RouteHead, version: Option<ApiVersion>) -> Value {
    let of_every: &[&str] = if operation.file {
        &OF_FILES
    } else {
        &OF_EVERY_ANSWER
    };
    let mut responses = Map::new();
    for answer in operation.answers {
        let mut response = json!({
            "description": answer.description,
            "headers": header_references(of_every.iter().chain(answer.headers)),
        });
        let contents = contents(answer, route, version);
        if !contents.is_empty() {
            response["content"] = Value::Object(contents);
        }
        responses.insert(answer.status.to_string(), response);
    }
    for status in problems_of(operation, route) {
        let name = format!("Problem{status}");
        let key = status.to_string();
        match responses.get_mut(&key) {
            None => {
                responses.insert(key, json!({"$ref": format!("#/components/responses/{name}")}));
            }
            // The status has a problem document beside its other body.
            Some(response) => {
                response["content"]["application/problem+json"] = json!({"schema": reference("Problem")});
            }
        }
    }
    Value::Object(responses)
}

/// Returns the name of the schema of a JSON body; `None` for other bodies.
const fn schema_of(answer: &DescribedResponse) -> Option<&'static str> {
    match answer.shape {
        Shape::Empty | Shape::Text(_) => None,
        Shape::Json(name) | Shape::Plain(name) => Some(name),
    }
}

/// Returns the bodies of an answer by their media types.
fn contents(
    answer: &DescribedResponse,
    route: &RouteHead,
    version: Option<ApiVersion>,
) -> Map<String, Value> {
    let mut contents = Map::new();
    if let Shape::Text(media_type) = answer.shape {
        contents.insert(media_type.to_owned(), json!({"schema": {"type": "string"}}));
    }
    if let Some(name) = schema_of(answer) {
        contents.insert("application/json".to_owned(), json!({"schema": reference(name)}));
        if let (Some(version), false) = (version, matches!(answer.shape, Shape::Plain(_))) {
            contents.insert(
                version.media_type().to_owned(),
                json!({"schema": reference(name)}),
            );
        }
    }
    if let (Some(name), Some(media_type)) = (answer.other, route.offers) {
        contents.insert(media_type.to_owned(), json!({"schema": reference(name)}));
    }
    for (name, example) in list_examples(answer, version) {
        if let Some(content) = contents.get_mut(&example.media_type) {
            content["examples"][name] = json!({"value": example.body});
        }
    }
    contents
}

/// Returns the examples of an answer. Version 2 has examples of its own where the bodies differ; their names begin with `v2-`.
fn list_examples(answer: &DescribedResponse, version: Option<ApiVersion>) -> Vec<(&'static str, Example)> {
    let named = answer.examples.iter().filter_map(|name| {
        let in_version = match version {
            Some(ApiVersion::V2) => read_example(&format!("v2-{name}")),
            Some(ApiVersion::V1) | None => None,
        };
        let found = in_version.or_else(|| read_example(name))?;
        (found.status == answer.status).then_some((*name, found))
    });
    named.collect()
}

/// Returns the statuses of the problems of an operation: those of its permission and body, and those of its row.
fn problems_of(operation: &Operation, route: &RouteHead) -> Vec<u16> {
    if operation.file {
        return [&[405], operation.problems].concat();
    }
    let mut statuses = vec![400, 404, 405, 406, 413, 414, 431, 500, 503];
    match route.permission {
        Permission::Open => {}
        Permission::MetricsKey => statuses.extend([401, 403, 429]),
        Permission::Read
        | Permission::Identified
        | Permission::Write
        | Permission::ServerWrite
        | Permission::Admin
        | Permission::Operator => {
            statuses.extend([401, 403, 429]);
        }
    }
    if route.body != BodyKind::None {
        statuses.extend([408, 415, 422]);
    }
    statuses.extend(operation.problems);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}
