//! The records of the audit log as they are stored and shown: compact JSON, at most [`MAX_RECORD_BYTES`].

use std::net::IpAddr;

use serde::Serialize;

use leaderboard_api::Credential;
use leaderboard_api::PathParams;
use leaderboard_api::json::Exact;
use leaderboard_api::wire::NamedValues;
use leaderboard_api::{IntegerFormat, json};

/// The most bytes of a record.
pub(super) const MAX_RECORD_BYTES: usize = 4096;
/// The most characters of a text in a record that a client chose.
const MAX_TEXT_CHARS: usize = 256;

/// The event of a record.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum AuditEntry<'a> {
    /// An administrative act is about to be done.
    #[serde(rename = "act")]
    Action {
        who: AuditActor,
        method: &'static str,
        route: &'static str,
        #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
        parameters: Vec<(&'static str, String)>,
        #[serde(skip_serializing_if = "str::is_empty")]
        query: &'a str,
        from: Option<IpAddr>,
        trace: &'a str,
    },
    /// An act was refused or failed.
    Outcome {
        /// The position of the act's record.
        of: u64,
        status: u16,
        trace: &'a str,
    },
    /// A player is about to be banned.
    Ban {
        who: AuditActor,
        player: String,
        reason: Option<&'a str>,
        expires_at: Option<String>,
        from: Option<IpAddr>,
        trace: &'a str,
    },
    /// A server is about to set an entry of a leaderboard whose operator is another one.
    Correction {
        who: AuditActor,
        player: String,
        leaderboard: &'a str,
        values: SentValues<'a>,
        from: Option<IpAddr>,
        trace: &'a str,
    },
    /// A correction is made.
    Corrected {
        /// The position of the correction's record.
        of: u64,
        period: &'a str,
        /// The entry's values now.
        values: Option<NamedValues<'a>>,
        /// The entry's values before; `None` if there was no entry.
        previous: Option<NamedValues<'a>>,
        /// Whether a submission with the same id had made the correction before.
        replayed: bool,
        trace: &'a str,
    },
    /// A token was issued to a player; the first by this credential in a minute.
    #[serde(rename = "issued")]
    IssuedTokens {
        who: AuditActor,
        player: String,
        from: Option<IpAddr>,
        trace: &'a str,
    },
    /// Credentials were refused.
    Refused {
        who: &'a AuditActor,
        status: u16,
        reason: &'a str,
        from: Option<IpAddr>,
        /// The trace id of the first refusal.
        trace: &'a str,
        /// How often the same happened from the same address within a short time.
        count: u64,
    },
}

/// Values as they were sent, by the names of their columns.
#[derive(Debug)]
pub(super) struct SentValues<'a>(pub Vec<(&'a str, Exact)>);

impl Serialize for SentValues<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn as_map<S: serde::Serializer>(pairs: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// The credential of a request, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "credential", rename_all = "snake_case")]
pub(super) enum AuditActor {
    /// No credential.
    Nobody,
    /// The operator's key.
    Operator,
    /// The API key with this id.
    Key { id: String },
    /// A token: the id of its issuer, and its subject.
    Token { issuer: String, subject: String },
    /// An invalid API key. Nothing that it claims is recorded.
    UnknownKey,
    /// An invalid token. Nothing that it claims is recorded.
    UnknownToken,
}

impl From<&Credential> for AuditActor {
    fn from(credential: &Credential) -> Self {
        match credential {
            Credential::None => Self::Nobody,
            Credential::Operator => Self::Operator,
            Credential::Key(id) => Self::Key { id: cut(id) },
            Credential::Token { issuer, subject } => Self::Token {
                issuer: cut(issuer),
                subject: cut(subject),
            },
        }
    }
}

impl AuditEntry<'_> {
    /// Returns the body of the record. A body that would be too long lacks the texts that the client chose.
    pub(super) fn into_body(mut self) -> Vec<u8> {
        let body = self.written();
        if body.len() <= MAX_RECORD_BYTES {
            return body;
        }
        if let Self::Action {
            parameters, query, ..
        } = &mut self
        {
            parameters.clear();
            *query = "";
        }
        self.written()
    }

    fn written(&self) -> Vec<u8> {
        // Strings and numbers alone: there is nothing in it that could not be written.
        // Strings: the record is shown as it was written, also to clients that asked for strings.
        json::write(self, IntegerFormat::String).unwrap_or_default()
    }
}

/// Returns the decoded parameters of a path.
pub(super) fn parameters(params: &PathParams<'_>) -> Vec<(&'static str, String)> {
    params
        .decoded()
        .map(|(name, value)| (name, cut(&value)))
        .collect()
}

/// Returns a text that a client chose, cut to [`MAX_TEXT_CHARS`].
pub(super) fn cut(text: &str) -> String {
    first_characters(text).to_owned()
}

/// Returns the first characters of a text that a client chose, at most [`MAX_TEXT_CHARS`].
pub(super) fn first_characters(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT_CHARS).map(|(at, _)| at);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(subject: &str, parameter: &str, query: &str) -> String {
        let who = AuditActor::from(&Credential::Token {
            issuer: "us".into(),
            subject: subject.into(),
        });
        let event = AuditEntry::Action {
            who,
            method: "PUT",
            route: "/players/:player/ban",
            parameters: vec![("player", cut(parameter))],
            query,
            from: "2001:db8::1".parse().ok(),
            trace: "0af7",
        };
        String::from_utf8(event.into_body()).unwrap()
    }

    #[test]
    fn a_record_is_compact_and_says_who_what_and_from_where() {
        assert_eq!(
            act("p", "José", "a=1"),
            r#"{"type":"act","who":{"credential":"token","issuer":"us","subject":"p"},"method":"PUT","route":"/players/:player/ban","parameters":{"player":"José"},"query":"a=1","from":"2001:db8::1","trace":"0af7"}"#
        );
        assert!(!act("p", "q", "").contains("query"));
    }

    #[test]
    fn a_text_is_cut_between_its_characters() {
        let long = "é".repeat(MAX_TEXT_CHARS);
        assert_eq!(first_characters(&format!("{long}x")), long);
        assert_eq!(
            (first_characters(&long), first_characters("")),
            (long.as_str(), "")
        );
    }

    #[test]
    fn no_record_is_longer_than_it_may_be() {
        let long = "\u{1f600}\"".repeat(MAX_RECORD_BYTES);
        let record = act(&long, &long, &long);
        assert!(record.len() <= MAX_RECORD_BYTES, "{}", record.len());
        assert!(record.contains(r#""route":"/players/:player/ban""#) && !record.contains("parameters"));
    }
}
