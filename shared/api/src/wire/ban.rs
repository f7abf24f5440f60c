//! Bans as clients send and get them.

use leaderboard_core::Timestamp;
use leaderboard_core::ports::{Ban, MAX_BAN_REASON_BYTES};
use serde::Serialize;

use super::versioned::Document;
use crate::json::{Errors, Field, parse};
use crate::problem::Problem;
use crate::version::ApiVersion;

/// What is said of a ban.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BanWritten {
    /// Why the player is banned, for administrators.
    pub reason: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// Reads a body, which may be missing.
///
/// # Errors
/// A problem that lists what is wrong with it.
pub fn read(body: &[u8], now: Timestamp) -> Result<BanWritten, Problem> {
    if body.is_empty() {
        return Ok(BanWritten::default());
    }
    let tree = parse(body)?;
    let mut errors = Errors::default();
    let written = Field::root(&tree).object(&mut errors).map(|fields| {
        fields.only(&["reason", "expires_at"], &mut errors);
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

/// A player of version 2.
#[derive(Debug, Serialize)]
struct PlayerV2<'a> {
    id: &'a str,
}

/// A ban.
#[derive(Debug, Serialize)]
pub struct BanBody<'a> {
    player: Document<&'a str, PlayerV2<'a>>,
    reason: Option<&'a str>,
    banned_at: String,
    expires_at: Option<String>,
}

impl<'a> BanBody<'a> {
    /// A ban in the shape of a version.
    pub fn new(version: ApiVersion, ban: &'a Ban) -> Self {
        let player = ban.player.as_str();
        Self {
            player: match version {
                ApiVersion::V1 => Document::V1(player),
                ApiVersion::V2 => Document::V2(PlayerV2 { id: player }),
            },
            reason: ban.reason.as_deref(),
            banned_at: ban.banned_at.to_string(),
            expires_at: ban.expires_at.map(|at| at.to_string()),
        }
    }
}
