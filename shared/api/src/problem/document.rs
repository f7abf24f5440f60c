//! A problem and its document.

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue};
use leaderboard_core::TenantId;
use leaderboard_core::ports::RateLimitDecision;
use serde::Serialize;

use super::ProblemType;
use crate::Credential;

/// The most errors that one problem lists. A body can have thousands.
pub const MAX_FIELD_ERRORS: usize = 20;
/// The value of `WWW-Authenticate`: the kinds of credentials that we accept (RFC 9110, section 11.6.1).
const CHALLENGES: &str = "Bearer realm=\"edgeboard\", ApiKey realm=\"edgeboard\"";
/// The value of `Retry-After` for most problems, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";
/// `Retry-After` while a flag switches writes off, in seconds: the time until every region uses a change of the flag.
const SWITCH_RETRY_AFTER_SECONDS: &str = "30";

/// The place of an error in the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Location {
    /// A JSON pointer into the body, in fragment form.
    // RFC 6901, section 6: `#/scores/3/score`.
    #[serde(rename = "pointer")]
    Body(String),
    /// A parameter of the path or the query.
    Parameter(String),
    /// A header.
    Header(&'static str),
}

/// What is at fault: a place in the body, a parameter or a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The place: `pointer`, `parameter` or `header`.
    #[serde(flatten)]
    pub location: Location,
    /// What is wrong with it.
    pub detail: String,
}

impl FieldError {
    /// Returns an error in the body, at a JSON pointer in fragment form.
    pub fn body(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            location: Location::Body(pointer.into()),
            detail: detail.into(),
        }
    }

    /// Returns an error in a parameter.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            location: Location::Parameter(name.into()),
            detail: detail.into(),
        }
    }

    /// Returns an error in a header.
    pub fn header(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            location: Location::Header(name),
            detail: detail.into(),
        }
    }
}

/// A problem document (RFC 9457) that the client gets instead of the response. It is boxed because every `Result` carries one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

/// What is known about a refused credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCredential {
    /// The tenant of the credential.
    pub tenant: Option<TenantId>,
    /// The credential, where it is known.
    pub credential: Option<Credential>,
}

/// The parts of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The type.
    pub kind: ProblemType,
    /// The error text for the caller.
    pub detail: Option<String>,
    /// The fields at fault.
    pub errors: Vec<FieldError>,
    /// The names of the rate limits that are used up.
    pub violated: Vec<&'static str>,
    /// Further headers of the response.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The cause, for the access log only.
    pub cause: Option<String>,
    /// Whether the problem is that a server of the store does not answer. Then its circuit breaker opens.
    pub is_outage: bool,
    /// The refused credential, for the audit log only.
    pub refused: Option<RefusedCredential>,
    /// The store's rate-limit decision, when the store charged the request together with its writes.
    pub rate_limit_decision: Option<RateLimitDecision>,
}

impl std::ops::Deref for Problem {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Problem {
    /// Returns a problem of a type, without details.
    #[must_use]
    pub fn new(kind: ProblemType) -> Self {
        let mut problem = Self(Box::new(Parts {
            kind,
            detail: None,
            errors: Vec::new(),
            violated: Vec::new(),
            headers: Vec::new(),
            cause: None,
            is_outage: false,
            refused: None,
            rate_limit_decision: None,
        }));
        match kind {
            ProblemType::Unauthenticated => {
                problem = problem.with_header(WWW_AUTHENTICATE, CHALLENGES);
            }
            ProblemType::WritesDisabled => {
                problem = problem.with_header(RETRY_AFTER, SWITCH_RETRY_AFTER_SECONDS);
            }
            ProblemType::Unavailable
            | ProblemType::Rebuilding
            | ProblemType::HistoryNotReady
            | ProblemType::QueueFull
            | ProblemType::Erasing => {
                problem = problem.with_header(RETRY_AFTER, RETRY_AFTER_SECONDS);
            }
            _ => {}
        }
        problem
    }

    /// Returns a problem for a failure of the service. Only the log shows its cause.
    #[must_use]
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::new(ProblemType::Internal).with_cause(cause)
    }

    /// Returns the problem with a text about this occurrence.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Returns the problem of a server of the store that does not answer.
    #[must_use]
    pub(super) fn with_outage(mut self) -> Self {
        self.0.is_outage = true;
        self
    }

    /// Returns the problem with another error, or unchanged when it has [`MAX_FIELD_ERRORS`] already.
    #[must_use]
    pub fn with_error(mut self, error: FieldError) -> Self {
        if self.0.errors.len() < MAX_FIELD_ERRORS {
            self.0.errors.push(error);
        }
        self
    }

    /// Returns the problem with a response header, which replaces one with the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.retain(|(known, _)| *known != name);
            self.0.headers.push((name, value));
        }
        self
    }

    /// Returns the problem with another response header. Headers with the same name stay.
    #[must_use]
    pub fn with_appended_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Returns the problem with the name of another limit that is used up.
    #[must_use]
    pub fn with_violated(mut self, policy: &'static str) -> Self {
        self.0.violated.push(policy);
        self
    }

    /// Returns a 405 problem that lists the methods of the path.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(ProblemType::MethodNotAllowed)
            .with_detail(format!("The path exists, for these methods: {allow}."))
            .with_header(ALLOW, allow)
    }

    /// Returns the problem with a cause for the access log.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Returns the problem with the credential that was refused and its tenant, as far as they are known.
    #[must_use]
    pub fn with_refused(mut self, tenant: Option<TenantId>, credential: Option<Credential>) -> Self {
        self.0.refused = Some(RefusedCredential { tenant, credential });
        self
    }

    /// Returns the problem with the store's rate-limit decision.
    #[must_use]
    pub fn with_rate_limit_decision(mut self, decision: Option<RateLimitDecision>) -> Self {
        self.0.rate_limit_decision = decision;
        self
    }

    /// Takes the rate-limit decision out, for the headers of the response.
    pub fn take_rate_limit_decision(&mut self) -> Option<RateLimitDecision> {
        self.0.rate_limit_decision.take()
    }

    /// Returns the document, for a response or for one result of a batch.
    #[must_use]
    pub fn document<'a>(&'a self, trace_id: &'a str) -> ProblemBody<'a> {
        ProblemBody {
            r#type: self.kind.uri(),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail.as_deref().unwrap_or(self.kind.meaning()),
            instance: trace_id,
            errors: &self.errors,
            violated_policies: &self.violated,
        }
    }

    /// Returns the problem as one line for a dead letter: the detail (without a detail, the title) and the errors.
    #[must_use]
    pub fn one_line(&self) -> String {
        let mut line = self
            .detail
            .clone()
            .unwrap_or_else(|| self.kind.title().to_owned());
        for error in &self.errors {
            let place = match &error.location {
                Location::Body(place) | Location::Parameter(place) => place.as_str(),
                Location::Header(name) => name,
            };
            line.push_str("; ");
            line.push_str(place);
            line.push_str(": ");
            line.push_str(&error.detail);
        }
        line
    }

    /// Returns the errors, so that the caller can change them.
    pub(crate) fn errors_mut(&mut self) -> &mut Vec<FieldError> {
        &mut self.0.errors
    }

    /// Returns the parts of the problem.
    pub(crate) fn into_parts(self) -> Parts {
        *self.0
    }
}

/// A problem document (RFC 9457): why a request failed.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Problem))]
pub struct ProblemBody<'a> {
    /// The type of the problem: a URI that does not change, for programs.
    r#type: &'static str,
    /// The title of the type, for people. All problems of a type have the same title.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// What is wrong with this request, for people.
    detail: &'a str,
    /// The trace id of the request, which is also in the header `X-Request-Id`.
    instance: &'a str,
    /// The fields, parameters and headers that are not valid.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// The names of the rate limits that are used up.
    #[serde(rename = "violated-policies", skip_serializing_if = "<[_]>::is_empty")]
    violated_policies: &'a [&'static str],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_fields_of_the_api() {
        let problem = Problem::new(ProblemType::Validation)
            .with_error(FieldError::body(
                "#/scores/3/score",
                "above the leaderboard's max of 1000",
            ))
            .with_error(FieldError::parameter("limit", "must be 1 to 1000"))
            .with_cause("a secret");
        assert_eq!(
            serde_json::to_string(&problem.document("0af7")).unwrap(),
            r##"{"type":"/problems/validation","title":"A value is not valid","status":422,"detail":"The body is valid JSON, but a value in it is not; `errors` names the fields.","instance":"0af7","errors":[{"pointer":"#/scores/3/score","detail":"above the leaderboard's max of 1000"},{"parameter":"limit","detail":"must be 1 to 1000"}]}"##
        );
    }

    #[test]
    fn the_number_of_reported_errors_is_limited() {
        let mut problem = Problem::new(ProblemType::Validation);
        for _ in 0..2 * MAX_FIELD_ERRORS {
            problem = problem.with_error(FieldError::body("#", "x"));
        }
        assert_eq!(problem.errors.len(), MAX_FIELD_ERRORS);
    }
}
