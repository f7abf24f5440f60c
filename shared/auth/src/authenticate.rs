//! Finds the caller of a request: the operator by its key, a server by its API key, the subject of a token, or an anonymous
//! caller.

use std::net::IpAddr;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use leaderboard_identity::api_key::{ApiKey, KEY_PREFIX, KeyRefusal};

use crate::{AuthEnvironment, keys, tokens};
use leaderboard_api::{Credential, FieldError, Identity, Permission, Problem, ProblemType};

use leaderboard_api::headers::TENANT;

const API_KEY: &str = "x-api-key";
const BEARER: &str = "bearer";

/// The credential in a request's headers.
#[derive(Debug, PartialEq, Eq)]
enum PresentedCredential<'h> {
    Nothing,
    Key(&'h [u8]),
    Token(&'h str),
}

/// Returns whether the request has the operator's key.
///
/// This check comes before every other check that can refuse a request, except the limit on refused credentials, which also
/// applies to guesses at this key.
pub fn is_operator<E: AuthEnvironment>(env: &E, headers: &HeaderMap) -> bool {
    match presented_credential(headers) {
        Ok(PresentedCredential::Key(key)) => env.auth_settings().admin_key.matches(key),
        _ => false,
    }
}

/// Returns the identity of a caller who is not the operator. While the store is out of reach, a cached API key works only if
/// `permission` is for reads.
///
/// # Errors
/// 401 for an invalid credential: such a caller is not treated as anonymous. 403 for an address that the credential does not
/// allow. 503 when the credential cannot be checked.
pub async fn identify_caller<E: AuthEnvironment>(
    env: &E,
    headers: &HeaderMap,
    client: Option<IpAddr>,
    permission: Permission,
) -> Result<Identity, Problem> {
    match presented_credential(headers)? {
        PresentedCredential::Nothing => Ok(Identity::anonymous()),
        PresentedCredential::Token(token) => {
            let named_tenant = headers.get(TENANT).and_then(|name| name.to_str().ok());
            tokens::identify_token(env, token, named_tenant.map(str::trim), client, permission).await
        }
        PresentedCredential::Key(key) => identify_key(env, key, client, permission).await,
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(ProblemType::Unauthenticated).with_detail(detail)
}

fn presented_credential(headers: &HeaderMap) -> Result<PresentedCredential<'_>, Problem> {
    let once = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(unauthenticated("More than one credential was sent.")),
        }
    };
    match (once(AUTHORIZATION.as_str())?, once(API_KEY)?) {
        (None, None) => Ok(PresentedCredential::Nothing),
        (None, Some(key)) => Ok(PresentedCredential::Key(key.as_bytes())),
        (Some(authorization), None) => bearer_token(authorization).map(PresentedCredential::Token),
        // RFC 6750, section 2: a request with more than one method is invalid.
        (Some(_), Some(_)) => Err(Problem::new(ProblemType::InvalidHeader)
            .with_error(FieldError::header(
                "X-API-Key",
                "comes with Authorization; send one credential",
            ))
            .with_refused(None, None)),
    }
}

fn bearer_token(authorization: &HeaderValue) -> Result<&str, Problem> {
    let other = || unauthenticated("Authorization takes the scheme Bearer.");
    let text = authorization.to_str().map_err(|_| other())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(other)?;
    if scheme.eq_ignore_ascii_case(BEARER) {
        Ok(token.trim())
    } else {
        Err(other())
    }
}

async fn identify_key<E: AuthEnvironment>(
    env: &E,
    key: &[u8],
    client: Option<IpAddr>,
    permission: Permission,
) -> Result<Identity, Problem> {
    let unknown = || unauthenticated("The key is not valid.");
    let text = std::str::from_utf8(key).map_err(|_| unknown())?;
    let key = ApiKey::parse(text).map_err(|_| {
        let has_key_prefix = text
            .strip_prefix(KEY_PREFIX)
            .is_some_and(|rest| rest.starts_with('_'));
        if has_key_prefix {
            unauthenticated("The key is mistyped or cut off.")
        } else {
            unknown()
        }
    })?;
    let record = keys::load_key_record(env, key.tenant(), key.id(), permission)
        .await?
        .ok_or_else(unknown)?;
    if let Err(refusal) = record.check(&key.digest(), client, env.now()) {
        let kind = match refusal {
            KeyRefusal::Address => ProblemType::Forbidden,
            _ => ProblemType::Unauthenticated,
        };
        return Err(Problem::new(kind)
            .with_detail(to_sentence(&refusal.to_string()))
            .with_refused(
                Some(record.tenant),
                Some(Credential::Key(key.id().to_string().into())),
            ));
    }
    Ok(Identity {
        credential: Credential::Key(key.id().to_string().into()),
        tenant: Some(record.tenant),
        scopes: record.scopes,
        player: None,
        expires_at: None,
    })
}

/// Returns the text with a capital letter and a full stop.
fn to_sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_headers(headers: &[(&'static str, &'static str)]) -> Result<String, ProblemType> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        presented_credential(&map)
            .map(|presented| format!("{presented:?}"))
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn a_request_presents_one_credential_or_none() {
        let refused = Err(ProblemType::Unauthenticated);
        assert_eq!(check_headers(&[]).as_deref(), Ok("Nothing"));
        assert_eq!(check_headers(&[("x-api-key", "k")]).as_deref(), Ok("Key([107])"));
        assert_eq!(
            check_headers(&[("authorization", "Bearer a.b.c")]).as_deref(),
            Ok(r#"Token("a.b.c")"#)
        );
        assert_eq!(
            check_headers(&[("authorization", "bearer  a")]).as_deref(),
            Ok(r#"Token("a")"#)
        );
        for bad in ["Basic YTpi", "Bearer", "", "a.b.c", "Bearera b"] {
            assert_eq!(check_headers(&[("authorization", bad)]), refused, "{bad}");
        }
        assert_eq!(check_headers(&[("x-api-key", "k"), ("x-api-key", "k")]), refused);
        assert_eq!(
            check_headers(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]),
            refused
        );
        assert_eq!(
            check_headers(&[("authorization", "Bearer a"), ("x-api-key", "k")]),
            Err(ProblemType::InvalidHeader)
        );
    }

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(to_sentence("the key has expired"), "The key has expired.");
    }
}
