//! Errors of the server: RFC 9457 problem documents, and a message for people from each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An RFC 9457 problem document as this API writes it. Every field may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ApiProblem {
    /// The problem's type, a URI reference such as `/problems/validation`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub(crate) kind: String,
    /// The HTTP status code.
    pub(crate) status: u16,
    /// A short name, the same for every occurrence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) title: String,
    /// The details of this occurrence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    /// The trace id, by which the request can be found in the server's log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) instance: String,
    /// The invalid fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<InvalidField>,
}

/// One invalid field: in the body, a parameter of the URL, or a header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InvalidField {
    /// A JSON pointer into the request's body, as a URI fragment: `#/scores/3/score`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) pointer: String,
    /// A parameter's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) parameter: String,
    /// A header's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) header: String,
    /// What is wrong with the field.
    pub(crate) detail: String,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in [&self.pointer, &self.parameter, &self.header] {
            if !place.is_empty() {
                write!(f, "{place}: ")?;
            }
        }
        f.write_str(&self.detail)
    }
}

impl InvalidField {
    /// Returns the position `n` of the submission from a pointer `#/scores/n…`; `None` for other pointers.
    pub(crate) fn submission_position(&self) -> Option<usize> {
        let rest = self.pointer.trim_start_matches('#').strip_prefix("/scores/")?;
        rest.split('/').next()?.parse().ok()
    }
}

impl ApiProblem {
    /// Reads the problem from a response. If the body is not a problem document (a proxy's page, an empty body), the result only
    /// has the status.
    pub(crate) fn from_response(status: u16, body: &[u8]) -> Self {
        let mut problem: Self = serde_json::from_slice(body).unwrap_or_default();
        problem.status = status;
        if problem.title.is_empty() && problem.detail.is_empty() {
            problem.title = default_title(status).to_owned();
        }
        problem
    }

    /// Formats the message in one line without the trace id, for a list of many.
    pub(crate) fn to_line(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.errors.is_empty() {
            parts.push(self.detail.clone());
        }
        parts.extend(self.errors.iter().map(InvalidField::to_string));
        parts.retain(|part| !part.is_empty());
        let rest = parts.join("; ");
        if rest.is_empty() {
            format!("{} {}", self.status, self.title)
        } else {
            format!("{} {}: {rest}", self.status, self.title)
        }
    }
}

fn default_title(status: u16) -> &'static str {
    reqwest::StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("no reason given")
}

impl fmt::Display for ApiProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.title)?;
        if !self.detail.is_empty() && self.detail != self.title {
            write!(f, ": {}", self.detail)?;
        }
        for error in &self.errors {
            write!(f, "\n  {error}")?;
        }
        if !self.instance.is_empty() {
            write!(f, "\n  trace id: {}", self.instance)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_becomes_one_message_with_its_fields_and_trace_id() {
        let body = br##"{"type":"/problems/validation","title":"Invalid request","status":422,"detail":"1 field is wrong",
            "instance":"4bf92f35","errors":[{"pointer":"#/scores/3/score","detail":"above the maximum of 1000"}]}"##;
        let problem = ApiProblem::from_response(422, body);
        assert_eq!(
            problem.to_string(),
            "422 Invalid request: 1 field is wrong\n  #/scores/3/score: above the maximum of 1000\n  trace id: 4bf92f35"
        );
        assert_eq!(
            problem.to_line(),
            "422 Invalid request: #/scores/3/score: above the maximum of 1000"
        );
        assert_eq!(problem.errors[0].submission_position(), Some(3));
    }

    #[test]
    fn an_invalid_parameter_is_named_in_the_message() {
        let body = br#"{"title":"A parameter is not valid","errors":[{"parameter":"limit","detail":"must be an integer"}]}"#;
        let problem = ApiProblem::from_response(400, body);
        assert_eq!(
            problem.to_line(),
            "400 A parameter is not valid: limit: must be an integer"
        );
    }

    #[test]
    fn a_body_without_a_problem_document_gives_the_status_as_message() {
        assert_eq!(
            ApiProblem::from_response(502, b"<html>").to_string(),
            "502 Bad Gateway"
        );
        assert_eq!(ApiProblem::from_response(404, b"").to_line(), "404 Not Found");
    }

    #[test]
    fn only_a_pointer_into_a_submission_has_a_position() {
        let read_position = |pointer: &str| {
            InvalidField {
                pointer: pointer.into(),
                ..InvalidField::default()
            }
            .submission_position()
        };
        assert_eq!(read_position("#/scores/12"), Some(12));
        assert_eq!(read_position("#/scores"), None);
        assert_eq!(read_position("#/player"), None);
    }
}
