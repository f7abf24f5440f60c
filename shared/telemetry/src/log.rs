//! The access log: one structured line for each request.

use serde::{Serialize, Serializer};

use leaderboard_api::ApiVersion;

/// The severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The service did its work; the request itself may be wrong.
    Info,
    /// The service could not do its work.
    Error,
}

/// The record of a request in the access log. Of the data that the client sends, it contains only the trace id and the tenant: no
/// body, no key, no token, no path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogRecord {
    /// The severity.
    pub level: Level,
    /// The trace id, 32 hexadecimal digits; empty if one line is about many requests.
    pub trace_id: String,
    /// The service's own id of the request. It is present if the client chose the trace id, because a client can send the same
    /// trace id again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The method, such as `GET`; `OTHER` for a method that no route has.
    pub method: &'static str,
    /// The pattern of the route; absent when no route matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'static str>,
    /// The version of the API; absent until the pipeline has read it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_version")]
    pub api_version: Option<ApiVersion>,
    /// The status of the response.
    pub status: u16,
    /// The tenant; absent until the pipeline has found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The type of the problem in the response, such as `/problems/validation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'static str>,
    /// The cause of a status 5xx, or the reason why the audit log has no record of an action. Clients never see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How many more requests got the same response, each with its own trace id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reused: Option<u64>,
    /// The duration in microseconds. The host adapter measures it and sets it.
    pub duration_us: u64,
}

fn serialize_version<S: Serializer>(version: &Option<ApiVersion>, serializer: S) -> Result<S::Ok, S::Error> {
    match version {
        None => serializer.serialize_none(),
        Some(version) => serializer.serialize_str(version.number()),
    }
}
