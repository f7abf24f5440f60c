//! The issuers that may have issued a token, from cached documents.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_identity::token::{KeySet, MAX_URL_BYTES, Verifier};

use super::index;
use super::index::IssuerAudience;
use super::issuers::{cache_group, issuer_document_name};
use super::key_sets::KeySetSource;
use crate::AuthEnvironment;
use leaderboard_api::issuer_record::{IssuerRecord, KeySource};
use leaderboard_cache::DocumentBodies;
use leaderboard_cache::documents::{DocumentLifetime, load_documents};
use leaderboard_cache::freshness::{CLOCK_MARGIN_MS, Lifetime};

/// How long a cached document is used, in milliseconds. A removed issuer is refused everywhere after half a minute, even if the
/// clocks of instances differ by as much as they may.
pub(crate) const CACHED_MS: i64 = 30_000 - CLOCK_MARGIN_MS;
/// How long a cached document is fresh, in milliseconds.
const FRESH_MS: i64 = 15_000;
const LIFETIME: DocumentLifetime = DocumentLifetime {
    lifetime: Lifetime {
        fresh_ms: FRESH_MS,
        stale_while_revalidate_ms: CACHED_MS - FRESH_MS,
        stale_if_error_ms: 24 * 60 * 60 * 1000,
    },
    notices_changes: false,
    own_documents: 1,
};
/// The most audiences of a token that are looked up.
const MAX_AUDIENCES: usize = 8;
/// The most issuers that one token is checked against.
const MAX_CANDIDATES: usize = 8;
/// The most issuers that an instance keeps.
const MAX_ISSUERS: usize = 200;

/// An issuer's document that a token may be checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CandidateIssuer {
    owner: Option<TenantId>,
    id: String,
}

/// An issuer, parsed from its document, whose tokens can be verified.
#[derive(Debug)]
pub(crate) struct LoadedIssuer {
    /// The tenant that has the document; `None` for the operator.
    pub owner: Option<TenantId>,
    /// The id of the document.
    pub id: Box<str>,
    /// The parsed document.
    pub record: IssuerRecord,
    /// The rules for the claims of the issuer's tokens.
    pub verifier: Verifier,
    /// The issuer's keys.
    pub keys: IssuerKeys,
    document: Rc<DocumentBodies>,
}

/// The source of an issuer's keys.
#[derive(Debug)]
pub(crate) enum IssuerKeys {
    /// The document contains the keys.
    InDocument(Rc<KeySet>),
    /// The issuer publishes the keys.
    Published(KeySetSource),
}

impl LoadedIssuer {
    /// Parses an issuer's document. Returns `None` for a document that cannot be used; the token is then checked against other
    /// candidates.
    fn new(candidate: &CandidateIssuer, bodies: &Rc<DocumentBodies>) -> Option<Self> {
        let document = bodies.first().and_then(Option::as_ref)?;
        let record = IssuerRecord::decode(&document.value).ok()?;
        let verifier = record.verifier(candidate.owner.as_ref()).ok()?;
        let keys = match &record.source {
            KeySource::Keys(keys) => {
                let keys = keys.iter().map(leaderboard_api::issuer_record::StaticKey::parsed);
                IssuerKeys::InDocument(Rc::new(KeySet::new(keys.collect::<Result<_, _>>().ok()?)))
            }
            _ => IssuerKeys::Published(KeySetSource::new(candidate.owner.as_ref(), &record)?),
        };
        Some(Self {
            owner: candidate.owner.clone(),
            id: candidate.id.as_str().into(),
            record,
            verifier,
            keys,
            document: Rc::clone(bodies),
        })
    }

    /// Returns the tenant of the issuer's tokens; `None` if each token names its tenant.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        let of_record = || TenantId::new(self.record.tenant.as_deref()?).ok();
        self.owner.clone().or_else(of_record)
    }
}

/// The issuers that an instance has parsed, by the cache group of their documents.
#[derive(Debug, Default)]
pub struct IssuerCache(RefCell<BTreeMap<String, Rc<LoadedIssuer>>>);

impl IssuerCache {
    /// Returns the issuer of a document. Parses each version of the document only once.
    fn parse_issuer(
        &self,
        group: &str,
        candidate: &CandidateIssuer,
        bodies: &Rc<DocumentBodies>,
    ) -> Option<Rc<LoadedIssuer>> {
        let cached = self.0.borrow().get(group).cloned();
        if let Some(cached) = cached.filter(|issuer| Rc::ptr_eq(&issuer.document, bodies)) {
            return Some(cached);
        }
        let issuer = Rc::new(LoadedIssuer::new(candidate, bodies)?);
        let mut issuers = self.0.borrow_mut();
        if issuers.len() >= MAX_ISSUERS && !issuers.contains_key(group) {
            // Every issuer can be parsed again. Removing one entry would always remove the same issuer.
            issuers.clear();
        }
        issuers.insert(group.to_owned(), Rc::clone(&issuer));
        Some(issuer)
    }
}

/// Returns the candidates for a token with these claims, in the order in which they are tried: first the operator's issuers, then
/// the issuers of the tenant that the request names, then the issuers of other tenants from the oldest to the newest.
///
/// # Errors
/// [`StoreError`] when the lists are not cached and the store does not answer.
pub(crate) async fn find_candidates<E: AuthEnvironment>(
    env: &E,
    issuer: &str,
    audiences: &[String],
    named_tenant: Option<&str>,
) -> Result<Vec<CandidateIssuer>, StoreError> {
    let mut found: Vec<CandidateIssuer> = Vec::new();
    let is_short = |text: &&String| text.len() <= MAX_URL_BYTES;
    if issuer.len() > MAX_URL_BYTES {
        return Ok(found);
    }
    for audience in audiences.iter().filter(is_short).take(MAX_AUDIENCES) {
        let claim = IssuerAudience {
            issuer: issuer.to_owned(),
            audience: audience.clone(),
        };
        let list = claim.list_name();
        let loaded = load_documents(env, &claim.cache_group(), move || vec![list.clone()], LIFETIME).await?;
        let Some(list) = loaded.bodies.first().and_then(Option::as_ref) else {
            continue;
        };
        for entry in index::decode_list(&list.value)? {
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
        Some(owner) if Some(owner.as_str()) == named_tenant => 1,
        Some(_) => 2,
    });
    found.truncate(MAX_CANDIDATES);
    Ok(found)
}

/// Returns a candidate's issuer and the time at which its document was read from the store. Returns `None`
/// when the document cannot be used for tokens of `issuer`.
///
/// # Errors
/// [`StoreError`] when the document is not cached and the store does not answer.
pub(crate) async fn load_issuer<E: AuthEnvironment>(
    env: &E,
    candidate: &CandidateIssuer,
    issuer: &str,
) -> Result<Option<(Rc<LoadedIssuer>, Timestamp)>, StoreError> {
    let owner = candidate.owner.as_ref();
    let name = issuer_document_name(owner, &candidate.id);
    let group = cache_group(owner, &candidate.id);
    let loaded = load_documents(env, &group, move || vec![name.clone()], LIFETIME).await?;
    let found = env
        .auth_state()
        .issuers
        .parse_issuer(&group, candidate, &loaded.bodies);
    // The document may have changed after it was put on the list of this issuer.
    let found = found.filter(|found| found.record.issuer == issuer);
    Ok(found.map(|found| (found, loaded.checked_at)))
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
    fn each_version_of_a_document_is_parsed_once() {
        let cache = IssuerCache::default();
        let first = bodies(1);
        let parse = |bodies: &Rc<DocumentBodies>| cache.parse_issuer("g", &candidate(), bodies).unwrap();
        let parsed = parse(&first);
        assert!(Rc::ptr_eq(&parsed, &parse(&first)));
        assert!(!Rc::ptr_eq(&parsed, &parse(&bodies(2))));
    }

    #[test]
    fn a_document_that_cannot_be_read_is_no_issuer() {
        let cache = IssuerCache::default();
        let damaged = |value: &[u8]| {
            let value = value.to_vec();
            Rc::new(vec![Some(Versioned { version: 1, value })])
        };
        assert!(cache.parse_issuer("g", &candidate(), &damaged(b"{")).is_none());
        assert!(
            cache
                .parse_issuer("g", &candidate(), &Rc::new(vec![None]))
                .is_none()
        );
    }
}
