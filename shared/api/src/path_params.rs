//! The parameters in a path.

use std::borrow::Cow;

use leaderboard_core::ports::MAX_QUEUED_ID_BYTES;
use leaderboard_core::{Invalid, LeaderboardId, PlayerId, TenantId};
use leaderboard_identity::api_key::KeyId;
use percent_encoding::percent_decode_str;

use crate::problem::{FieldError, Problem, ProblemType};

/// The largest number of parameters in a pattern.
const MAX_PARAMS: usize = 4;
/// The longest id of a webhook, in bytes: with the id of a leaderboard or a message, it is the id of a document.
pub const MAX_WEBHOOK_ID_BYTES: usize = 32;
/// What the ids of messages to webhooks begin with.
pub const MESSAGE_ID_PREFIX: &str = "msg_";
/// The most characters of the id of a message after its prefix.
const MAX_MESSAGE_ID_CHARS: usize = 60;

/// The parameters of a path, still percent-encoded.
#[derive(Debug)]
pub struct PathParams<'p> {
    captured: Vec<(&'static str, &'p str)>,
}

impl<'p> PathParams<'p> {
    /// Compares a path with a pattern, segment by segment. Returns `None` when the path does not match.
    pub fn capture(pattern: &'static str, path: &'p str) -> Option<Self> {
        let mut captured = Vec::with_capacity(MAX_PARAMS);
        let mut segments = path.split('/');
        for expected in pattern.split('/') {
            let segment = segments.next()?;
            match expected.strip_prefix(':') {
                Some(name) => captured.push((name, segment)),
                None if expected == segment => {}
                None => return None,
            }
        }
        segments.next().is_none().then_some(Self { captured })
    }

    /// The parameter `leaderboard`.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn leaderboard(&self) -> Result<LeaderboardId, Problem> {
        self.parse("leaderboard", LeaderboardId::new)
    }

    /// The parameter `player`.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn player(&self) -> Result<PlayerId, Problem> {
        self.parse("player", PlayerId::new)
    }

    /// The parameter `tenant`.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn tenant(&self) -> Result<TenantId, Problem> {
        self.parse("tenant", TenantId::new)
    }

    /// The parameter `letter`: the id of a dead letter.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn letter(&self) -> Result<u64, Problem> {
        self.parse("letter", |text| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let id = text.parse().ok().filter(|_| digits);
            id.ok_or_else(|| Invalid::new("", "must be the id of a dead letter: a number"))
        })
    }

    /// Returns the names and the decoded values. Bytes that are not UTF-8 are replaced.
    pub fn decoded(&self) -> impl Iterator<Item = (&'static str, Cow<'p, str>)> {
        self.captured
            .iter()
            .map(|(name, raw)| (*name, percent_decode_str(raw).decode_utf8_lossy()))
    }

    /// The parameter `key`.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn key(&self) -> Result<KeyId, Problem> {
        self.parse("key", |text| {
            KeyId::parse(&text).ok_or_else(|| Invalid::new("", "must be 16 hexadecimal digits"))
        })
    }

    /// The parameter `issuer`: an id that follows the rule of a tenant's.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn issuer(&self) -> Result<Box<str>, Problem> {
        self.parse("issuer", |text| TenantId::new(text).map(|id| id.as_str().into()))
    }

    /// The parameter `webhook`: an id that follows the rule of a tenant's, with at most [`MAX_WEBHOOK_ID_BYTES`].
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn webhook(&self) -> Result<Box<str>, Problem> {
        self.parse("webhook", |text| {
            let id = TenantId::new(text)?;
            if id.as_str().len() > MAX_WEBHOOK_ID_BYTES {
                return Err(Invalid::new(
                    "",
                    format!("must be at most {MAX_WEBHOOK_ID_BYTES} characters"),
                ));
            }
            Ok(id.as_str().into())
        })
    }

    /// The parameter `message`: the id of a message to a webhook.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn message(&self) -> Result<Box<str>, Problem> {
        self.parse("message", |text| {
            let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let rest = text.strip_prefix(MESSAGE_ID_PREFIX);
            if rest.is_some_and(|rest| rest.len() <= MAX_MESSAGE_ID_CHARS && rest.bytes().all(known)) {
                Ok(text)
            } else {
                Err(Invalid::new(
                    "",
                    "must be the id of a message: msg_ and what follows",
                ))
            }
        })
    }

    /// The parameter `submission`: the id of a queued submission.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn submission(&self) -> Result<Box<str>, Problem> {
        self.parse("submission", |text| {
            let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if text.len() <= MAX_QUEUED_ID_BYTES && text.bytes().all(known) {
                Ok(text)
            } else {
                Err(Invalid::new("", "must be the id of a queued submission"))
            }
        })
    }

    /// The parameter `flag`: the key of a flag. A value that is not UTF-8 becomes a key that no flag has.
    pub fn flag(&self) -> Box<str> {
        percent_decode_str(self.raw("flag")).decode_utf8_lossy().into()
    }

    fn raw(&self, name: &str) -> &'p str {
        self.captured
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, raw)| raw)
    }

    fn parse<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(Box<str>) -> Result<T, Invalid>,
    ) -> Result<T, Problem> {
        percent_decode_str(self.raw(name))
            .decode_utf8()
            .map_err(|_| "is not percent-encoded UTF-8".to_owned())
            .and_then(|text: Cow<'_, str>| parse(text.into()).map_err(|invalid| invalid.detail))
            .map_err(|detail| {
                Problem::new(ProblemType::InvalidParameter).with_error(FieldError::parameter(name, detail))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERN: &str = "/leaderboards/:leaderboard/entries/:player";

    /// Returns the player in a path, or why the player is invalid.
    fn parse_player(path: &str) -> Result<String, String> {
        let params = PathParams::capture(PATTERN, path).unwrap();
        params
            .player()
            .map(|player| player.to_string())
            .map_err(|problem| problem.errors[0].detail.clone())
    }

    #[test]
    fn each_segment_is_decoded_separately() {
        assert_eq!(
            parse_player("/leaderboards/a/entries/a%2Fb%2Cc%25+d").as_deref(),
            Ok("a/b,c%+d")
        );
        assert_eq!(
            parse_player("/leaderboards/a/entries/Jos%C3%A9").as_deref(),
            Ok("José")
        );
    }

    #[test]
    fn an_invalid_player_is_refused_with_the_reason() {
        assert_eq!(
            parse_player("/leaderboards/a/entries/%FF"),
            Err("is not percent-encoded UTF-8".to_owned())
        );
        assert_eq!(
            parse_player("/leaderboards/a/entries/"),
            Err("must not be empty".to_owned())
        );
        assert!(parse_player("/leaderboards/a/entries/a%00b").is_err());
        assert!(parse_player(&format!("/leaderboards/a/entries/{}", "x".repeat(129))).is_err());
    }

    #[test]
    fn a_path_must_have_the_segments_of_the_pattern() {
        assert!(PathParams::capture(PATTERN, "/leaderboards/a/entries").is_none());
        assert!(PathParams::capture(PATTERN, "/leaderboards/a/entries/b/c").is_none());
        assert!(PathParams::capture(PATTERN, "/leaderboards/a/scores/b").is_none());
    }
}
