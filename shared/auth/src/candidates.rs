//! The issuers that a token may be of, from the nearest copies that are good.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_identity::token::{KeySet, MAX_URL_BYTES, Verifier};

use super::index;
use super::index::IssuerClaim;
use super::issuers::{group, name};
use super::key_sets::KeySetSource;
use crate::AuthEnvironment;
use leaderboard_api::issuer_record::{IssuerRecord, KeySource};
use leaderboard_cache::documents::{CLOCK_MARGIN_MS, DocumentBodies, DocumentLifetime, load_documents};

/// How long a copy is good for, in milliseconds: an issuer that was removed is refused everywhere after half a minute, by
/// whatever clock.
pub(crate) const TRUSTED_MS: i64 = 30_000 - CLOCK_MARGIN_MS;
const TRUST: DocumentLifetime = DocumentLifetime {
    soft_ttl_ms: 15_000,
    hard_ttl_ms: TRUSTED_MS,
    stale_if_error_ms: 24 * 60 * 60 * 1000,
    checks_generation: false,
};
/// Audiences of a token that are looked up.
const MAX_AUDIENCES: usize = 8;
/// Documents that one token is checked by.
const MAX_TRIED: usize = 8;
/// Issuers that an instance keeps ready.
const MAX_KNOWN: usize = 200;

/// A document that may be candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CandidateIssuer {
    owner: Option<TenantId>,
    id: String,
}

/// An issuer, ready to verify tokens.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// Whose tokens it issues; `None`: the operator lets it issue for others.
    pub owner: Option<TenantId>,
    /// Its id.
    pub id: Box<str>,
    /// Its document.
    pub record: IssuerRecord,
    /// The rules for its tokens.
    pub verifier: Verifier,
    /// Where its keys are.
    pub keys: Keys,
    made_of: Rc<DocumentBodies>,
}

/// The keys of an issuer.
#[derive(Debug)]
pub(crate) enum Keys {
    /// These.
    Here(Rc<KeySet>),
    /// Published.
    At(KeySetSource),
}

impl Issuer {
    /// `None` for a document that cannot be used: it is in nobody's way.
    fn new(candidate: &CandidateIssuer, bodies: &Rc<DocumentBodies>) -> Option<Self> {
        let document = bodies.first().and_then(Option::as_ref)?;
        let record = IssuerRecord::decode(&document.value).ok()?;
        let verifier = record.verifier(candidate.owner.as_ref()).ok()?;
        let keys = match &record.source {
            KeySource::Keys(keys) => {
                let keys = keys.iter().map(leaderboard_api::issuer_record::StaticKey::parsed);
                Keys::Here(Rc::new(KeySet::new(keys.collect::<Result<_, _>>().ok()?)))
            }
            _ => Keys::At(KeySetSource::of(candidate.owner.as_ref(), &record)?),
        };
        Some(Self {
            owner: candidate.owner.clone(),
            id: candidate.id.as_str().into(),
            record,
            verifier,
            keys,
            made_of: Rc::clone(bodies),
        })
    }

    /// The tenant that its tokens are for, where they do not say it themselves.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        let fixed = || TenantId::new(self.record.tenant.as_deref()?).ok();
        self.owner.clone().or_else(fixed)
    }
}

/// Issuers that an instance has made of their documents, by the group of the copies.
#[derive(Debug, Default)]
pub struct IssuerCache(RefCell<BTreeMap<String, Rc<Issuer>>>);

impl IssuerCache {
    /// The issuer of these copies, made once.
    fn of(&self, group: &str, candidate: &CandidateIssuer, bodies: &Rc<DocumentBodies>) -> Option<Rc<Issuer>> {
        let known = self.0.borrow().get(group).cloned();
        if let Some(known) = known.filter(|known| Rc::ptr_eq(&known.made_of, bodies)) {
            return Some(known);
        }
        let made = Rc::new(Issuer::new(candidate, bodies)?);
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_KNOWN && !known.contains_key(group) {
            // All of them can be made anew, and none is the one that always goes first.
            known.clear();
        }
        known.insert(group.to_owned(), Rc::clone(&made));
        Some(made)
    }
}

/// The documents that may be candidate by what a token says, in the order in which they are asked: the operator's, those of
/// the tenant that the request names, and then who has trusted the issuer for longest.
///
/// # Errors
/// [`StoreError`] when the store had to be asked and did not answer.
pub(crate) async fn find_candidates<E: AuthEnvironment>(
    env: &E,
    issuer: &str,
    audiences: &[String],
    named: Option<&str>,
) -> Result<Vec<CandidateIssuer>, StoreError> {
    let mut found: Vec<CandidateIssuer> = Vec::new();
    let fits = |text: &&String| text.len() <= MAX_URL_BYTES;
    if issuer.len() > MAX_URL_BYTES {
        return Ok(found);
    }
    for audience in audiences.iter().filter(fits).take(MAX_AUDIENCES) {
        let claim = IssuerClaim {
            issuer: issuer.to_owned(),
            audience: audience.clone(),
        };
        let list = claim.list();
        let bodies = load_documents(env, &claim.group(), move || vec![list.clone()], TRUST).await?;
        let Some(list) = bodies.first().and_then(Option::as_ref) else {
            continue;
        };
        for entry in index::decode(&list.value)? {
            let owner = entry.tenant.map(TenantId::new).transpose();
            let owner = owner.map_err(|_| StoreError::Corrupt("a list of issuers".to_owned()))?;
            let candidate = CandidateIssuer { owner, id: entry.id };
            if !found.contains(&candidate) {
                found.push(candidate);
            }
        }
    }
    found.sort_by_key(|candidate| match &candidate.owner {
        None => 0,
        Some(owner) if Some(owner.as_str()) == named => 1,
        Some(_) => 2,
    });
    found.truncate(MAX_TRIED);
    Ok(found)
}

/// The issuer of a document, and when the store was asked for it, where that is known. `None`: there is none that can be
/// used for tokens of this `issuer`.
///
/// # Errors
/// [`StoreError`] when the store had to be asked and did not answer.
pub(crate) async fn load_issuer<E: AuthEnvironment>(
    env: &E,
    candidate: &CandidateIssuer,
    issuer: &str,
) -> Result<Option<(Rc<Issuer>, Option<Timestamp>)>, StoreError> {
    let owner = candidate.owner.as_ref();
    let (name, group) = (name(owner, &candidate.id), group(owner, &candidate.id));
    let bodies = load_documents(env, &group, move || vec![name.clone()], TRUST).await?;
    let checked_at = env.cache_state().documents.find_checked_at(&group, &bodies);
    let found = env.auth_state().issuers.of(&group, candidate, &bodies);
    // The list is only a way to the document, which may have changed since.
    let found = found.filter(|found| found.record.issuer == issuer);
    Ok(found.map(|found| (found, checked_at)))
}

#[cfg(test)]
mod tests {
    use leaderboard_core::Versioned;

    use super::*;
    use leaderboard_api::issuer_record::StaticKey;

    fn bodies(version: u64) -> Rc<DocumentBodies> {
        let key = StaticKey::Secret(None, "x".repeat(32));
        let audiences = vec!["a".to_owned()];
        let record = IssuerRecord::new("i".to_owned(), audiences, KeySource::Keys(vec![key]));
        let value = serde_json::to_vec(&record).unwrap();
        Rc::new(vec![Some(Versioned { version, value })])
    }

    fn candidate() -> CandidateIssuer {
        CandidateIssuer {
            owner: TenantId::new("acme").ok(),
            id: "main".to_owned(),
        }
    }

    #[test]
    fn keys_are_parsed_once_for_a_copy_of_their_document() {
        let known = IssuerCache::default();
        let first = bodies(1);
        let of = |bodies: &Rc<DocumentBodies>| known.of("g", &candidate(), bodies).unwrap();
        let made = of(&first);
        assert!(Rc::ptr_eq(&made, &of(&first)));
        assert!(!Rc::ptr_eq(&made, &of(&bodies(2))));
    }

    #[test]
    fn a_document_that_cannot_be_read_is_no_issuer() {
        let known = IssuerCache::default();
        let damaged = |value: &[u8]| {
            let value = value.to_vec();
            Rc::new(vec![Some(Versioned { version: 1, value })])
        };
        assert!(known.of("g", &candidate(), &damaged(b"{")).is_none());
        assert!(known.of("g", &candidate(), &Rc::new(vec![None])).is_none());
    }
}
