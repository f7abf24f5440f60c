//! The answers of an operation.

use leaderboard_http::{ApiVersion, BodyKind, Need};
use serde_json::{Map, Value, json};

use crate::components::OF_EVERY_ANSWER;
use crate::examples::example;
use crate::operation::{Answer, Operation, Shape};
use crate::routes::RouteFacts;

/// References to headers: those of every answer, and more.
pub(crate) fn headers(more: &[&str]) -> Map<String, Value> {
    OF_EVERY_ANSWER
        .iter()
        .chain(more)
        .map(|name| {
            let reference = json!({"$ref": format!("#/components/headers/{name}")});
            ((*name).to_owned(), reference)
        })
        .collect()
}

/// The answers of an operation, by status: the good ones, and a reference for each status of its problems.
pub(crate) fn responses(operation: &Operation, route: &RouteFacts, version: Option<ApiVersion>) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers {
        responses.insert(answer.status.to_string(), good(answer, version));
    }
    for status in problems_of(operation, route) {
        let name = format!("Problem{status}");
        let key = status.to_string();
        match responses.get_mut(&key) {
            None => {
                responses.insert(key, json!({"$ref": format!("#/components/responses/{name}")}));
            }
            // The same status is answered in another shape, too.
            Some(response) => {
                response["content"]["application/problem+json"] =
                    json!({"schema": {"$ref": "#/components/schemas/Problem"}});
            }
        }
    }
    Value::Object(responses)
}

fn good(answer: &Answer, version: Option<ApiVersion>) -> Value {
    let mut response = json!({"description": answer.description, "headers": headers(answer.headers)});
    let schema = match (answer.shape, version) {
        (Shape::Empty, _) => return response,
        (Shape::Text(media_type), _) => {
            response["content"] = json!({media_type: {"schema": {"type": "string"}}});
            return response;
        }
        (Shape::Json(name) | Shape::Plain(name), _)
        | (Shape::Versioned(name, _), Some(ApiVersion::V1) | None)
        | (Shape::Versioned(_, name), Some(ApiVersion::V2)) => name,
    };
    let mut content = json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}});
    let examples = examples(answer, version);
    if !examples.is_empty() {
        content["examples"] = Value::Object(examples);
    }
    let mut contents = Map::from_iter([("application/json".to_owned(), content.clone())]);
    if let (Some(version), false) = (version, matches!(answer.shape, Shape::Plain(_))) {
        if let Some(content) = content.as_object_mut() {
            content.remove("examples");
        }
        contents.insert(version.media_type().to_owned(), content);
    }
    response["content"] = Value::Object(contents);
    response
}

/// The examples of an answer in a version: in the second those whose names begin with `v2-`, where the shapes differ.
fn examples(answer: &Answer, version: Option<ApiVersion>) -> Map<String, Value> {
    let prefix = match (answer.shape, version) {
        (Shape::Versioned(..), Some(ApiVersion::V2)) => "v2-",
        _ => "",
    };
    let named = answer.examples.iter().filter_map(|name| {
        let (status, value) = example(&format!("{prefix}{name}"))?;
        (status == answer.status).then(|| ((*name).to_owned(), json!({"value": value})))
    });
    named.collect()
}

/// The statuses of the problems that an operation has: those of its kind, and its own.
fn problems_of(operation: &Operation, route: &RouteFacts) -> Vec<u16> {
    let mut statuses = vec![400, 404, 405, 406, 413, 429, 500, 503];
    if route.need != Need::Open {
        statuses.extend([401, 403]);
    }
    if route.body != BodyKind::None {
        statuses.extend([415, 422]);
    }
    statuses.extend(operation.problems);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}
