//! Records as they are stored and shown: compact JSON, at most [`MAX_RECORD_BYTES`].

use std::net::IpAddr;

use serde::Serialize;

use leaderboard_api::json::Exact;
#[cfg(feature = "schema")]
use leaderboard_api::schema::AuditWho;
use leaderboard_api::wire::NamedValues;
use leaderboard_api::{Credential, IntegerFormat, PathParams, json};

/// The most bytes of a record.
pub(super) const MAX_RECORD_BYTES: usize = 4096;
/// The most characters of a text in a record that a client chose.
const MAX_TEXT_CHARS: usize = 256;

/// What happened.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(super) enum AuditEntry<'a> {
    /// An administrative act is about to be done.
    #[serde(rename = "act")]
    Action {
        /// By what credential.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// Of the request.
        method: &'static str,
        /// The pattern of its route.
        route: &'static str,
        /// Those of the path.
        #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::BTreeMap<String, String>))]
        parameters: Vec<(&'static str, String)>,
        /// The query of its address.
        #[serde(skip_serializing_if = "str::is_empty")]
        query: &'a str,
        /// The client's address.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id.
        trace: &'a str,
    },
    /// An act was refused or failed.
    Outcome {
        /// The position of the act's record.
        of: u64,
        /// The status of the answer.
        status: u16,
        /// The trace id.
        trace: &'a str,
    },
    /// A player is about to be banned.
    Ban {
        /// By what credential.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// The player.
        player: String,
        /// Why.
        reason: Option<&'a str>,
        /// When the ban ends by itself; `null` is never.
        expires_at: Option<String>,
        /// The client's address.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id.
        trace: &'a str,
    },
    /// A server is about to set an entry whatever the leaderboard's operator is.
    Correction {
        /// By what credential.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// The player of the entry.
        player: String,
        /// In which leaderboard.
        leaderboard: &'a str,
        /// The values it is to have.
        #[cfg_attr(feature = "schema", schema(value_type = NamedValues<'a>))]
        values: SentValues<'a>,
        /// The client's address.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id.
        trace: &'a str,
    },
    /// A correction was made.
    Corrected {
        /// The position of the correction's record.
        of: u64,
        /// The period of the entry.
        period: &'a str,
        /// The entry's values now.
        values: Option<NamedValues<'a>>,
        /// Its values before; `null` when there was no entry.
        previous: Option<NamedValues<'a>>,
        /// Whether it was made before, by a submission with the same id.
        replayed: bool,
        /// The trace id.
        trace: &'a str,
    },
    /// A token was issued to a player.
    #[serde(rename = "issued")]
    IssuedTokens {
        /// By what credential.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// The player.
        player: String,
        /// The client's address.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id.
        trace: &'a str,
    },
    /// Credentials were refused.
    Refused {
        /// What was presented.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: &'a AuditActor,
        /// The status of the answer.
        status: u16,
        /// The type of the problem.
        reason: &'a str,
        /// The client's address.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id of the first of them.
        trace: &'a str,
        /// How often the same happened from the same address within a short time.
        count: u64,
    },
}

/// Adds the schemas of the audit log's events.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    all.add_tagged::<AuditActor>(
        "AuditWho",
        "Audit",
        "credential",
        "Which kind of credential it is.",
    );
    all.add_tagged::<AuditEntry<'_>>("AuditEvent", "Audit", "type", "Which event it is.");
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

/// By what credential; never the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "credential", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(super) enum AuditActor {
    /// No credential.
    Nobody,
    /// The operator's key.
    Operator,
    /// An API key.
    Key {
        /// Its id.
        id: String,
    },
    /// A token.
    Token {
        /// By whom it was issued.
        issuer: String,
        /// For whom.
        subject: String,
    },
    /// A key that is not valid, whatever it claims to be.
    UnknownKey,
    /// A token that is not valid, whatever it claims to be.
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
    /// Returns the record as JSON. If the JSON is longer than [`MAX_RECORD_BYTES`], leaves out the parameters and the query of an
    /// action, whose length the client chooses.
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

/// Returns the beginning of a text that a client chose, short enough for a record.
pub(super) fn cut(text: &str) -> String {
    first_characters(text).to_owned()
}

/// Returns the beginning of a text that a client chose: at most [`MAX_TEXT_CHARS`] characters.
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
