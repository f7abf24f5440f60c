//! Reads the documents of issuers of tokens.

use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, TenantId};
use leaderboard_identity::player_token::PLAYER_TOKEN_ISSUER;
use leaderboard_identity::token::{Hosts, MAX_KEYS, checked_url, discovery_url};

#[cfg(feature = "schema")]
use super::issuer_body::IssuerBody;
use super::scopes;
use crate::issuer_record::{ANY_CLAIM, IssuerRecord, KeySource, StaticKey};
use crate::json::{Errors, Field, Fields, Json, read_document};
use crate::problem::Problem;

request_fields! {
    /// A request that creates or replaces an issuer of tokens.
    FIELDS = "IssuerWritten" {
        /// The id of the issuer. It may be left out; otherwise it must be the id in the path.
        optional id: text(),
        /// The value of the claim `iss` in the tokens of this issuer.
        required issuer: text(),
        /// The accepted audiences: the claim `aud` of a token must have one of them.
        required audiences: list_of(text()),
        /// How far the clock of the issuer may differ from the clock of this service, in seconds. Default: 60.
        optional leeway_s: integer(0),
        /// The address of the key set (JWKS) of the issuer. A request has exactly one of `jwks_uri`, `discovery` and `keys`.
        optional jwks_uri: text(),
        /// `true` if the service finds the key set by OpenID Connect Discovery.
        optional discovery: boolean(),
        /// The keys of the issuer: each is a JWK, `{"kid", "pem"}` or `{"kid", "secret"}`.
        optional keys: list_of(any_object()),
        /// The tenant of the tokens. Only the operator may set this field.
        optional tenant: text(),
        /// The names of the claims that say the tenant, the player and the scopes of a token: an object with `tenant`, `player`,
        /// `player_required` and `scopes`.
        optional claims: any_object(),
        /// The scopes of a token that lists no scopes. Default: `scores:read` and `scores:write`.
        optional default_scopes: list_of(text()),
        /// The scopes that tokens of this issuer can have at most. Default: `scores:read` and `scores:write`.
        optional granted_scopes: list_of(text()),
    }
}

/// A valid audience, which is used in place of an audience that could not be read.
const ANY_AUDIENCE: &str = "audience";

/// Reads an issuer's document. `owner` is the tenant of the issuer (`None`: the operator), and `hosts` are the hosts that the caller may
/// name.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(
    tree: &Json<'_>,
    id: &str,
    owner: Option<&TenantId>,
    hosts: Hosts,
) -> Result<IssuerRecord, Problem> {
    read_document(tree, &FIELDS, |fields, errors| {
        fields.match_path(id, errors);
        let record = record(fields, owner, hosts, errors);
        errors.add_faults(&fields.pointer, record.find_faults(owner));
        Some(record)
    })
}

/// Reads the fields of an issuer. If a field has an error, uses a valid value in its place.
fn record(
    fields: &Fields<'_, '_>,
    owner: Option<&TenantId>,
    hosts: Hosts,
    errors: &mut Errors,
) -> IssuerRecord {
    let issuer = fields.read_required("issuer", |field, errors| field.parsed(issuer, errors), errors);
    let audiences = fields.read_required("audiences", audiences, errors);
    let source = source(fields, issuer, hosts, errors);
    let mut record = IssuerRecord::new(
        issuer.unwrap_or_default().to_owned(),
        audiences.unwrap_or_default(),
        source.unwrap_or(KeySource::Discovery),
    );
    let leeway_s = fields.read("leeway_s", Field::integer, errors);
    record.leeway_s = leeway_s.unwrap_or(record.leeway_s);
    if let Some(field) = fields.optional("tenant") {
        if owner.is_some() {
            errors.add(&field.pointer, "is the operator's to set");
        }
        record.tenant = field.text(errors).map(str::to_owned);
    }
    if let Some(field) = fields.optional("claims") {
        claims(&field, owner, &mut record, errors);
    }
    scopes_of(fields, &mut record, errors);
    record
}

/// Reads both lists of scopes, and compares them when both could be read.
fn scopes_of(fields: &Fields<'_, '_>, record: &mut IssuerRecord, errors: &mut Errors) {
    let mut read = |name, into: &mut Vec<String>| match fields.optional(name) {
        None => true,
        Some(field) => scopes::read(field, errors)
            .map(|found| *into = scopes::names(found).into_iter().map(str::to_owned).collect())
            .is_some(),
    };
    let default_is_read = read("default_scopes", &mut record.default_scopes);
    let granted_is_read = read("granted_scopes", &mut record.granted_scopes);
    let all = |names: &[String]| {
        let found = names.iter().filter_map(|name| Scopes::named(name));
        found.fold(Scopes::NONE, Scopes::with)
    };
    if default_is_read
        && granted_is_read
        && !all(&record.granted_scopes).contains(all(&record.default_scopes))
        && let Some(field) = fields
            .optional("default_scopes")
            .or_else(|| fields.optional("granted_scopes"))
    {
        errors.add(&field.pointer, "default_scopes must be among granted_scopes");
    }
}

fn issuer(text: &str) -> Result<&str, Invalid> {
    if text == PLAYER_TOKEN_ISSUER {
        Err(Invalid::new("", "is the name of this service"))
    } else {
        Ok(text)
    }
}

/// Reads a list of audiences. Uses [`ANY_AUDIENCE`] in place of an audience that cannot be read.
fn audiences(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<String>> {
    let audience =
        |item: Field<'_, '_>, errors: &mut Errors| item.text(errors).unwrap_or(ANY_AUDIENCE).to_owned();
    field.list(audience, errors)
}

/// Reads where the keys are. Exactly one of three fields must say it.
fn source(
    fields: &Fields<'_, '_>,
    issuer: Option<&str>,
    hosts: Hosts,
    errors: &mut Errors,
) -> Option<KeySource> {
    let address =
        |text: &'_ str| checked_url(text, hosts).map_err(|problem| Invalid::new("", problem.to_string()));
    let uri = fields.optional("jwks_uri");
    let discovery = fields.optional("discovery");
    let keys = fields.optional("keys");
    match (uri, discovery, keys) {
        (Some(field), None, None) => {
            let url = field.text(errors)?;
            field.parsed(address, errors)?;
            Some(KeySource::Address(url.to_owned()))
        }
        (None, Some(field), None) => {
            if field.boolean(errors) == Some(false) {
                errors.add(&field.pointer, "must be true, or left out");
            }
            if let Some(Err(problem)) = issuer.map(|issuer| discovery_url(issuer, hosts)) {
                errors.add(
                    &field.pointer,
                    format!("needs an issuer that is an address: it {problem}"),
                );
            }
            Some(KeySource::Discovery)
        }
        (None, None, Some(field)) => keys_of(field, errors).map(KeySource::Keys),
        _ => {
            errors.add(&fields.pointer, "must have one of jwks_uri, discovery and keys");
            None
        }
    }
}

fn keys_of(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<StaticKey>> {
    if !(1..=MAX_KEYS).contains(&field.array(errors)?.len()) {
        errors.add(&field.pointer, format!("must be 1 to {MAX_KEYS} keys"));
        return None;
    }
    let keys = field.list(key, errors)?;
    Some(keys.into_iter().flatten().collect())
}

/// Reads a key, and checks that it is one.
fn key(field: Field<'_, '_>, errors: &mut Errors) -> Option<StaticKey> {
    let key = static_key(field, errors)?;
    if let Err(problem) = key.parsed() {
        errors.add(&field.pointer, problem.to_string());
    }
    Some(key)
}

/// Reads a key: `{"pem": …}` or `{"secret": …}`, with a `kid` when the tokens have one, or a JWK.
fn static_key(field: Field<'_, '_>, errors: &mut Errors) -> Option<StaticKey> {
    let fields = field.object(errors)?;
    let kid = fields.optional("kid").map(|kid| kid.text(errors));
    // `None` when `kid` is not a text. Then the key has an error, and its other fields are read all the same to find theirs.
    let kid = match kid {
        Some(text) => text.map(|text| Some(text.to_owned())),
        None => Some(None),
    };
    if let Some(pem) = fields.optional("pem") {
        fields.only(&["kid", "pem"], errors);
        let text = pem.text(errors)?.to_owned();
        return Some(StaticKey::Pem(kid?, text));
    }
    if let Some(secret) = fields.optional("secret") {
        fields.only(&["kid", "secret"], errors);
        let text = secret.text(errors)?.to_owned();
        return Some(StaticKey::Secret(kid?, text));
    }
    kid?;
    let Ok(jwk) = serde_json::from_str(&field.value.to_text()) else {
        errors.add(&field.pointer, "must be a key");
        return None;
    };
    Some(StaticKey::Jwk(jwk))
}

fn claims(field: &Field<'_, '_>, owner: Option<&TenantId>, record: &mut IssuerRecord, errors: &mut Errors) {
    let Some(fields) = field.object(errors) else {
        // The claims can name the tenant, so a missing tenant is no second error.
        record.tenant_claim = Some(ANY_CLAIM.to_owned());
        return;
    };
    fields.only(&["tenant", "player", "player_required", "scopes"], errors);
    let mut name = |name| {
        let field = fields.optional(name)?;
        Some(field.text(errors).unwrap_or(ANY_CLAIM).to_owned())
    };
    record.tenant_claim = name("tenant");
    record.scopes_claim = name("scopes");
    let player = name("player");
    if let Some(field) = fields.optional("tenant")
        && owner.is_some()
    {
        errors.add(&field.pointer, "is the operator's to set");
    }
    match fields.optional("player_required") {
        Some(field) => record.player_required = field.boolean(errors).unwrap_or(true),
        None => record.player_required = true,
    }
    // An empty name says that the tokens belong to servers.
    match player.as_deref() {
        Some("") => record.player_claim = None,
        Some(name) => record.player_claim = Some(name.to_owned()),
        None => {}
    }
}

/// Adds the schemas of issuers.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add_list::<IssuerBody<'_>>(
        "Issuers",
        "issuers",
        ["A page of issuers.", "The issuers, in the order of their ids."],
    );
    all.add_requests(&[&FIELDS]);
}
