//! Conditional requests (RFC 9110, section 13) on documents whose entity tag is their version: `"17"`.

use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use leaderboard_core::ports::Expected;

use crate::headers::{invalid_header, list_bytes};
use crate::problem::{FieldError, Problem, ProblemType};
use crate::response::Response;

/// The header with the entity tags that a change requires (RFC 9110, section 13.1.1).
pub const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";
/// The most entity tags that one header lists.
const MAX_TAGS: usize = 100;

/// The preconditions of a request: the entity tags that the client expects of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The entity tags of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any document that exists.
    Any,
    /// A list: whether each tag is weak, and the tag. A tag may have bytes that are not UTF-8.
    List(Vec<(bool, Vec<u8>)>),
}

impl Preconditions {
    /// Reads `If-Match` and `If-None-Match`.
    ///
    /// # Errors
    /// A problem that names the header.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let parse = |name: &'static str| match list_bytes(headers, name) {
            None => Ok(None),
            Some(list) => parse_tags(&list)
                .map(Some)
                .ok_or_else(|| invalid_header(name, "must be * or a list of entity tags in double quotes")),
        };
        Ok(Self {
            if_match: parse(IF_MATCH)?,
            if_none_match: parse(IF_NONE_MATCH)?,
        })
    }

    /// Returns whether the request has a precondition.
    pub fn exist(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }

    /// Returns whether `If-Match` holds for the current version (`None`: the document does not exist). The comparison is strong: a
    /// weak tag never matches.
    pub fn match_holds(&self, current: Option<u64>) -> bool {
        self.match_holds_for(current.map(|version| version.to_string()).as_deref())
    }

    /// Does the same as [`Preconditions::match_holds`], for a tag without its quotes.
    pub fn match_holds_for(&self, current: Option<&str>) -> bool {
        match (&self.if_match, current) {
            (None, _) | (Some(Tags::Any), Some(_)) => true,
            (Some(_), None) => false,
            (Some(Tags::List(tags)), Some(own)) => {
                tags.iter().any(|(weak, tag)| !weak && *tag == own.as_bytes())
            }
        }
    }

    /// Returns the version that the store must find when it writes, if the preconditions hold for the `current` version (`None`: the
    /// document does not exist). Without preconditions, returns [`Expected::Any`].
    ///
    /// # Errors
    /// A 412 problem with the current entity tag.
    pub fn expected(&self, current: Option<u64>) -> Result<Expected, Problem> {
        if !self.exist() {
            return Ok(Expected::Any);
        }
        self.check(current)?;
        Ok(current.map_or(Expected::Absent, Expected::Version))
    }

    /// Checks both preconditions against the current version (`None`: the document does not exist).
    ///
    /// # Errors
    /// A 412 problem that names the header that does not hold and has the current entity tag.
    fn check(&self, there: Option<u64>) -> Result<(), Problem> {
        let tag = there.map(|version| version.to_string());
        if !self.match_holds(there) {
            Err(precondition_failed(IF_MATCH, tag.as_deref()))
        } else if !self.none_match_holds(there) {
            Err(precondition_failed(IF_NONE_MATCH, tag.as_deref()))
        } else {
            Ok(())
        }
    }

    /// Returns the 412 problem for a document that changed between the check of these preconditions and the write. `now` is the version
    /// that the write found (`None`: the document does not exist).
    pub fn overtaken(&self, now: Option<u64>) -> Problem {
        self.check(now).err().unwrap_or_else(|| {
            // `If-Match` is `*` or has tags of other versions, and holds for this version, too. Another writer was faster.
            let header = if self.if_match.is_some() {
                IF_MATCH
            } else {
                IF_NONE_MATCH
            };
            let tag = now.map(|version| version.to_string());
            precondition_failed(header, tag.as_deref())
                .with_detail("The document was changed by someone else just now; read it and try again.")
        })
    }

    /// Returns the 304 response for a reader who has the current version already; `None` when the document must be sent.
    ///
    /// # Errors
    /// A 412 problem when `If-Match` does not hold.
    pub fn unchanged(&self, version: u64) -> Result<Option<Response>, Problem> {
        if !self.match_holds(Some(version)) {
            return Err(precondition_failed(IF_MATCH, Some(&version.to_string())));
        }
        let not_modified = || {
            Response::empty(StatusCode::NOT_MODIFIED)
                .with_etag(version)
                .revalidated()
        };
        Ok((!self.none_match_holds(Some(version))).then(not_modified))
    }

    /// Returns whether `If-None-Match` holds. The comparison is weak.
    pub fn none_match_holds(&self, current: Option<u64>) -> bool {
        self.none_match_holds_for(current.map(|version| version.to_string()).as_deref())
    }

    /// Does the same as [`Preconditions::none_match_holds`], for a tag without its quotes.
    pub fn none_match_holds_for(&self, current: Option<&str>) -> bool {
        match (&self.if_none_match, current) {
            (None, _) | (_, None) => true,
            (Some(Tags::Any), Some(_)) => false,
            (Some(Tags::List(tags)), Some(own)) => tags.iter().all(|(_, tag)| *tag != own.as_bytes()),
        }
    }
}

/// Returns a 412 problem that names the header that does not hold. `current` is the current entity tag without its quotes (`None`: the
/// document does not exist).
pub fn precondition_failed(header: &'static str, current: Option<&str>) -> Problem {
    let problem = Problem::new(ProblemType::PreconditionFailed);
    match current {
        Some(tag) => problem
            .with_detail(format!(
                "{header} does not hold: the current entity tag is \"{tag}\"."
            ))
            .with_error(FieldError::header(
                header,
                format!("does not hold; the current entity tag is \"{tag}\""),
            ))
            .with_header(ETAG, &format!("\"{tag}\"")),
        None => problem
            .with_detail(format!("{header} does not hold: nothing is there."))
            .with_error(FieldError::header(header, "does not hold; nothing is there")),
    }
}

/// Parses `*`, or entity tags (`"…"`, `W/"…"`) with commas between them. Empty members of the list are ignored (RFC 9110, section
/// 5.6.1.2). Returns `None` for anything else.
fn parse_tags(list: &[u8]) -> Option<Tags> {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    loop {
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(Tags::List(tags));
        }
        let weak = rest.starts_with(b"W/");
        let quoted = rest.strip_prefix(b"W/").unwrap_or(rest).strip_prefix(b"\"")?;
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        let (tag, after) = quoted.split_at_checked(end)?;
        if tag.iter().any(|b| *b <= b' ' || *b == 0x7f) || tags.len() == MAX_TAGS {
            return None;
        }
        tags.push((weak, tag.to_vec()));
        rest = after.strip_prefix(b"\"")?.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// Parses the preconditions of a request with one header.
    fn parse_header(name: &'static str, value: impl AsRef<[u8]>) -> Result<Preconditions, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_ref()).unwrap(),
        );
        Preconditions::of(&headers)
    }

    #[test]
    fn if_match_compares_strongly() {
        let holds = |value: &str, current| parse_header(IF_MATCH, value).unwrap().match_holds(current);
        assert!(holds("\"17\"", Some(17)));
        assert!(holds("\"x\", \"17\"", Some(17)));
        assert!(holds("*", Some(17)));
        assert!(!holds("*", None));
        assert!(!holds("\"17\"", None));
        assert!(!holds("\"16\"", Some(17)));
        assert!(!holds("W/\"17\"", Some(17)));
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let holds = |value: &str, current| {
            parse_header(IF_NONE_MATCH, value)
                .unwrap()
                .none_match_holds(current)
        };
        assert!(!holds("W/\"17\"", Some(17)));
        assert!(!holds("\"a,b\" , \"17\"", Some(17)));
        assert!(!holds("*", Some(17)));
        assert!(holds("*", None));
        assert!(holds("\"16\"", Some(17)));
    }

    #[test]
    fn an_invalid_list_of_etags_is_refused() {
        for bad in ["", ",", "17", "\"17", "\"17\" \"18\"", "*, \"17\"", "w/\"17\""] {
            assert!(parse_header(IF_MATCH, bad).is_err(), "{bad}");
        }
        assert!(!Preconditions::of(&HeaderMap::new()).unwrap().exist());
    }

    #[test]
    fn a_failed_precondition_names_its_header_and_the_current_etag() {
        let overtaken = |name: &'static str, value: &str, now| {
            let problem = parse_header(name, value).unwrap().overtaken(now);
            let tag = problem.headers.iter().find(|(name, _)| *name == ETAG);
            let tag = tag.map(|(_, value)| value.to_str().unwrap().to_owned());
            (problem.errors.first().unwrap().location.clone(), tag)
        };
        let header = crate::problem::Location::Header;
        let tag = |text: &str| Some(text.to_owned());
        for (name, value) in [
            (IF_MATCH, "\"17\""),
            (IF_MATCH, "*"),
            (IF_NONE_MATCH, "*"),
            (IF_NONE_MATCH, "\"1\""),
        ] {
            assert_eq!(
                overtaken(name, value, Some(18)),
                (header(name), tag("\"18\"")),
                "{name}: {value}"
            );
        }
        assert_eq!(overtaken(IF_MATCH, "\"17\"", None), (header(IF_MATCH), None));
    }

    #[test]
    fn empty_members_of_a_list_are_ignored() {
        for list in ["\"17\",", ",\"17\"", " , ,\"x\",, \"17\" ,"] {
            assert!(
                parse_header(IF_MATCH, list).unwrap().match_holds(Some(17)),
                "{list}"
            );
        }
    }

    #[test]
    fn an_etag_of_bytes_that_are_not_text_is_compared_as_bytes() {
        let tag = b"\"\xff\"";
        assert!(!parse_header(IF_MATCH, tag).unwrap().match_holds(Some(17)));
        assert!(
            parse_header(IF_NONE_MATCH, tag)
                .unwrap()
                .none_match_holds(Some(17))
        );
        assert!(
            parse_header(IF_MATCH, b"\"\xff\", \"17\"")
                .unwrap()
                .match_holds(Some(17))
        );
        assert!(parse_header(IF_MATCH, b"\xff").is_err());
    }
}
