//! `Idempotency-Key`: one id for a whole request. Each submission without an id of its own gets one made from
//! the key and its place, and carries a digest of the body, so that the key with another body is refused.

use http::HeaderMap;
use leaderboard_core::{Fingerprint, SubmissionId};
use sha2::{Digest, Sha256};

use crate::pipeline::{hex, invalid_header, one_header};
use crate::problem::Problem;
use crate::wire::submission::Item;

const NAME: &str = "Idempotency-Key";
/// The longest key, in characters.
const MAX_KEY_CHARS: usize = 255;
/// How much of a digest makes an id, in bytes.
const ID_BYTES: usize = 16;

/// Gives ids to the items that have none, when the request has a key.
pub(super) fn apply(headers: &HeaderMap, body: &[u8], items: &mut [Item]) -> Result<(), Problem> {
    let Some(text) = one_header(headers, NAME)? else {
        return Ok(());
    };
    let key = parse(text).ok_or_else(|| {
        invalid_header(
            NAME,
            &format!("must be 1 to {MAX_KEY_CHARS} printable characters in double quotes"),
        )
    })?;
    let request = digest(&[body]);
    for (at, item) in items.iter_mut().enumerate() {
        if item.submission.id.is_some() {
            continue;
        }
        let place = u64::try_from(at).unwrap_or(u64::MAX);
        let id = format!("key-{}", hex(&digest(&[key.as_bytes(), &place.to_be_bytes()])));
        item.submission.id = SubmissionId::new(id).ok();
        item.submission.request = Some(request);
        item.place.keyed = true;
    }
    Ok(())
}

/// A string of structured fields (RFC 9651): printable ASCII in double quotes, with `\"` and `\\`.
fn parse(text: &str) -> Option<String> {
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
    use crate::wire::submission::{Destination, scores};

    const BATCH: &str = r#"{"scores":[{"player":"p","score":1},{"player":"p","score":1,"id":"own"}]}"#;

    fn keyed(key: &str, body: &str) -> Result<Vec<Item>, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_str(key).unwrap());
        let board = LeaderboardId::new("b").unwrap();
        let mut items = scores(body.as_bytes(), Destination::Path(&board)).unwrap().items;
        apply(&headers, body.as_bytes(), &mut items).map(|()| items)
    }

    #[test]
    fn a_key_stands_for_the_items_without_an_id() {
        let items = keyed("\"a \\\" key\"", BATCH).unwrap();
        let id = items[0].submission.id.clone().unwrap();
        assert!(id.as_str().starts_with("key-") && id.as_str().len() == 36);
        assert!(items[0].submission.request.is_some() && items[0].place.keyed);
        assert_eq!(items[1].submission.id.as_ref().unwrap().as_str(), "own");
        assert!(items[1].submission.request.is_none() && !items[1].place.keyed);
    }

    #[test]
    fn the_id_follows_from_key_and_place_and_the_digest_from_the_body() {
        let twice = r#"{"scores":[{"player":"p","score":1},{"player":"p","score":1}]}"#;
        let first = keyed("\"k\"", twice).unwrap();
        let again = keyed("\"k\"", twice).unwrap();
        assert_eq!(first[0].submission, again[0].submission);
        assert_ne!(first[0].submission.id, first[1].submission.id);
        let other = keyed("\"k\"", BATCH).unwrap();
        assert_eq!(first[0].submission.id, other[0].submission.id);
        assert_ne!(first[0].submission.request, other[0].submission.request);
        assert_ne!(
            keyed("\"l\"", twice).unwrap()[0].submission.id,
            first[0].submission.id
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in ["k", "\"\"", "\"", "\"a\"b\"", "\"a\\b\"", "\"a\\\"", "\"a\";x=1"] {
            assert!(keyed(bad, BATCH).is_err(), "{bad}");
        }
        assert!(keyed(&format!("\"{}\"", "x".repeat(255)), BATCH).is_ok());
        assert!(keyed(&format!("\"{}\"", "x".repeat(256)), BATCH).is_err());
    }
}
