//! One structured line for each request.

use serde::{Serialize, Serializer};

use leaderboard_api::ApiVersion;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The service did its work, whatever the client made of it.
    Info,
    /// The service could not do its work.
    Error,
}

/// What is logged of a request. Nothing in it was chosen by the client beyond its trace id and its tenant:
/// no body, no key, no token, no path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogRecord {
    /// How much it matters.
    pub level: Level,
    /// The trace id: 32 hexadecimal digits. Empty where one line stands for many requests.
    pub trace_id: String,
    /// This service's own id of the request, where the trace id is the client's: the same client can send that again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// `GET` and so on; `OTHER` for a method that no route has.
    pub method: &'static str,
    /// The route's pattern; absent when no route was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'static str>,
    /// The version of the API, once it is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub api_version: Option<ApiVersion>,
    /// The status of the answer.
    pub status: u16,
    /// The tenant, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The type of the problem answered, e.g. `/problems/validation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'static str>,
    /// What was behind a status of 5xx, or why the audit log has no record of what was done. The client never sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// That the answer was given again this many times, each under a trace id of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
    /// How long it took, in microseconds; whoever measures it fills it in.
    pub duration_us: u64,
}

fn number<S: Serializer>(version: &Option<ApiVersion>, serializer: S) -> Result<S::Ok, S::Error> {
    match version {
        None => serializer.serialize_none(),
        Some(version) => serializer.serialize_str(version.number()),
    }
}
