//! The OpenAPI document of a version.

use leaderboard_api::schema::{reference, text};
use leaderboard_api::{ApiVersion, BodyKind, FunctionName, IntegerFormat, Permission};
use leaderboard_pipeline::{Base, RouteHead};
use serde_json::{Map, Value, json};

use crate::answers::responses;
use crate::components::{KEY_SCHEME, TOKEN_SCHEME, components};
use crate::examples::list_body_examples;
use crate::operation::{IN_ORDER_OF_IDS, Operation};
use crate::parameters::parameter_component;
use crate::{operations, references};

const ABOUT: &str = "A leaderboard backend that runs at the edge.\n\nThis is one of two versions of the API: every operation exists in version 1 (`/api/v1`, described by `/openapi/v1.json`) and in version 2 (`/api/v2`, described by `/openapi/v2.json`). For a path below `/api` without a version, the header `API-Version` or a media type such as `application/vnd.edgeboard.v2+json` chooses the version; without both, the default version answers. Errors are problem documents (RFC 9457). The response to `HEAD` is the response to `GET` without the body.";
const NUMBERS_OR_STRINGS: &str = "64-bit integers (`Int64`: scores, values, limits, quotas, usage, versions) are numbers if they are within ±(2^53 − 1), and strings otherwise. A client that needs a single type sends `API-Integers: string` and gets strings only; `/openapi/v1-strings.json` and `/openapi/v2-strings.json` describe that form. Ranks, counts of entries and positions in the audit log are never greater than 2^53 − 1, and are numbers in both forms.";
const STRINGS: &str = "This document describes the form in which all 64-bit integers (`Int64`: scores, values, limits, quotas, usage, versions) are strings. A client gets it by sending `API-Integers: string` with every request. Ranks, counts of entries and positions in the audit log are never greater than 2^53 − 1, and are numbers.";

/// Returns the description of one version of the API, with the operations that have no version. `integers` is the form of 64-bit
/// integers.
#[must_use]
pub fn document(version: ApiVersion, integers: IntegerFormat) -> Value {
    let mut paths = Map::new();
    let routes = operations::routes();
    for operation in operations::all() {
        let Some((family, route)) = routes.iter().find(|(_, route)| is_of(operation, route)) else {
            continue;
        };
        let (version, base) = match route.base {
            // Some of these routes also answer below `/api`; one address is enough in the description.
            Base::Root | Base::RootAndApi => (None, ""),
            Base::Api => (Some(version), version.base_path()),
        };
        let path = paths
            .entry(format!("{base}{}", template(route.pattern)))
            .or_insert_with(|| json!({}));
        path[operation.method.to_lowercase()] = described(operation, *family, route, version);
    }
    let integers_are = match integers {
        IntegerFormat::NumberOrString => NUMBERS_OR_STRINGS,
        IntegerFormat::String => STRINGS,
    };
    let tags = FunctionName::ALL.map(|family| json!({"name": family.as_str(), "description": about(family)}));
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Edgeboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("{ABOUT} {integers_are}"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": components(version, integers),
    });
    match version {
        // In version 1, a player is the id itself.
        ApiVersion::V1 => references::replace(&mut document, "PlayerId", &text()),
        // In version 2, a window is a list of entries.
        ApiVersion::V2 => references::replace(&mut document, "Window", &reference("Entries")),
    }
    references::keep_used(&mut document);
    document
}

/// Returns the missing rows of the tables: routes without an operation, and operations without a route.
#[must_use]
pub fn undescribed() -> Vec<String> {
    let mut faults = Vec::new();
    let (routes, operations): (Vec<_>, Vec<_>) = (operations::routes(), operations::all().collect());
    for (_, route) in &routes {
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
        if !routes.iter().any(|(_, route)| is_of(operation, route)) {
            faults.push(format!("{} {} is no route", operation.method, operation.pattern));
        }
    }
    faults
}

fn is_of(operation: &Operation, route: &RouteHead) -> bool {
    operation.method == route.verb.name() && operation.pattern == route.pattern
}

/// Returns the text about a function.
const fn about(family: FunctionName) -> &'static str {
    match family {
        FunctionName::Leaderboards => "Creates, reads, changes and deletes leaderboards.",
        FunctionName::Scores => "Accepts scores, removes entries, bans players, and replays dead letters.",
        FunctionName::Ranks => {
            "Returns entries and ranks: lists, single players, the players around a player, periods, distributions."
        }
        FunctionName::Live => "Streams changes of leaderboards as they happen.",
        FunctionName::Limits => "Rate limits: how often a caller may send requests.",
        FunctionName::Tenants => "Tenants: their records and quotas, their usage, and the audit log.",
        FunctionName::Identity => {
            "API keys, tokens of players, and the issuers whose tokens the service accepts."
        }
        FunctionName::Flags => {
            "Feature flags, and their evaluation (OpenFeature Remote Evaluation Protocol)."
        }
        FunctionName::Webhooks => {
            "Webhooks: messages about events, signed and tried again until they are delivered."
        }
        FunctionName::Ops => "Health, metrics, and the description of the API.",
    }
}

/// Returns `/leaderboards/{leaderboard}` for `/leaderboards/:leaderboard`.
fn template(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn described(
    operation: &Operation,
    family: FunctionName,
    route: &RouteHead,
    version: Option<ApiVersion>,
) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [family.as_str()],
        "parameters": parameters(operation, route, version),
        "responses": responses(operation, route, version),
        "description": description(operation, route.permission),
        "security": security(route.permission),
    });
    if let Some(schema) = operation.body {
        described["requestBody"] = body(schema, route.body);
    }
    described
}

fn parameters(operation: &Operation, route: &RouteHead, version: Option<ApiVersion>) -> Vec<Value> {
    let in_path = route
        .pattern
        .split('/')
        .filter_map(|segment| segment.strip_prefix(':'));
    let of_every = [
        route.permission.requires_auth().then_some("tenantId"),
        (route.permission == Permission::Read).then_some("tenantInAddress"),
        version.map(|_| "integers"),
    ];
    in_path
        .chain(operation.parameters.iter().copied())
        .chain(of_every.into_iter().flatten())
        .map(|name| json!({"$ref": format!("#/components/parameters/{}", parameter_component(name))}))
        .collect()
}

/// Returns the text about an operation, with the permission that it needs.
fn description(operation: &Operation, need: Permission) -> String {
    let about = match (operation.description, operation.lists_by_id) {
        ("", false) => format!("{}.", operation.summary),
        ("", true) => IN_ORDER_OF_IDS.to_owned(),
        (description, false) => description.to_owned(),
        (description, true) => format!("{description} {IN_ORDER_OF_IDS}"),
    };
    let needs = match need {
        Permission::Open => "Needs no credential.".to_owned(),
        Permission::MetricsKey => "Needs the metrics key or the key of the operator.".to_owned(),
        Permission::Read => {
            "Needs no credential if the leaderboard is public; otherwise needs the scope `scores:read`."
                .to_owned()
        }
        Permission::Identified | Permission::Write | Permission::Admin => {
            format!("Needs the scope `{}`.", scopes(need).join(" "))
        }
        Permission::ServerWrite => format!(
            "Needs the scope `{}`; a player's own token is not accepted.",
            scopes(need).join(" ")
        ),
        Permission::Operator => "Needs the key of the operator.".to_owned(),
    };
    format!("{about}\n\n{needs}")
}

/// Returns the scopes that a permission needs.
const fn scopes(need: Permission) -> &'static [&'static str] {
    match need {
        Permission::Open | Permission::MetricsKey | Permission::Operator => &[],
        Permission::Read | Permission::Identified => &["scores:read"],
        Permission::Write | Permission::ServerWrite => &["scores:write"],
        Permission::Admin => &["admin"],
    }
}

/// Returns the credentials that a permission accepts, each with the scopes that it needs. OpenAPI 3.1 allows scopes as roles, also
/// without OAuth.
fn security(need: Permission) -> Value {
    let scopes = scopes(need);
    match need {
        Permission::Open => json!([]),
        Permission::Read => json!([{}, {KEY_SCHEME: scopes}, {TOKEN_SCHEME: scopes}]),
        Permission::MetricsKey
        | Permission::Identified
        | Permission::Write
        | Permission::ServerWrite
        | Permission::Admin => {
            json!([{KEY_SCHEME: scopes}, {TOKEN_SCHEME: scopes}])
        }
        Permission::Operator => json!([{KEY_SCHEME: []}]),
    }
}

fn body(schema: &str, kind: BodyKind) -> Value {
    let mut content = json!({"schema": reference(schema)});
    for (name, value) in list_body_examples(schema) {
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
