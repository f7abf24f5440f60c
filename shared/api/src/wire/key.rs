//! Reads requests about API keys, and writes API keys.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, Timestamp};
use leaderboard_identity::api_key::{ApiKeyRecord, ApiKeyText, KeySettings, MAX_OVERLAP_S};
use serde::Serialize;

use super::scopes;
use crate::json::{Errors, Field, Json, Pointer};
use crate::problem::Problem;
use crate::rate_limits::range;

/// How long a replaced secret stays valid when the request does not say it, in seconds: an hour.
const DEFAULT_OVERLAP_S: u32 = 60 * 60;

request_fields! {
    /// What is asked for in a new key.
    FIELDS = "KeyWritten" {
        /// Its name for people.
        required name: text(),
        /// Of `scores:read`, `scores:write`, `admin`.
        required scopes: list_from(1, text()),
        /// When it ends.
        optional expires_at: or_null(time()),
        /// The only addresses it is good from, as ranges.
        optional allowed_addresses: list_of(text()),
        /// The only addresses that the tokens it issues to players are good from, as ranges; empty: any. The key's own unless said.
        optional token_addresses: list_of(text()),
    }
}

request_fields! {
    /// How a key gets a new secret.
    ROTATION_FIELDS = "KeyRotation" {
        /// How long the secret before stays good, in seconds; an hour unless said.
        optional overlap_s: integer(0),
    }
}

/// Reads the body of a request for a key that is made at `now`.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, now: Timestamp) -> Result<KeySettings, Problem> {
    let mut errors = Errors::default();
    let fields = Field::root(tree).object_with(&FIELDS, &mut errors);
    let settings = fields.map(|fields| {
        let name = fields
            .required("name", &mut errors)
            .and_then(|field| field.text(&mut errors));
        let scopes = fields
            .required("scopes", &mut errors)
            .and_then(|field| scopes::read(&field, &mut errors));
        let expires_at = fields
            .optional("expires_at")
            .and_then(|field| field.time(&mut errors));
        let allowed_addresses = fields
            .optional("allowed_addresses")
            .map(|field| addresses(&field, &mut errors));
        let token_addresses = fields
            .optional("token_addresses")
            .map(|field| addresses(&field, &mut errors));
        KeySettings {
            token_addresses,
            name: name.unwrap_or_default().to_owned(),
            // Scopes that cannot be read must not count as empty, which would be a second error.
            scopes: scopes.unwrap_or(Scopes::READ),
            expires_at,
            allowed_addresses: allowed_addresses.unwrap_or_default(),
        }
    });
    if let Some(settings) = &settings {
        errors.add_faults(&Pointer::Root, settings.find_faults(now));
    }
    errors.check()?;
    settings.ok_or_else(|| Problem::internal("a request without errors was not understood"))
}

/// Reads a list of address ranges. Uses a placeholder for a range that cannot be read, so that the list keeps its length.
fn addresses(field: &Field<'_, '_>, errors: &mut Errors) -> Vec<IpNet> {
    let Some(items) = field.array(errors) else {
        return Vec::new();
    };
    let parse = |text: &str| range(text).map_err(|detail| Invalid::new("", detail));
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let read = field.item(at, item).parsed(parse, errors);
        found.push(read.unwrap_or_else(|| IpNet::from(IpAddr::from(Ipv4Addr::UNSPECIFIED))));
    }
    found
}

/// Reads the body of a rotation: `{"overlap_s": 3600}`.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read_overlap(tree: &Json<'_>) -> Result<u32, Problem> {
    let mut errors = Errors::default();
    let fields = Field::root(tree).object_with(&ROTATION_FIELDS, &mut errors);
    let overlap = fields.and_then(|fields| {
        let field = fields.optional("overlap_s")?;
        let overlap: u32 = field.integer(&mut errors)?;
        if overlap > MAX_OVERLAP_S {
            errors.add(&field.pointer, format!("must be at most {MAX_OVERLAP_S}"));
        }
        Some(overlap)
    });
    errors.check()?;
    Ok(overlap.unwrap_or(DEFAULT_OVERLAP_S))
}

/// An API key.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Key))]
pub struct KeyBody<'a> {
    /// Its id.
    id: String,
    /// Its name for people.
    name: &'a str,
    /// What it allows.
    scopes: Vec<&'static str>,
    /// When it was made.
    created_at: String,
    /// When it ends; `null`: never.
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
    /// The only addresses it is good from, as ranges; empty: any.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    allowed_addresses: &'a [IpNet],
    /// The only addresses that the tokens it issues to players are good from; empty: any.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    token_addresses: &'a [IpNet],
    /// Until when a former secret is good at most. Each of them keeps its own end.
    replaced_secret_until: Option<String>,
    /// The key itself; once, when it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    key: Option<&'a str>,
}

impl<'a> KeyBody<'a> {
    /// Returns a key without its secret.
    pub fn new(record: &'a ApiKeyRecord) -> Self {
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            id: record.id.to_string(),
            name: &record.name,
            scopes: scopes::names(record.scopes),
            created_at: record.created_at.to_string(),
            expires_at: text(record.expires_at),
            revoked_at: text(record.revoked_at),
            allowed_addresses: &record.allowed_addresses,
            token_addresses: record
                .token_addresses
                .as_ref()
                .unwrap_or(&record.allowed_addresses),
            replaced_secret_until: text(record.former_secrets_until()),
            key: None,
        }
    }

    /// Returns the document with the key itself.
    pub fn with_key(mut self, text: &'a ApiKeyText) -> Self {
        self.key = Some(text.reveal());
        self
    }
}

/// Adds the schemas of keys.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add_list::<KeyBody<'_>>("Keys", "keys", ["A page of keys.", "In the order of their ids."]);
    all.add_requests(&[&FIELDS, &ROTATION_FIELDS]);
}
