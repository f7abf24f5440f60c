//! Reads requests about API keys, and writes API keys.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, Timestamp};
use leaderboard_identity::api_key::{ApiKeyRecord, ApiKeyText, KeySettings, MAX_OVERLAP_S};
use serde::Serialize;

use super::scopes;
use crate::json::{Errors, Field, Json, read_document};
use crate::problem::Problem;
use crate::rate_limits::range;

/// How long a replaced secret stays valid when the request does not say it, in seconds: an hour.
const DEFAULT_OVERLAP_S: u32 = 60 * 60;

request_fields! {
    /// A request for a new API key.
    FIELDS = "KeyWritten" {
        /// The title of the key, for people.
        required name: text(),
        /// The scopes of the key: `scores:read`, `scores:write` or `admin`; at least one.
        required scopes: list_from(1, text()),
        /// When the key expires. Default: never.
        optional expires_at: or_null(time()),
        /// The client addresses that may use the key, as ranges (CIDR). An empty list allows all addresses, which is the default.
        optional allowed_addresses: list_of(text()),
        /// The client addresses that may use the player tokens which this key issues, as ranges (CIDR). An empty list allows all
        /// addresses. Default: the addresses that may use the key.
        optional token_addresses: list_of(text()),
    }
}

request_fields! {
    /// A request for a new secret of an API key.
    ROTATION_FIELDS = "KeyRotation" {
        /// How long the replaced secret stays valid, in seconds. Default: 3600.
        optional overlap_s: integer(0),
    }
}

/// Reads the body of a request for a key that is made at `now`.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, now: Timestamp) -> Result<KeySettings, Problem> {
    read_document(tree, &FIELDS, |fields, errors| {
        let name = fields.read_required("name", Field::text, errors);
        let scopes = fields.read_required("scopes", scopes::read, errors);
        let expires_at = fields.read("expires_at", Field::time, errors);
        let allowed_addresses = fields.read("allowed_addresses", addresses, errors);
        let token_addresses = fields.read("token_addresses", addresses, errors);
        let settings = KeySettings {
            token_addresses,
            name: name.unwrap_or_default().to_owned(),
            // Scopes that cannot be read must not count as empty, which would be a second error.
            scopes: scopes.unwrap_or(Scopes::READ),
            expires_at,
            allowed_addresses: allowed_addresses.unwrap_or_default(),
        };
        errors.add_faults(&fields.pointer, settings.find_faults(now));
        Some(settings)
    })
}

/// Reads a list of address ranges. Uses a placeholder for a range that cannot be read, so that the list keeps its length.
fn addresses(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<IpNet>> {
    let parse = |text: &str| range(text).map_err(|detail| Invalid::new("", detail));
    let placeholder = IpNet::from(IpAddr::from(Ipv4Addr::UNSPECIFIED));
    field.list(
        |item, errors| item.parsed(parse, errors).unwrap_or(placeholder),
        errors,
    )
}

/// Reads the body of a rotation: `{"overlap_s": 3600}`.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read_overlap(tree: &Json<'_>) -> Result<u32, Problem> {
    read_document(tree, &ROTATION_FIELDS, |fields, errors| {
        let overlap_s = fields.read("overlap_s", overlap, errors);
        Some(overlap_s.unwrap_or(DEFAULT_OVERLAP_S))
    })
}

/// Reads how long the replaced secret stays valid, in seconds.
fn overlap(field: Field<'_, '_>, errors: &mut Errors) -> Option<u32> {
    let overlap: u32 = field.integer(errors)?;
    if overlap > MAX_OVERLAP_S {
        errors.add(&field.pointer, format!("must be at most {MAX_OVERLAP_S}"));
    }
    Some(overlap)
}

/// An API key.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Key))]
pub struct KeyBody<'a> {
    /// The id of the key.
    id: String,
    /// The title of the key, for people.
    name: &'a str,
    /// The scopes of the key.
    scopes: Vec<&'static str>,
    /// When the key was created.
    created_at: String,
    /// When the key expires; `null` if it never expires.
    expires_at: Option<String>,
    /// When the key was revoked; `null` if it was not.
    revoked_at: Option<String>,
    /// The client addresses that may use the key, as ranges (CIDR). An empty list allows all addresses.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    allowed_addresses: &'a [IpNet],
    /// The client addresses that may use the player tokens which this key issues, as ranges (CIDR). An empty list allows all
    /// addresses.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    token_addresses: &'a [IpNet],
    /// When the last of the replaced secrets expires; `null` if no replaced secret is valid. Each replaced secret has its own end.
    replaced_secret_until: Option<String>,
    /// The key itself, with its secret. Only the response that creates or rotates the key has this field.
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
    all.add_list::<KeyBody<'_>>(
        "Keys",
        "keys",
        ["A page of API keys.", "The keys, in the order of their ids."],
    );
    all.add_requests(&[&FIELDS, &ROTATION_FIELDS]);
}
