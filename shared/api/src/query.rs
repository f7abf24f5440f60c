//! The query of a request. A parameter that the route does not have, or that comes twice, is an error. Values are decoded like
//! form fields: `+` is a space, because browsers and most clients send it so.

use leaderboard_core::{Invalid, PeriodSelector, Timestamp};
use percent_encoding::percent_decode_str;

use crate::problem::{FieldError, Problem, ProblemType};

/// The parameters of a query, still percent-encoded.
#[derive(Debug)]
pub struct Query<'q> {
    pairs: Vec<(String, &'q str)>,
}

impl<'q> Query<'q> {
    /// Splits a query into its parameters. `known` has the names of the parameters that the route has.
    ///
    /// # Errors
    /// A problem that names every unknown or repeated parameter.
    pub fn parse(raw: &'q str, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, &'q str)> = Vec::new();
        let mut errors = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name).unwrap_or_else(|| name.to_owned());
            if !known.contains(&name.as_str()) {
                errors.push(FieldError::parameter(
                    shorten(&name),
                    "is not a parameter of this route",
                ));
            } else if pairs.iter().any(|(earlier, _)| *earlier == name) {
                errors.push(FieldError::parameter(name, "is given more than once"));
            } else {
                pairs.push((name, value));
            }
        }
        if errors.is_empty() {
            return Ok(Self { pairs });
        }
        let problem = Problem::new(ProblemType::InvalidParameter);
        Err(errors.into_iter().fold(problem, Problem::with_error))
    }

    /// Returns the value of a parameter as the client sent it.
    pub fn raw(&self, name: &str) -> Option<&'q str> {
        self.pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }

    /// Returns the decoded value of a parameter.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        self.raw(name)
            .map(|raw| decode(raw).ok_or_else(|| invalid(name, "is not percent-encoded UTF-8")))
            .transpose()
    }

    /// Returns a parameter that is an integer within two bounds, both included.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn integer(&self, name: &str, min: u32, max: u32) -> Result<Option<u32>, Problem> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<u32>() {
            Ok(number) if digits && (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(invalid(name, &format!("must be an integer from {min} to {max}"))),
        }
    }

    /// Returns a parameter that is `true` or `false`; `false` when the query does not have it.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.raw(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(invalid(name, "must be true or false")),
        }
    }

    /// Returns a parameter that is an RFC 3339 instant.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn instant(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let text = self.text(name)?;
        let parsed = text.map(|text| {
            Timestamp::parse(&text).map_err(|error| {
                if Timestamp::parse(&text.replace(' ', "+")).is_ok() {
                    invalid(name, "has a space where a + was meant: send + as %2B")
                } else {
                    invalid(name, &error.detail)
                }
            })
        });
        parsed.transpose()
    }

    /// Returns the parameter `period`; the current period when the query does not have it.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn period(&self) -> Result<PeriodSelector, Problem> {
        match self.text("period")? {
            None => Ok(PeriodSelector::Current),
            Some(text) => PeriodSelector::parse(&text).map_err(|error: Invalid| {
                let plus = text.replace(' ', "+");
                if text.contains(' ') && PeriodSelector::parse(&plus).is_ok() {
                    invalid("period", "has a space where a + was meant: send + as %2B")
                } else {
                    invalid("period", &error.detail)
                }
            }),
        }
    }
}

/// Returns the decoded value of a parameter; `None` when the query does not have it, or its value is not UTF-8.
pub fn find(raw: &str, name: &str) -> Option<String> {
    let mut pairs = raw.split('&').filter_map(|part| part.split_once('='));
    let found = pairs.find(|(known, _)| decode(known).as_deref() == Some(name));
    found.and_then(|(_, value)| decode(value))
}

/// Returns a 400 problem that names a parameter.
pub fn invalid(name: &str, detail: &str) -> Problem {
    Problem::new(ProblemType::InvalidParameter).with_error(FieldError::parameter(name, detail))
}

/// Decodes a value; `None` when it is not UTF-8.
pub fn decode(raw: &str) -> Option<String> {
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// Returns the beginning of a name that a client chose, short enough for an error text.
fn shorten(name: &str) -> String {
    const MAX_CHARS: usize = 64;
    name.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_errors(result: Result<impl std::fmt::Debug, Problem>) -> Vec<FieldError> {
        result.unwrap_err().errors.clone()
    }

    #[test]
    fn values_are_decoded_like_values_of_forms() {
        let query = Query::parse("cursor=a+b%2Bc%26&limit=5", &["cursor", "limit"]).unwrap();
        assert_eq!(query.text("cursor").unwrap().as_deref(), Some("a b+c&"));
        assert_eq!(query.integer("limit", 1, 1000).unwrap(), Some(5));
        assert_eq!(query.text("period").unwrap(), None);
        assert_eq!(query.period().unwrap(), PeriodSelector::Current);
    }

    #[test]
    fn a_plus_sign_that_is_not_encoded_is_explained() {
        let detail = |raw: &str| {
            let query = Query::parse(raw, &["period"]).unwrap();
            list_errors(query.period()).remove(0).detail
        };
        assert!(detail("period=2026-11-09T00:00:00+01:00").contains("%2B"));
        assert!(!detail("period=next+week").contains("%2B"));
        let at = Query::parse("at=2026-11-09T00:00:00+01:00", &["at"]).unwrap();
        assert!(list_errors(at.instant("at")).remove(0).detail.contains("%2B"));
        let sent = Query::parse("period=2026-11-09T00:00:00%2B01:00", &["period"]).unwrap();
        assert!(sent.period().is_ok());
    }

    #[test]
    fn unknown_and_repeated_parameters_are_named() {
        let errors = list_errors(Query::parse("a=1&limit=1&limit=2", &["limit"]));
        assert_eq!(
            errors,
            [
                FieldError::parameter("a", "is not a parameter of this route"),
                FieldError::parameter("limit", "is given more than once"),
            ]
        );
    }

    #[test]
    fn invalid_values_are_refused() {
        for bad in ["0", "1001", "-1", "+1", "1.0", "", "99999999999", "%FF"] {
            let raw = format!("limit={bad}");
            let query = Query::parse(&raw, &["limit"]).unwrap();
            assert!(query.integer("limit", 1, 1000).is_err(), "{bad}");
        }
        let query = Query::parse("rebuild=1&period=never", &["rebuild", "period"]).unwrap();
        assert!(query.flag("rebuild").is_err());
        assert!(query.period().is_err());
    }
}
