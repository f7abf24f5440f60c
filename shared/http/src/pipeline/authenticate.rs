//! Who asks. For now there is one credential: the operator's key.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use leaderboard_core::access::Caller;

use crate::environment::Secret;
use crate::problem::{Problem, ProblemType};

const API_KEY: &str = "x-api-key";

/// The caller. A credential that is not valid is refused; it never makes a caller anonymous.
pub(super) fn caller(headers: &HeaderMap, admin_key: &Secret) -> Result<Caller, Problem> {
    let refused = |detail: &str| Problem::new(ProblemType::Unauthenticated).with_detail(detail);
    if headers.contains_key(AUTHORIZATION) {
        // No issuer of tokens is configured, so none is valid.
        return Err(refused("Authorization is not accepted; send a key as X-API-Key."));
    }
    let mut keys = headers.get_all(API_KEY).iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(Caller::Anonymous),
        (Some(key), None) if admin_key.matches(key.as_bytes()) => Ok(Caller::Server),
        _ => Err(refused("The key is not valid.")),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Result<Caller, ProblemType> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        caller(&map, &Secret::new("key")).map_err(|problem| problem.kind)
    }

    #[test]
    fn no_credential_is_anonymous_and_a_wrong_one_is_refused() {
        let refused = Err(ProblemType::Unauthenticated);
        assert_eq!(of(&[]), Ok(Caller::Anonymous));
        assert_eq!(of(&[("x-api-key", "key")]), Ok(Caller::Server));
        assert_eq!(of(&[("x-api-key", "yek")]), refused);
        assert_eq!(of(&[("x-api-key", "")]), refused);
        assert_eq!(of(&[("x-api-key", "key"), ("x-api-key", "key")]), refused);
        assert_eq!(of(&[("authorization", "Bearer key")]), refused);
        assert_eq!(
            of(&[("authorization", "Bearer a"), ("x-api-key", "key")]),
            refused
        );
    }
}
