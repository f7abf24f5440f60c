//! Reads and changes the documents of issuers, for administrators.

use leaderboard_api::issuer_record::KeySetProbe;
use std::collections::BTreeSet;

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{StoreError, TenantId, Versioned};

use super::index::IssuerAudience;
use super::key_sets::KeySetSource;
use super::{index, key_sets};
use crate::AuthEnvironment;
use leaderboard_api::issuer_record::IssuerRecord;
use leaderboard_api::{Preconditions, Problem, ProblemType};
use leaderboard_cache::documents::invalidate_documents;

/// The most issuers' documents of one tenant.
const MAX_ISSUERS: u32 = 64;
/// The most issuers' documents of the operator.
const MAX_ISSUERS_OF_OPERATOR: u32 = 256;
/// How often a change is tried again because another request changed the document first.
const MAX_TRIES: u32 = 4;

/// Returns the name of an issuer's document.
pub(crate) fn issuer_document_name(owner: Option<&TenantId>, id: &str) -> DocumentName {
    DocumentName {
        tenant: owner.cloned(),
        kind: DocumentKind::Issuer,
        id: id.into(),
    }
}

/// Returns the cache group of an issuer's document.
pub(crate) fn cache_group(owner: Option<&TenantId>, id: &str) -> String {
    // The dot stands for the operator: no tenant's id starts with it.
    format!("issuer:{}:{id}", owner.map_or(".", TenantId::as_str))
}

/// Reads an issuer's document from the store.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Corrupt`] for a damaged document.
pub async fn read_issuer<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<Option<Versioned<IssuerRecord>>, StoreError> {
    let name = issuer_document_name(owner, id);
    let document = env.store().read_document(&name).await?;
    document
        .map(|document| document.try_map(|record| IssuerRecord::decode(&record)))
        .transpose()
}

/// The stored document before a change. A damaged document has no `record`; it can be replaced and deleted.
struct StoredIssuer {
    version: u64,
    record: Option<IssuerRecord>,
}

impl StoredIssuer {
    async fn read<E: AuthEnvironment>(
        env: &E,
        owner: Option<&TenantId>,
        id: &str,
    ) -> Result<Option<Self>, StoreError> {
        let document = env
            .store()
            .read_document(&issuer_document_name(owner, id))
            .await?;
        Ok(document.map(|document| Self {
            version: document.version,
            record: IssuerRecord::decode(&document.value).ok(),
        }))
    }

    fn claims(&self) -> BTreeSet<IssuerAudience> {
        self.record.as_ref().map(index::claims_of).unwrap_or_default()
    }
}

/// Checks the preconditions for the document that was read. Returns the version that the store must find when it writes, so
/// that a newer document is not overwritten.
///
/// # Errors
/// `precondition-failed`.
fn check_preconditions(
    preconditions: &Preconditions,
    before: Option<&StoredIssuer>,
) -> Result<Expected, Problem> {
    let version = before.map(|before| before.version);
    preconditions.expected(version)?;
    Ok(version.map_or(Expected::Absent, Expected::Version))
}

/// Creates or replaces a document. Returns its version, and whether it is new.
///
/// # Errors
/// `issuer-taken` when another document of the same owner claims the same issuer and audience; `quota-reached`;
/// `precondition-failed` when the stored document does not meet the preconditions.
pub async fn put_issuer<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    record: &IssuerRecord,
    preconditions: &Preconditions,
) -> Result<(u64, bool), Problem> {
    check_other_issuers(env, owner, id, record).await?;
    let body = serde_json::to_vec(record)
        .map_err(|error| Problem::internal(format!("an issuer's document: {error}")))?;
    for _ in 0..MAX_TRIES {
        let before = StoredIssuer::read(env, owner, id).await?;
        let expected = check_preconditions(preconditions, before.as_ref())?;
        let (old, new) = (
            before.as_ref().map(StoredIssuer::claims).unwrap_or_default(),
            index::claims_of(record),
        );
        let put = async || {
            for claim in old.difference(&new) {
                index::remove_from_list(env, claim, owner, id).await?;
            }
            for claim in &new {
                index::add_to_list(env, claim, owner, id).await?;
            }
            let put = env
                .store()
                .put_document(&issuer_document_name(owner, id), &body, expected)
                .await?;
            Ok::<_, Problem>(put.ok())
        };
        let outcome = put().await;
        synchronise(env, owner, id, &old.union(&new).cloned().collect()).await;
        if let Some(stored) = outcome? {
            drop_key_set(env, owner, before.and_then(|before| before.record), Some(record)).await;
            return Ok(stored);
        }
        // Another request changed the document first. The next round checks the preconditions again.
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// Deletes a document. Returns whether it existed.
///
/// # Errors
/// `precondition-failed` when the stored document does not meet the preconditions.
pub async fn delete_issuer<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    preconditions: &Preconditions,
) -> Result<bool, Problem> {
    for _ in 0..MAX_TRIES {
        let Some(before) = StoredIssuer::read(env, owner, id).await? else {
            return Ok(false);
        };
        let expected = check_preconditions(preconditions, Some(&before))?;
        let claims = before.claims();
        // The lists come first: after the document is deleted, its claims, and so its lists, are not known any more.
        let delete = async || {
            for claim in &claims {
                index::remove_from_list(env, claim, owner, id).await?;
            }
            let deleted = env
                .store()
                .delete_document(&issuer_document_name(owner, id), expected)
                .await?;
            Ok::<_, Problem>(deleted.ok())
        };
        let outcome = delete().await;
        synchronise(env, owner, id, &claims).await;
        if let Some(deleted) = outcome? {
            drop_key_set(env, owner, before.record, None).await;
            return Ok(deleted);
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// Checks that no other document of the owner claims the same tokens, and that the owner does not have too many documents.
/// Different owners may claim the same tokens.
///
/// # Errors
/// `issuer-taken` and `quota-reached`.
async fn check_other_issuers<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    record: &IssuerRecord,
) -> Result<(), Problem> {
    let most = if owner.is_some() {
        MAX_ISSUERS
    } else {
        MAX_ISSUERS_OF_OPERATOR
    };
    let mut others = list_documents(env, owner, None, most.saturating_add(1)).await?;
    others.retain(|(other, _)| &**other != id);
    if others.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
        let detail = format!("There are {most} issuers, which is as many as there may be.");
        return Err(Problem::new(ProblemType::QuotaReached).with_detail(detail));
    }
    let claims = index::claims_of(record);
    let claims_same = |document: &Versioned<Vec<u8>>| {
        IssuerRecord::decode(&document.value)
            .is_ok_and(|other| !index::claims_of(&other).is_disjoint(&claims))
    };
    if others.iter().any(|(_, document)| claims_same(document)) {
        return Err(Problem::new(ProblemType::IssuerTaken));
    }
    Ok(())
}

/// Updates the lists and caches from the stored document, whether the change succeeded or failed. If the update fails, the next
/// change of the document repairs the lists and caches.
async fn synchronise<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    claims: &BTreeSet<IssuerAudience>,
) {
    for claim in claims {
        let version = async || {
            let stored = StoredIssuer::read(env, owner, id).await?;
            let claiming = stored.filter(|stored| stored.claims().contains(claim));
            Ok(claiming.map(|stored| stored.version))
        };
        let _ = index::update_list_entry(env, claim, owner, id, version).await;
    }
    invalidate_documents(env, &cache_group(owner, id)).await;
    for claim in claims {
        invalidate_documents(env, &claim.cache_group()).await;
    }
    env.auth_state().tokens.clear();
}

/// Drops the cached key set of a document that is deleted or has another source of keys. If another document of the owner has
/// the same source, the set is fetched again.
async fn drop_key_set<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    before: Option<IssuerRecord>,
    after: Option<&IssuerRecord>,
) {
    let source = |record: &IssuerRecord| KeySetSource::new(owner, record);
    let after = after.and_then(source);
    if let Some(before) = before.as_ref().and_then(source)
        && after.is_none_or(|after| after != before)
    {
        key_sets::drop_set(env, &before).await;
    }
}

/// Fetches the keys of a document to see whether they can be used. Returns `None` when the document contains its keys.
pub async fn probe_key_set<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    record: &IssuerRecord,
) -> Option<KeySetProbe> {
    let source = KeySetSource::new(owner, record)?;
    Some(key_sets::probe_set(env, &source).await)
}

/// Returns a page of an owner's documents, in order of their ids.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Corrupt`] for a damaged document.
pub async fn list_issuers<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<(Box<str>, IssuerRecord)>, StoreError> {
    let found = list_documents(env, owner, after, limit).await?;
    found
        .into_iter()
        .map(|(id, document)| Ok((id, IssuerRecord::decode(&document.value)?)))
        .collect()
}

async fn list_documents<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
    let kind = DocumentKind::Issuer;
    let mut found = env.store().list_documents(owner, kind, after, limit).await?;
    found.retain(|(id, _)| !id.starts_with(index::PREFIX));
    Ok(found)
}
