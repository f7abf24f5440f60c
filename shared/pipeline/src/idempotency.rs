//! `Idempotency-Key`: one key for a whole request. Each submission without an id gets an id made from the caller, the key and the
//! submission's position, and a digest of the body. So the same key with another body is refused.

use http::HeaderMap;
use leaderboard_core::{Fingerprint, SubmissionId};
use leaderboard_identity::hex::encode as hex;
use sha2::{Digest, Sha256};

use crate::PipelineEnvironment;
use crate::endpoint::Context;
use leaderboard_api::{Credential, Identity};

use crate::route::{RouteHead, Verb};
use leaderboard_api::Problem;
use leaderboard_api::headers::{invalid_header, one_header};
use leaderboard_api::wire::submission::Item;

/// The name of the header.
pub const NAME: &str = "Idempotency-Key";
/// The longest key, in characters.
const MAX_KEY_CHARS: usize = 255;
/// The number of bytes of a digest that an id contains.
const ID_BYTES: usize = 16;

/// A request with an idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct KeyedRequest {
    /// A digest of the purpose of the request, its caller and its key.
    pub name: Fingerprint,
    /// A digest of the request's body.
    pub body: Fingerprint,
}

impl KeyedRequest {
    /// Returns the request if it has an idempotency key. `purpose` separates the keys of different kinds of requests.
    pub fn of<E: PipelineEnvironment>(
        context: &Context<'_, E>,
        purpose: &str,
    ) -> Result<Option<Self>, Problem> {
        let Some(key) = read(context.headers)? else {
            return Ok(None);
        };
        let mut name = Vec::new();
        for part in [
            purpose.as_bytes(),
            context.tenant.as_bytes(),
            &caller(context.identity),
        ] {
            add_part(&mut name, part);
        }
        Ok(Some(Self {
            name: digest(&[&name, key.as_bytes()]),
            body: digest(&[context.body]),
        }))
    }
}

/// Refuses an idempotency key on a route that ignores it: the client would believe that a retry is safe. A read may have a key
/// and ignores it, because a retry of a read is always safe.
pub fn check_header(route: &RouteHead, headers: &HeaderMap) -> Result<(), Problem> {
    if route.takes_idempotency_key || route.verb == Verb::Get || !headers.contains_key(NAME) {
        return Ok(());
    }
    let detail = "does nothing on this route; leave it out";
    Err(invalid_header(NAME, detail))
}

/// Returns the idempotency key of a request.
fn read(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(text) = one_header(headers, NAME)? else {
        return Ok(None);
    };
    parse(text).map(Some).ok_or_else(|| {
        invalid_header(
            NAME,
            &format!("must be 1 to {MAX_KEY_CHARS} printable characters in double quotes"),
        )
    })
}

/// Gives an id to each item without an id, if the request has an idempotency key.
pub fn apply_idempotency_key(
    headers: &HeaderMap,
    identity: &Identity,
    body: &[u8],
    items: &mut [Item],
) -> Result<(), Problem> {
    if let Some(seed) = read_id_seed(headers, identity)? {
        apply_id_seed(&seed, body, items);
    }
    Ok(())
}

/// Returns the bytes that the ids of a request's submissions depend on: its caller and its idempotency key. `None` without a key.
pub fn read_id_seed(headers: &HeaderMap, identity: &Identity) -> Result<Option<Vec<u8>>, Problem> {
    let key = read(headers)?;
    Ok(key.map(|key| [caller(identity), key.into_bytes()].concat()))
}

/// Gives an id to each item without an id, from the seed of [`read_id_seed`], its position, and a digest of the body.
pub fn apply_id_seed(seed: &[u8], body: &[u8], items: &mut [Item]) {
    let request = digest(&[body]);
    for (at, item) in items.iter_mut().enumerate() {
        if item.submission.id.is_some() {
            continue;
        }
        let place = u64::try_from(at).unwrap_or(u64::MAX);
        let id = format!("key-{}", hex(&digest(&[seed, &place.to_be_bytes()])));
        item.submission.id = SubmissionId::new(id).ok();
        item.submission.request = Some(request);
        item.place.keyed = true;
    }
}

/// Returns bytes that differ between callers of one tenant, so that two callers can use the same key. The bytes are empty for the
/// operator and for a player, whose ids differ anyway. Each part follows its length, so the bytes begin with zero, and no key
/// does.
fn caller(identity: &Identity) -> Vec<u8> {
    let parts: &[&str] = match &identity.credential {
        Credential::None | Credential::Operator => &[],
        Credential::Token { .. } if identity.player.is_some() => &[],
        Credential::Key(id) => &["key", id],
        Credential::Token { issuer, subject } => &["token", issuer, subject],
    };
    let mut caller = Vec::new();
    for part in parts {
        add_part(&mut caller, part.as_bytes());
    }
    caller
}

/// Adds a part after its length, so that different parts never give the same bytes.
fn add_part(to: &mut Vec<u8>, part: &[u8]) {
    to.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    to.extend(part);
}

/// Parses a string of structured fields (RFC 9651): printable ASCII in double quotes, with `\"` and `\\`. Also accepts a text
/// without quotes if it contains no special character, because many clients send that.
fn parse(text: &str) -> Option<String> {
    if !text.starts_with('"') {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\,;".contains(&byte));
        return (plain && (1..=MAX_KEY_CHARS).contains(&text.len())).then(|| text.to_owned());
    }
    let mut characters = text.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut key = String::new();
    while let Some(character) = characters.next() {
        key.push(match character {
            '\\' => characters
                .next()
                .filter(|escaped| matches!(escaped, '"' | '\\'))?,
            '"' => return None,
            ' '..='~' => character,
            _ => return None,
        });
    }
    (1..=MAX_KEY_CHARS).contains(&key.len()).then_some(key)
}

fn digest(parts: &[&[u8]]) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk::<ID_BYTES>().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use leaderboard_core::LeaderboardId;

    use super::*;
    use leaderboard_api::wire::submission::{Sender, SubmissionTarget, scores};

    /// Two submissions, of which the second has an id.
    const BATCH: &str = r#"{"scores":[{"player":"p","score":1},{"player":"p","score":1,"id":"own"}]}"#;

    /// Applies an idempotency key of the operator to the submissions of `body`.
    fn apply_key(key: &str, body: &str) -> Result<Vec<Item>, Problem> {
        apply_key_of(&Identity::operator(), key, body)
    }

    fn apply_key_of(identity: &Identity, key: &str, body: &str) -> Result<Vec<Item>, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_str(key).unwrap());
        let board = LeaderboardId::new("b").unwrap();
        let mut items = scores(body.as_bytes(), SubmissionTarget::Path(&board), Sender::Server)
            .unwrap()
            .items;
        apply_idempotency_key(&headers, identity, body.as_bytes(), &mut items).map(|()| items)
    }

    #[test]
    fn a_key_gives_ids_to_the_items_without_an_id() {
        let items = apply_key("\"a \\\" key\"", BATCH).unwrap();
        let id = items[0].submission.id.clone().unwrap();
        assert!(id.as_str().starts_with("key-") && id.as_str().len() == 36);
        assert!(items[0].submission.request.is_some() && items[0].place.keyed);
        assert_eq!(items[1].submission.id.as_ref().unwrap().as_str(), "own");
        assert!(items[1].submission.request.is_none() && !items[1].place.keyed);
    }

    #[test]
    fn the_id_depends_on_key_and_position_and_the_digest_on_the_body() {
        let twice = r#"{"scores":[{"player":"p","score":1},{"player":"p","score":1}]}"#;
        let first = apply_key("\"k\"", twice).unwrap();
        let again = apply_key("\"k\"", twice).unwrap();
        assert_eq!(first[0].submission, again[0].submission);
        assert_ne!(first[0].submission.id, first[1].submission.id);
        let other = apply_key("\"k\"", BATCH).unwrap();
        assert_eq!(first[0].submission.id, other[0].submission.id);
        assert_ne!(first[0].submission.request, other[0].submission.request);
        assert_ne!(
            apply_key("\"l\"", twice).unwrap()[0].submission.id,
            first[0].submission.id
        );
    }

    #[test]
    fn the_same_key_of_another_caller_gives_another_id() {
        let by = |credential| Identity {
            credential,
            ..Identity::operator()
        };
        let token = |issuer: &str, subject: &str| {
            by(Credential::Token {
                issuer: issuer.into(),
                subject: subject.into(),
            })
        };
        let callers = [
            Identity::operator(),
            by(Credential::Key("0123456789abcdef".into())),
            by(Credential::Key("0123456789abcde0".into())),
            token("a", "bc"),
            token("ab", "c"),
        ];
        let ids: Vec<_> = callers
            .iter()
            .map(|caller| {
                apply_key_of(caller, "\"k\"", BATCH).unwrap()[0]
                    .submission
                    .id
                    .clone()
            })
            .collect();
        for (at, id) in ids.iter().enumerate() {
            assert!(id.is_some() && !ids[..at].contains(id), "{:?}", callers[at]);
        }
    }

    #[test]
    fn a_malformed_key_is_refused() {
        for bad in [
            "k k",
            "k;x=1",
            "k\"",
            "a,b",
            "\"\"",
            "\"",
            "\"a\"b\"",
            "\"a\\b\"",
            "\"a\\\"",
            "\"a\";x=1",
        ] {
            assert!(apply_key(bad, BATCH).is_err(), "{bad}");
        }
        let quoted = apply_key("\"abc\"", BATCH).unwrap();
        assert_eq!(
            apply_key("abc", BATCH).unwrap()[0].submission.id,
            quoted[0].submission.id
        );
        assert!(apply_key(&format!("\"{}\"", "x".repeat(255)), BATCH).is_ok());
        assert!(apply_key(&format!("\"{}\"", "x".repeat(256)), BATCH).is_err());
    }
}
