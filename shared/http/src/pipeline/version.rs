//! The version of the API: by path, by `API-Version`, or by the media type (see `media`). The path wins, and
//! a header that says otherwise is a conflict.

use http::HeaderMap;

use super::one_header;
use crate::problem::{FieldError, Problem, ProblemType};

/// The base path, without the number.
const PREFIX: &str = "/api/v";
/// The one version there is.
pub(super) const VERSION: &str = "1";

/// The path below `/api/v1`.
pub(super) fn below_version<'p>(path: &'p str, headers: &HeaderMap) -> Result<&'p str, Problem> {
    let rest = path
        .strip_prefix(PREFIX)
        .ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (number, below) = rest.split_at(end);
    if number != VERSION {
        return Err(Problem::new(if is_number(number) {
            ProblemType::UnknownVersion
        } else {
            ProblemType::NotFound
        }));
    }
    check_header(headers)?;
    Ok(below)
}

fn check_header(headers: &HeaderMap) -> Result<(), Problem> {
    const NAME: &str = "API-Version";
    match one_header(headers, NAME)? {
        None | Some(VERSION) => Ok(()),
        Some(other) if is_number(other) => Err(Problem::new(ProblemType::VersionConflict)
            .with_error(FieldError::header(NAME, "names another version than the path"))),
        Some(_) => Err(
            Problem::new(ProblemType::InvalidHeader).with_error(FieldError::header(
                NAME,
                "must be the number of a version, e.g. 1",
            )),
        ),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(path: &str, header: Option<&str>) -> Result<String, ProblemType> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("api-version", HeaderValue::from_str(header).unwrap());
        }
        below_version(path, &headers)
            .map(str::to_owned)
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn the_path_names_the_version() {
        assert_eq!(of("/api/v1/scores", None).as_deref(), Ok("/scores"));
        assert_eq!(of("/api/v1", None).as_deref(), Ok(""));
        assert_eq!(of("/api/v2/scores", None), Err(ProblemType::UnknownVersion));
        assert_eq!(of("/api/v01/scores", None), Err(ProblemType::UnknownVersion));
        assert_eq!(of("/api/vx/scores", None), Err(ProblemType::NotFound));
        assert_eq!(of("/scores", None), Err(ProblemType::NotFound));
    }

    #[test]
    fn the_header_agrees_or_is_refused() {
        assert_eq!(of("/api/v1/scores", Some("1")).as_deref(), Ok("/scores"));
        assert_eq!(of("/api/v1/scores", Some("2")), Err(ProblemType::VersionConflict));
        assert_eq!(
            of("/api/v1/scores", Some("latest")),
            Err(ProblemType::InvalidHeader)
        );
        assert_eq!(of("/api/v2/scores", Some("1")), Err(ProblemType::UnknownVersion));
    }
}
