//! Reads and writes bans.

use leaderboard_core::Timestamp;
use leaderboard_core::ports::{Ban, MAX_BAN_REASON_BYTES};
use serde::Serialize;

use super::versioned::VersionedPlayer;
use crate::json::{Errors, Field, parse, read_document};
use crate::problem::Problem;
use crate::version::ApiVersion;

request_fields! {
    /// A request that bans a player.
    pub(super) FIELDS = "BanWritten" {
        /// Why the player is banned, for administrators; at most 500 bytes.
        optional reason: text_up_to(MAX_BAN_REASON_BYTES),
        /// When the ban ends, an instant in the future. Default: the ban has no end.
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
    let end = |field: Field<'_, '_>, errors: &mut Errors| {
        let at = field.time(errors)?;
        if at <= now {
            errors.add(
                &field.pointer,
                format!("must be in the future; it is {now} by the server's clock"),
            );
        }
        Some(at)
    };
    read_document(&tree, &FIELDS, |fields, errors| {
        Some(BanWritten {
            reason: fields.read("reason", reason, errors),
            expires_at: fields.read("expires_at", end, errors),
        })
    })
}

fn reason(field: Field<'_, '_>, errors: &mut Errors) -> Option<String> {
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

/// A shadow ban: only the banned player still sees the entries of this player.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Ban))]
pub struct BanBody<'a> {
    /// The banned player.
    player: VersionedPlayer<'a>,
    /// Why the player is banned.
    reason: Option<&'a str>,
    /// When the ban began.
    banned_at: String,
    /// When the ban ends; `null` if it has no end.
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
        ["A page of bans.", "The bans, in the order of the players."],
    );
    all.add_requests(&[&FIELDS]);
}
