//! The whole document.

use leaderboard_http::families::ListedRoute;
use leaderboard_http::{ApiVersion, Base, BodyKind, Family, Need};
use serde_json::{Map, Value, json};

use crate::answers::responses;
use crate::components::components;
use crate::examples::bodies;
use crate::operation::Operation;
use crate::operations;

const ABOUT: &str = "A leaderboard backend that runs at the edge.\n\nEvery operation of the API exists in version 1 (`/api/v1`) and in version 2 (`/api/v2`); below `/api` the version goes by the header `API-Version`, by the media type `application/vnd.edgeboard.v2+json`, or is the default. Errors are problem documents (RFC 9457). `HEAD` is answered as `GET`, without the body. 64-bit integers beyond ±(2^53 − 1) are strings.";

/// The description of the API.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    let routes = operations::routes();
    for operation in operations::all() {
        let Some(route) = routes.iter().find(|route| is_of(operation, route)) else {
            continue;
        };
        for (version, base) in bases(route.base) {
            let path = paths
                .entry(format!("{base}{}", template(route.pattern)))
                .or_insert_with(|| json!({}));
            path[operation.method.to_lowercase()] = described(operation, route, version);
        }
    }
    let tags = Family::ALL.map(|family| json!({"name": family.as_str(), "description": about(family)}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Edgeboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": components(),
    })
}

/// What is wrong with the tables: routes without an operation, operations without a route.
#[must_use]
pub fn undescribed() -> Vec<String> {
    let mut faults = Vec::new();
    let (routes, operations): (Vec<_>, Vec<_>) = (operations::routes(), operations::all().collect());
    for route in &routes {
        let count = operations
            .iter()
            .filter(|operation| is_of(operation, route))
            .count();
        if count != 1 {
            faults.push(format!(
                "{} {} has {count} operations",
                route.verb.name(),
                route.pattern
            ));
        }
    }
    for operation in &operations {
        if !routes.iter().any(|route| is_of(operation, route)) {
            faults.push(format!("{} {} is no route", operation.method, operation.pattern));
        }
    }
    faults
}

fn is_of(operation: &Operation, route: &ListedRoute) -> bool {
    operation.method == route.verb.name() && operation.pattern == route.pattern
}

/// What a family is about.
const fn about(family: Family) -> &'static str {
    match family {
        Family::Leaderboards => "Creates, reads, changes and deletes leaderboards.",
        Family::Scores => "Takes scores in, removes entries, hides players.",
        Family::Ranks => "Answers who stands where.",
        Family::Limits => "How often who may call.",
        Family::Tenants => "Tenants: what the operator sets, what they use, the audit log.",
        Family::Identity => "API keys, issuers of tokens, players' tokens.",
        Family::Flags => "Feature flags, and their evaluation by OFREP.",
        Family::Ops => "Health, metrics, and this description.",
    }
}

fn bases(base: Base) -> Vec<(Option<ApiVersion>, &'static str)> {
    match base {
        Base::Root => vec![(None, "")],
        Base::Api => ApiVersion::ALL
            .map(|version| (Some(version), version.base_path()))
            .to_vec(),
    }
}

/// `/leaderboards/:leaderboard` as `/leaderboards/{leaderboard}`.
fn template(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn described(operation: &Operation, route: &ListedRoute, version: Option<ApiVersion>) -> Value {
    let suffix = match version {
        Some(ApiVersion::V2) => "V2",
        Some(ApiVersion::V1) | None => "",
    };
    let mut described = json!({
        "operationId": format!("{}{suffix}", operation.id),
        "summary": operation.summary,
        "tags": [route.family.as_str()],
        "parameters": parameters(operation, route, version),
        "responses": responses(operation, route, version),
        "security": security(route.need),
    });
    if !operation.description.is_empty() {
        described["description"] = operation.description.into();
    }
    if let Some(schema) = operation.body {
        described["requestBody"] = body(schema, route.body);
    }
    described
}

fn parameters(operation: &Operation, route: &ListedRoute, version: Option<ApiVersion>) -> Vec<Value> {
    let in_path = route
        .pattern
        .split('/')
        .filter_map(|segment| segment.strip_prefix(':'));
    let of_every = [
        route.need.asks_who().then_some("tenantId"),
        version.map(|version| match version {
            ApiVersion::V1 => "apiVersion1",
            ApiVersion::V2 => "apiVersion2",
        }),
    ];
    in_path
        .chain(operation.parameters.iter().copied())
        .chain(of_every.into_iter().flatten())
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
        .collect()
}

fn security(need: Need) -> Value {
    match need {
        Need::Open => json!([]),
        Need::Read => json!([{}, {"key": []}, {"token": []}]),
        Need::MetricsKey | Need::Identified | Need::Write | Need::Admin => {
            json!([{"key": []}, {"token": []}])
        }
        Need::Operator => json!([{"key": []}]),
    }
}

fn body(schema: &str, kind: BodyKind) -> Value {
    let mut content = json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}});
    for (name, value) in bodies(schema) {
        content["examples"][name] = json!({"value": value});
    }
    let media_types: &[&str] = match kind {
        BodyKind::MergePatch => &["application/merge-patch+json", "application/json"],
        BodyKind::None | BodyKind::Json | BodyKind::OptionalJson => &["application/json"],
    };
    let contents: Map<String, Value> = media_types
        .iter()
        .map(|media_type| ((*media_type).to_owned(), content.clone()))
        .collect();
    json!({"required": kind != BodyKind::OptionalJson, "content": contents})
}
