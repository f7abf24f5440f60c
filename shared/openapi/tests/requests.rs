//! Tests that the code reads the documents of clients as their schemas say: each reader accepts exactly the
//! fields of the schema, and reports missing required fields.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails when a document lacks what it should have"
)]

use std::collections::BTreeSet;

use leaderboard_api::json::{Json, parse};
use leaderboard_api::rate_limits::{DocumentOwner, LimitsDocument};
use leaderboard_api::wire::submission::{Sender, SubmissionTarget, scores};
use leaderboard_api::wire::{
    ban, issuer, key, leaderboard, live, shard, standings, tenant, token, transfer_lines, webhook,
};
use leaderboard_api::{ApiVersion, IntegerFormat, Location, Problem};
use leaderboard_core::access::Scopes;
use leaderboard_core::ports::MAX_SHARDS;
use leaderboard_core::{LeaderboardId, TenantId, Timestamp};
use leaderboard_identity::token::Hosts;
use leaderboard_openapi::document;
use serde_json::{Value, json};

/// The name of a schema, a document that contains an object of the schema, the pointer of the object, and the
/// reader of the document.
type Row = (
    &'static str,
    Value,
    &'static str,
    fn(&[u8]) -> Result<(), Problem>,
);

#[expect(clippy::too_many_lines, reason = "one table, a row for each schema")]
fn list_rows() -> Vec<Row> {
    let root = || json!({});
    vec![
        ("LeaderboardWritten", root(), "", read_leaderboard),
        (
            "ColumnWritten",
            json!({"columns": [{}]}),
            "/columns/0",
            read_leaderboard,
        ),
        ("Reset", json!({"reset": {}}), "/reset", read_leaderboard),
        (
            "ScoreLimitsWritten",
            json!({"limits": {}}),
            "/limits",
            read_leaderboard,
        ),
        ("LogPolicyWritten", json!({"log": {}}), "/log", read_leaderboard),
        (
            "PrizeWritten",
            json!({"prizes": [{}]}),
            "/prizes/0",
            read_leaderboard,
        ),
        ("ImportWritten", root(), "", |body| {
            transfer_lines::read(body).map(drop)
        }),
        ("ClaimWritten", root(), "", |body| standings::read(body).map(drop)),
        (
            "AccessWritten",
            json!({"access": {}}),
            "/access",
            read_leaderboard,
        ),
        (
            "CachePolicyWritten",
            json!({"cache": {}}),
            "/cache",
            read_leaderboard,
        ),
        ("TenantWritten", root(), "", read_tenant),
        ("TenantShardWritten", root(), "", read_shard),
        ("QuotasWritten", json!({"quotas": {}}), "/quotas", read_tenant),
        ("Limits", root(), "", read_limits),
        (
            "Rate",
            json!({"policies": {"player": {}}}),
            "/policies/player",
            read_limits,
        ),
        ("Reads", json!({"reads": {}}), "/reads", read_limits),
        ("Addresses", json!({"addresses": {}}), "/addresses", read_limits),
        ("BanWritten", root(), "", |body| {
            ban::read(body, Timestamp::MIN).map(drop)
        }),
        ("KeyWritten", root(), "", |body| {
            key::read(&parse_tree(body), Timestamp::MIN).map(drop)
        }),
        ("KeyRotation", root(), "", |body| {
            key::read_overlap(&parse_tree(body)).map(drop)
        }),
        ("IssuerWritten", root(), "", |body| {
            issuer::read(&parse_tree(body), "games", None, Hosts::Public).map(drop)
        }),
        ("TokenWritten", root(), "", |body| {
            token::read(&parse_tree(body), Scopes::ADMIN).map(drop)
        }),
        ("LiveTicketWritten", root(), "", |body| {
            live::read_ticket_request(&parse_tree(body)).map(drop)
        }),
        ("WebhookWritten", root(), "", |body| {
            webhook::read(&parse_tree(body), "games", Hosts::Public).map(drop)
        }),
        ("WebhookRotation", root(), "", |body| {
            webhook::read_overlap(&parse_tree(body)).map(drop)
        }),
        ("Submission", root(), "", read_scores),
        ("Batch", json!({"scores": []}), "", read_scores),
        ("SubmissionToSeveral", root(), "", read_scores_to_several),
        (
            "BatchToSeveral",
            json!({"scores": []}),
            "",
            read_scores_to_several,
        ),
    ]
}

fn parse_tree(body: &[u8]) -> Json<'_> {
    parse(body).unwrap_or(Json::Null)
}

fn create_leaderboard_id() -> LeaderboardId {
    LeaderboardId::new("goals").unwrap()
}

fn read_leaderboard(body: &[u8]) -> Result<(), Problem> {
    leaderboard::read(&parse_tree(body), &create_leaderboard_id()).map(drop)
}

fn read_tenant(body: &[u8]) -> Result<(), Problem> {
    tenant::read(&parse_tree(body), &TenantId::new("acme").unwrap()).map(drop)
}

fn read_shard(body: &[u8]) -> Result<(), Problem> {
    shard::read(&parse_tree(body), MAX_SHARDS).map(drop)
}

fn read_limits(body: &[u8]) -> Result<(), Problem> {
    LimitsDocument::read(&parse_tree(body), DocumentOwner::Operator).map(drop)
}

fn read_scores(body: &[u8]) -> Result<(), Problem> {
    scores(
        body,
        SubmissionTarget::Path(&create_leaderboard_id()),
        Sender::Server,
    )
    .map(drop)
}

fn read_scores_to_several(body: &[u8]) -> Result<(), Problem> {
    scores(body, SubmissionTarget::Body, Sender::Server).map(drop)
}

/// Returns the faults of a document: the pointer and the text of each.
fn find_faults(document: &Value, read: fn(&[u8]) -> Result<(), Problem>) -> Vec<(String, String)> {
    let problem = read(document.to_string().as_bytes()).err();
    let errors = problem.iter().flat_map(|problem| &problem.errors);
    errors
        .map(|error| match &error.location {
            Location::Body(pointer) => (pointer.clone(), error.detail.clone()),
            other => (format!("{other:?}"), error.detail.clone()),
        })
        .collect()
}

fn create_schemas() -> Value {
    document(ApiVersion::V1, IntegerFormat::NumberOrString)["components"]["schemas"].take()
}

/// Returns the names of a schema's properties.
fn list_properties(schema: &Value) -> Vec<String> {
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .cloned()
        .collect()
}

/// The beginning of the text about an unknown field.
const UNKNOWN: &str = "is not a field of this object";

#[test]
fn a_reader_accepts_exactly_the_fields_of_the_schema() {
    let schemas = create_schemas();
    for (name, document, pointer, read) in list_rows() {
        let known = list_properties(&schemas[name]);
        assert!(!known.is_empty(), "{name}");
        for field in known.iter().map(String::as_str).chain(["another"]) {
            // Clients may send this field as they read it. The field changes nothing.
            if field == "reset_takes_effect_at" {
                continue;
            }
            let mut document = document.clone();
            // A list with a number is not a valid value of any field.
            document.pointer_mut(pointer).unwrap()[field] = json!([0]);
            let place = format!("#{pointer}/{field}");
            let found = find_faults(&document, read);
            let of_field = found.iter().find(|(pointer, _)| pointer.starts_with(&place));
            let is_unknown = of_field.map(|(_, detail)| detail.starts_with(UNKNOWN));
            assert_eq!(is_unknown, Some(field == "another"), "{name}: {field}: {found:?}");
        }
    }
}

#[test]
fn a_reader_reports_missing_required_fields() {
    let schemas = create_schemas();
    for (name, document, pointer, read) in list_rows() {
        let sent = document.pointer(pointer).unwrap();
        let required = schemas[name]["required"].as_array().into_iter().flatten();
        let required: BTreeSet<String> = required
            .filter_map(Value::as_str)
            .filter(|field| sent.get(field).is_none())
            .map(|field| format!("#{pointer}/{field}"))
            .collect();
        let missed = find_faults(&document, read).into_iter();
        let missed: BTreeSet<String> = missed
            .filter(|(_, detail)| detail == "is required")
            .map(|(pointer, _)| pointer)
            .collect();
        assert_eq!(missed, required, "{name}");
    }
}

#[test]
fn every_document_that_clients_send_is_in_the_table() {
    // The documents of flagd and OpenFeature may have more fields than the API reads.
    let mut tested = BTreeSet::from(["FlagSet", "OfrepContext"]);
    // The other fields of this schema are only read together with its `view`.
    tested.insert("WarmView");
    // A line has the fields of its type only.
    tested.insert("ExportLine");
    tested.extend(list_rows().iter().map(|(name, ..)| *name));
    let document = document(ApiVersion::V1, IntegerFormat::NumberOrString);
    let bodies = document["paths"].as_object().into_iter().flatten();
    let bodies = bodies.flat_map(|(_, operations)| operations.as_object().into_iter().flatten());
    let mut pending: Vec<Value> = bodies
        .map(|(_, operation)| operation["requestBody"].clone())
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(value) = pending.pop() {
        if let Some(name) = value["$ref"].as_str().and_then(|name| name.rsplit('/').next())
            && seen.insert(name.to_owned())
        {
            let schema = &document["components"]["schemas"][name];
            // The reader reads the document that results from a merge patch.
            let is_read = tested.contains(name) || name.ends_with("Patch");
            assert!(schema.get("properties").is_none() || is_read, "{name}");
            pending.push(schema.clone());
        }
        match value {
            Value::Object(members) => pending.extend(members.into_iter().map(|(_, member)| member)),
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}
