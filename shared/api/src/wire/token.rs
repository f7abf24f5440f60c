//! Reads requests for players' tokens, and writes the tokens.

use leaderboard_core::PlayerId;
use leaderboard_core::access::Scopes;
use leaderboard_identity::player_token::{DEFAULT_LIFETIME_S, MAX_LIFETIME_S};
use serde::Serialize;

use super::scopes;
use crate::json::{Errors, Field, Json, read_document};
use crate::problem::Problem;

request_fields! {
    /// A request for a token of a player.
    FIELDS = "TokenWritten" {
        /// The player of the token.
        required player: text_within(leaderboard_core::MAX_PLAYER_BYTES),
        /// The scopes of the token. Each must be a scope of the credential that sends the request; `admin` is not allowed. Default:
        /// `scores:read` and `scores:write`, as far as the credential has them.
        optional scopes: list_of(text()),
        /// The lifetime of the token, in seconds; at most 30 days. Default: 3600.
        optional lifetime_s: integer(1),
    }
}

/// A request for a token.
#[derive(Debug)]
pub struct TokenRequest {
    /// The player whose token it is.
    pub player: PlayerId,
    /// The scopes of the token.
    pub scopes: Scopes,
    /// How long the token is valid, in seconds.
    pub lifetime_s: u32,
}

/// Reads the body of a request for a token. `own` are the scopes of the caller: the token has no scope that the caller lacks, and never
/// the scope `admin`.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, own: Scopes) -> Result<TokenRequest, Problem> {
    read_document(tree, &FIELDS, |fields, errors| {
        let player = fields.read_required(
            "player",
            |field, errors| field.parsed(PlayerId::new, errors),
            errors,
        );
        let scopes = match fields.optional("scopes") {
            Some(field) => handed_on(field, own, errors),
            None => Some(
                [Scopes::READ, Scopes::WRITE]
                    .into_iter()
                    .filter(|scope| own.contains(*scope))
                    .fold(Scopes::NONE, Scopes::with),
            ),
        };
        let lifetime_s = match fields.optional("lifetime_s") {
            Some(field) => lifetime(field, errors),
            None => Some(DEFAULT_LIFETIME_S),
        };
        // `?` stands here and not above, so that every field is read and every error is added.
        Some(TokenRequest {
            player: player?,
            scopes: scopes?,
            lifetime_s: lifetime_s?,
        })
    })
}

/// Reads the scopes of a token. The caller has the scopes `own`.
fn handed_on(field: Field<'_, '_>, own: Scopes, errors: &mut Errors) -> Option<Scopes> {
    let scopes = scopes::read(field, errors)?;
    if scopes.contains(Scopes::ADMIN) {
        errors.add(&field.pointer, "must not have admin");
    } else if !own.contains(scopes) {
        errors.add(&field.pointer, "must be within the scopes of the credential");
    }
    Some(scopes)
}

/// Reads how long a token is valid, in seconds.
fn lifetime(field: Field<'_, '_>, errors: &mut Errors) -> Option<u32> {
    let lifetime: u32 = field.integer(errors)?;
    if !(1..=MAX_LIFETIME_S).contains(&lifetime) {
        errors.add(&field.pointer, format!("must be 1 to {MAX_LIFETIME_S}"));
    }
    Some(lifetime)
}

/// A token.
// The names are those of OAuth (RFC 6749, section 5.1) where it has one.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Token))]
pub struct TokenBody<'a> {
    /// The signed token, to send as `Authorization: Bearer`.
    pub token: &'a str,
    /// `Bearer`.
    pub token_type: &'static str,
    /// The lifetime of the token, in seconds.
    pub expires_in: u32,
    /// When the token expires.
    pub expires_at: String,
    /// The player of the token.
    pub player: &'a str,
    /// The scopes of the token.
    pub scopes: Vec<&'static str>,
}

/// Adds the schemas of tokens.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<TokenBody<'_>>();
    all.add_requests(&[&FIELDS]);
}
