//! Reads and writes bans.

use leaderboard_core::Timestamp;
use leaderboard_core::ports::{Ban, MAX_BAN_REASON_BYTES};
use serde::Serialize;

use super::versioned::VersionedPlayer;
use crate::json::{Errors, Field, parse};
use crate::problem::Problem;
use crate::version::ApiVersion;

request_fields! {
    /// Why and until when.
    pub(super) FIELDS = "BanWritten" {
        /// For those who administer; at most 500 bytes.
        optional reason: text_up_to(MAX_BAN_REASON_BYTES),
        /// When it ends by itself, in the future; never unless said.
        optional expires_at: time(),
    }
}

/// Why a player is banned, and until when.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BanWritten {
    /// Why the player is banned, for administrators.
    pub reason: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// Reads the body of a ban; an empty body sets neither a reason nor an end.
///
/// # Errors
/// A problem that lists what is wrong with it.
pub fn read(body: &[u8], now: Timestamp) -> Result<BanWritten, Problem> {
    if body.is_empty() {
        return Ok(BanWritten::default());
    }
    let tree = parse(body)?;
    let mut errors = Errors::default();
    let fields = Field::root(&tree).object_with(&FIELDS, &mut errors);
    let written = fields.map(|fields| {
        let reason = fields
            .optional("reason")
            .and_then(|field| reason(&field, &mut errors));
        let expires_at = fields.optional("expires_at").and_then(|field| {
            let at = field.time(&mut errors)?;
            if at <= now {
                errors.add(
                    &field.pointer,
                    format!("must be in the future; it is {now} by the server's clock"),
                );
            }
            Some(at)
        });
        BanWritten { reason, expires_at }
    });
    errors.check()?;
    written.ok_or_else(|| Problem::internal("a ban without errors was not understood"))
}

fn reason(field: &Field<'_, '_>, errors: &mut Errors) -> Option<String> {
    let text = field.text(errors)?;
    if text.len() > MAX_BAN_REASON_BYTES {
        errors.add(
            &field.pointer,
            format!("must be at most {MAX_BAN_REASON_BYTES} bytes"),
        );
        return None;
    }
    if text.chars().any(char::is_control) {
        errors.add(&field.pointer, "must not contain control characters");
        return None;
    }
    Some(text.to_owned())
}

/// A shadow ban.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Ban))]
pub struct BanBody<'a> {
    /// Who is hidden from everybody else.
    player: VersionedPlayer<'a>,
    /// Why.
    reason: Option<&'a str>,
    /// Since when.
    banned_at: String,
    /// When it ends by itself; `null` is never.
    expires_at: Option<String>,
}

impl<'a> BanBody<'a> {
    /// Returns a ban in the form of a version.
    pub fn new(version: ApiVersion, ban: &'a Ban) -> Self {
        Self {
            player: VersionedPlayer {
                version,
                id: ban.player.as_str(),
            },
            reason: ban.reason.as_deref(),
            banned_at: ban.banned_at.to_string(),
            expires_at: ban.expires_at.map(|at| at.to_string()),
        }
    }
}

/// Adds the schemas of bans.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add_list::<BanBody<'_>>(
        "Bans",
        "bans",
        ["A page of bans.", "In the order of their players."],
    );
    all.add_requests(&[&FIELDS]);
}
