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
    /// An administrative request, recorded before it is carried out.
    #[serde(rename = "act")]
    Action {
        /// The credential of the request.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// The method of the request.
        method: &'static str,
        /// The pattern of the route.
        route: &'static str,
        /// The parameters of the path.
        #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::BTreeMap<String, String>))]
        parameters: Vec<(&'static str, String)>,
        /// The query of the address.
        #[serde(skip_serializing_if = "str::is_empty")]
        query: &'a str,
        /// The address of the client.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id of the request.
        trace: &'a str,
    },
    /// An administrative request was refused or failed.
    Outcome {
        /// The position of the record of the request.
        of: u64,
        /// The status of the response.
        status: u16,
        /// The trace id of the request.
        trace: &'a str,
    },
    /// A ban, recorded before the player is banned.
    Ban {
        /// The credential of the request.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// The player.
        player: String,
        /// Why the player is banned.
        reason: Option<&'a str>,
        /// When the ban ends; `null` if it has no end.
        expires_at: Option<String>,
        /// The address of the client.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id of the request.
        trace: &'a str,
    },
    /// A correction, recorded before it is made: a server sets an entry of a leaderboard whose operator is not `set`.
    Correction {
        /// The credential of the request.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// The player of the entry.
        player: String,
        /// The leaderboard of the entry.
        leaderboard: &'a str,
        /// The values that the server sets.
        #[cfg_attr(feature = "schema", schema(value_type = NamedValues<'a>))]
        values: SentValues<'a>,
        /// The address of the client.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id of the request.
        trace: &'a str,
    },
    /// The result of a correction.
    Corrected {
        /// The position of the record of the correction.
        of: u64,
        /// The period of the entry.
        period: &'a str,
        /// The values of the entry after the correction.
        values: Option<NamedValues<'a>>,
        /// The values of the entry before the correction; `null` if there was no entry.
        previous: Option<NamedValues<'a>>,
        /// Whether an earlier submission with the same `id` already made the correction.
        replayed: bool,
        /// The trace id of the request.
        trace: &'a str,
    },
    /// A token was issued for a player.
    #[serde(rename = "issued")]
    IssuedTokens {
        /// The credential of the request.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: AuditActor,
        /// The player.
        player: String,
        /// The address of the client.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id of the request.
        trace: &'a str,
    },
    /// The service refused a credential, once or several times.
    Refused {
        /// The refused credential.
        #[cfg_attr(feature = "schema", schema(value_type = AuditWho))]
        who: &'a AuditActor,
        /// The status of the response.
        status: u16,
        /// The type of the problem.
        reason: &'a str,
        /// The address of the client.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        from: Option<IpAddr>,
        /// The trace id of the first refused request.
        trace: &'a str,
        /// How many requests with the same credential and the same address were refused within a short time.
        count: u64,
    },
}

/// Adds the schemas of the audit log's events.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    all.add_tagged::<AuditActor>("AuditWho", "Audit", "credential", "The kind of the credential.");
    all.add_tagged::<AuditEntry<'_>>("AuditEvent", "Audit", "type", "The kind of the event.");
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

/// A credential, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "credential", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(super) enum AuditActor {
    /// No credential.
    Nobody,
    /// The key of the operator.
    Operator,
    /// An API key.
    Key {
        /// The id of the key.
        id: String,
    },
    /// A token.
    Token {
        /// The issuer of the token.
        issuer: String,
        /// The player or the server of the token.
        subject: String,
    },
    /// A key that is not valid.
    UnknownKey,
    /// A token that is not valid.
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

    fn write_action(subject: &str, parameter: &str, query: &str) -> String {
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
    fn a_record_is_compact_and_contains_the_actor_the_action_and_the_address() {
        assert_eq!(
            write_action("p", "José", "a=1"),
            r#"{"type":"act","who":{"credential":"token","issuer":"us","subject":"p"},"method":"PUT","route":"/players/:player/ban","parameters":{"player":"José"},"query":"a=1","from":"2001:db8::1","trace":"0af7"}"#
        );
        assert!(!write_action("p", "q", "").contains("query"));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let long = "é".repeat(MAX_TEXT_CHARS);
        assert_eq!(first_characters(&format!("{long}x")), long);
        assert_eq!(
            (first_characters(&long), first_characters("")),
            (long.as_str(), "")
        );
    }

    #[test]
    fn the_size_of_a_record_is_limited() {
        let long = "\u{1f600}\"".repeat(MAX_RECORD_BYTES);
        let record = write_action(&long, &long, &long);
        assert!(record.len() <= MAX_RECORD_BYTES, "{}", record.len());
        assert!(record.contains(r#""route":"/players/:player/ban""#) && !record.contains("parameters"));
    }
}
