//! API keys, as administrators ask for and see them.

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

/// How long the secret before stays good after a rotation unless asked otherwise, in seconds: an hour.
const DEFAULT_OVERLAP_S: u32 = 60 * 60;

/// Reads the body of a request for a key that is made at `now`.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, now: Timestamp) -> Result<KeySettings, Problem> {
    let mut errors = Errors::default();
    let terms = Field::root(tree).object(&mut errors).map(|fields| {
        fields.only(
            &[
                "name",
                "scopes",
                "expires_at",
                "allowed_addresses",
                "token_addresses",
            ],
            &mut errors,
        );
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
            // Where they cannot be read they are not empty for all that.
            scopes: scopes.unwrap_or(Scopes::READ),
            expires_at,
            allowed_addresses: allowed_addresses.unwrap_or_default(),
        }
    });
    if let Some(terms) = &terms {
        errors.add_faults(&Pointer::Root, terms.find_faults(now));
    }
    errors.check()?;
    terms.ok_or_else(|| Problem::internal("a request without errors was not understood"))
}

/// A list of address ranges. One that cannot be read counts all the same; nobody's address stands for it.
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
    let overlap = Field::root(tree).object(&mut errors).and_then(|fields| {
        fields.only(&["overlap_s"], &mut errors);
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

/// A key without its secret; with it once, when it is new.
#[derive(Debug, Serialize)]
pub struct KeyBody<'a> {
    id: String,
    name: &'a str,
    scopes: Vec<&'static str>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    allowed_addresses: &'a [IpNet],
    token_addresses: &'a [IpNet],
    /// Until when a former secret is good at most.
    replaced_secret_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl<'a> KeyBody<'a> {
    /// The key as it is kept.
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

    /// The same, with the key itself.
    pub fn with_key(mut self, text: &'a ApiKeyText) -> Self {
        self.key = Some(text.reveal());
        self
    }
}
