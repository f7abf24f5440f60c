//! Who asks. For now there is one credential: the operator's key.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::environment::{Environment, Secret};
use crate::identity::Identity;
use crate::problem::{Problem, ProblemType};

const API_KEY: &str = "x-api-key";

/// Who asks. A credential that is not valid is refused; it never makes a caller anonymous.
pub(super) async fn identity<E: Environment>(env: &E, headers: &HeaderMap) -> Result<Identity, Problem> {
    by_operator_key(headers, &env.settings().admin_key)
}

fn by_operator_key(headers: &HeaderMap, admin_key: &Secret) -> Result<Identity, Problem> {
    let refused = |detail: &str| Problem::new(ProblemType::Unauthenticated).with_detail(detail);
    if headers.contains_key(AUTHORIZATION) {
        // No issuer of tokens is configured, so none is valid.
        return Err(refused("Authorization is not accepted; send a key as X-API-Key."));
    }
    let mut keys = headers.get_all(API_KEY).iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(Identity::anonymous()),
        (Some(key), None) if admin_key.matches(key.as_bytes()) => Ok(Identity::operator()),
        _ => Err(refused("The key is not valid.")),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Result<Identity, ProblemType> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        by_operator_key(&map, &Secret::new("key")).map_err(|problem| problem.kind)
    }

    #[test]
    fn no_credential_is_anonymous_and_a_wrong_one_is_refused() {
        let refused = Err(ProblemType::Unauthenticated);
        assert_eq!(of(&[]), Ok(Identity::anonymous()));
        assert_eq!(of(&[("x-api-key", "key")]), Ok(Identity::operator()));
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
