//! The API version that a request asks for: in the path, in `API-Version`, or in the media type. The path has precedence over the
//! header, and the header over the media type. A header that contradicts the path is an error.

use http::HeaderMap;

use crate::PipelineEnvironment;
use crate::route::Base;
use leaderboard_api::headers::{invalid_header, one_header};
use leaderboard_api::{ApiVersion, FieldError, Problem, ProblemType, media};
use leaderboard_tenant_config::{FlagTarget, TenantConfig, TenantFlags, V2_DEFAULT};

/// The beginning of the paths of all versions.
const API: &str = "/api/";
const HEADER: &str = "API-Version";

/// The version that the path and the headers ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RequestedVersion<'p> {
    /// Where the path begins.
    pub base: Base,
    /// The path below the base.
    pub below: &'p str,
    /// The version; `None` if the request does not name a version.
    pub version: Option<ApiVersion>,
    /// Whether the path names the version.
    pub in_path: bool,
}

impl<'p> RequestedVersion<'p> {
    /// Returns the result for a path outside `/api/`, which has no version.
    pub(crate) const fn unversioned(path: &'p str) -> Self {
        Self {
            base: Base::Root,
            below: path,
            version: None,
            in_path: false,
        }
    }
}

/// Returns whether a path exists in every version of the API.
pub(crate) fn is_of_the_api(path: &str) -> bool {
    path.starts_with(API)
}

/// Reads the version of a request. Only a path below `/api/` can have a version.
pub(crate) fn read_requested<'p>(
    path: &'p str,
    headers: &HeaderMap,
) -> Result<RequestedVersion<'p>, Problem> {
    let Some(rest) = path.strip_prefix(API) else {
        return Ok(RequestedVersion::unversioned(path));
    };
    let (first, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let named = match first.strip_prefix('v').filter(|number| is_number(number)) {
        None => None,
        Some(number) => {
            Some(ApiVersion::of_number(number).ok_or_else(|| Problem::new(ProblemType::UnknownVersion))?)
        }
    };
    let by_header = by_header(headers, named)?;
    Ok(RequestedVersion {
        base: Base::Api,
        // Without a version the slash before the first segment belongs to the path.
        below: match named {
            Some(_) => below,
            None => path.get(API.len() - 1..).unwrap_or(""),
        },
        version: named.or(by_header).or_else(|| media::version(headers)),
        in_path: named.is_some(),
    })
}

/// Returns the version in the header. If the path also names a version, the two must be equal.
fn by_header(headers: &HeaderMap, by_path: Option<ApiVersion>) -> Result<Option<ApiVersion>, Problem> {
    let Some(number) = one_header(headers, HEADER)? else {
        return Ok(None);
    };
    if !is_number(number) {
        return Err(invalid_header(HEADER, "must be the number of a version, e.g. 1"));
    }
    match (by_path, ApiVersion::of_number(number)) {
        (Some(path), header) if header != Some(path) => Err(Problem::new(ProblemType::VersionConflict)
            .with_error(FieldError::header(HEADER, "names another version than the path"))),
        (_, None) => Err(invalid_header(HEADER, "names a version that does not exist")),
        (_, header) => Ok(header),
    }
}

/// Returns the version for a request that does not name one: version 2 if the tenant's flag says so, otherwise version 1.
pub(crate) fn default_version<E: PipelineEnvironment>(
    env: &E,
    tenant_config: &TenantConfig,
    subject: &FlagTarget<'_>,
) -> ApiVersion {
    if TenantFlags::load(env, subject.tenant, tenant_config).is_on(V2_DEFAULT, subject, env.now()) {
        ApiVersion::V2
    } else {
        ApiVersion::V1
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const V1: Option<ApiVersion> = Some(ApiVersion::V1);
    const V2: Option<ApiVersion> = Some(ApiVersion::V2);

    /// Returns the version and the path below the base of a request.
    fn read_version<'p>(
        path: &'p str,
        sent: &[(&'static str, &str)],
    ) -> Result<(Option<ApiVersion>, &'p str), ProblemType> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        read_requested(path, &headers)
            .map(|requested| (requested.version, requested.below))
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn the_path_names_the_version() {
        assert_eq!(read_version("/api/v1/scores", &[]), Ok((V1, "/scores")));
        assert_eq!(read_version("/api/v2/scores", &[]), Ok((V2, "/scores")));
        assert_eq!(read_version("/api/v1", &[]), Ok((V1, "")));
        assert_eq!(read_version("/api/scores", &[]), Ok((None, "/scores")));
        assert_eq!(read_version("/api/", &[]), Ok((None, "/")));
        for unknown in ["/api/v3/scores", "/api/v01/scores", "/api/v0"] {
            assert_eq!(
                read_version(unknown, &[]),
                Err(ProblemType::UnknownVersion),
                "{unknown}"
            );
        }
        assert_eq!(read_version("/api/vx/scores", &[]), Ok((None, "/vx/scores")));
    }

    #[test]
    fn a_path_outside_of_the_api_has_no_version() {
        let headers = HeaderMap::new();
        for path in ["/openapi.json", "/api", "/apis/v1"] {
            let requested = read_requested(path, &headers).unwrap();
            assert_eq!(
                (requested.base, requested.below, requested.version),
                (Base::Root, path, None)
            );
        }
    }

    #[test]
    fn a_header_that_contradicts_the_path_is_refused() {
        let header = |value| [("api-version", value)];
        assert_eq!(read_version("/api/v1/scores", &header("1")), Ok((V1, "/scores")));
        assert_eq!(
            read_version("/api/v1/scores", &header("2")),
            Err(ProblemType::VersionConflict)
        );
        assert_eq!(
            read_version("/api/v2/scores", &header("1")),
            Err(ProblemType::VersionConflict)
        );
        assert_eq!(
            read_version("/api/v2/scores", &header("9")),
            Err(ProblemType::VersionConflict)
        );
        assert_eq!(
            read_version("/api/v1/scores", &header("latest")),
            Err(ProblemType::InvalidHeader)
        );
        assert_eq!(
            read_version("/api/v3/scores", &header("1")),
            Err(ProblemType::UnknownVersion)
        );
    }

    #[test]
    fn without_a_version_in_the_path_the_header_overrides_the_media_type() {
        let v2 = ("accept", "application/vnd.edgeboard.v2+json");
        assert_eq!(
            read_version("/api/scores", &[("api-version", "2")]),
            Ok((V2, "/scores"))
        );
        assert_eq!(read_version("/api/scores", &[v2]), Ok((V2, "/scores")));
        assert_eq!(
            read_version("/api/scores", &[v2, ("api-version", "1")]),
            Ok((V1, "/scores"))
        );
        assert_eq!(read_version("/api/v1/scores", &[v2]), Ok((V1, "/scores")));
        assert_eq!(
            read_version("/api/scores", &[("api-version", "3")]),
            Err(ProblemType::InvalidHeader)
        );
        let twice = [("api-version", "1"), ("api-version", "1")];
        assert_eq!(
            read_version("/api/scores", &twice),
            Err(ProblemType::InvalidHeader)
        );
    }
}
