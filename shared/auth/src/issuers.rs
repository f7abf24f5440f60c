//! Issuers' documents, kept for an administrator.

use leaderboard_api::issuer_record::KeySetProbe;
use std::collections::BTreeSet;

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{StoreError, TenantId, Versioned};

use super::index;
use super::index::IssuerClaim;
use super::key_sets;
use super::key_sets::KeySetSource;
use crate::AuthEnvironment;
use leaderboard_api::Preconditions;
use leaderboard_api::issuer_record::IssuerRecord;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::documents::refresh_documents;

/// Documents of one tenant.
const MAX_ISSUERS: u32 = 64;
/// Documents of the operator's own.
const MAX_ISSUERS_OF_OPERATOR: u32 = 256;
/// How often a change is tried anew because somebody else changed the same document.
const MAX_ATTEMPTS: u32 = 4;

/// Where a document is.
pub fn name(owner: Option<&TenantId>, id: &str) -> DocumentName {
    DocumentName {
        tenant: owner.cloned(),
        kind: DocumentKind::Issuer,
        id: id.into(),
    }
}

/// The group of a document among the copies.
pub fn group(owner: Option<&TenantId>, id: &str) -> String {
    // No tenant's id starts with a dot.
    format!("issuer:{}:{id}", owner.map_or(".", TenantId::as_str))
}

/// A document as the store has it now.
///
/// # Errors
/// [`StoreError`].
pub async fn stored<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<Option<Versioned<IssuerRecord>>, StoreError> {
    let document = document(env, owner, id).await?;
    document
        .map(|document| {
            Ok(Versioned {
                version: document.version,
                value: IssuerRecord::decode(&document.value)?,
            })
        })
        .transpose()
}

async fn document<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<Option<Versioned<Vec<u8>>>, StoreError> {
    let found = env.store().read_documents(&[name(owner, id)]).await?;
    Ok(found.into_iter().next().flatten())
}

/// A document that is there before a change. One that cannot be read is there, and can be replaced and deleted.
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
        let document = document(env, owner, id).await?;
        Ok(document.map(|document| Self {
            version: document.version,
            record: IssuerRecord::decode(&document.value).ok(),
        }))
    }

    fn claims(&self) -> BTreeSet<IssuerClaim> {
        self.record.as_ref().map(index::claims_of).unwrap_or_default()
    }
}

/// The version that the store must find, so that nothing is replaced but what was read, once the preconditions hold for that.
fn exactly(preconditions: &Preconditions, before: Option<&StoredIssuer>) -> Result<Expected, Problem> {
    let version = before.map(|before| before.version);
    preconditions.expected(version)?;
    Ok(version.map_or(Expected::Absent, Expected::Version))
}

/// Creates or replaces a document. Its version, and whether it is new.
///
/// # Errors
/// `issuer-taken` when another document of the same owner claims the same; `quota-reached`; `precondition-failed` when
/// the preconditions do not hold for what is there.
pub async fn put<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    record: &IssuerRecord,
    preconditions: &Preconditions,
) -> Result<(u64, bool), Problem> {
    check_the_others(env, owner, id, record).await?;
    let body = serde_json::to_vec(record)
        .map_err(|error| Problem::internal(format!("an issuer's document: {error}")))?;
    for _ in 0..MAX_ATTEMPTS {
        let before = StoredIssuer::read(env, owner, id).await?;
        let exactly = exactly(preconditions, before.as_ref())?;
        let (old, new) = (
            before.as_ref().map(StoredIssuer::claims).unwrap_or_default(),
            index::claims_of(record),
        );
        let put = async || {
            for claim in old.difference(&new) {
                index::withdraw(env, claim, owner, id).await?;
            }
            for claim in &new {
                index::announce(env, claim, owner, id).await?;
            }
            let put = env.store().put_document(&name(owner, id), &body, exactly).await?;
            Ok::<_, Problem>(put.ok())
        };
        let outcome = put().await;
        settle(env, owner, id, &old.union(&new).cloned().collect()).await;
        if let Some(kept) = outcome? {
            forget_keys(env, owner, before.and_then(|before| before.record), Some(record)).await;
            return Ok(kept);
        }
        // Somebody was faster, and whether that is what was expected is seen now.
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// Deletes a document. Whether there was one.
///
/// # Errors
/// `precondition-failed` when the preconditions do not hold for what is there.
pub async fn delete<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    preconditions: &Preconditions,
) -> Result<bool, Problem> {
    for _ in 0..MAX_ATTEMPTS {
        let Some(before) = StoredIssuer::read(env, owner, id).await? else {
            return Ok(false);
        };
        let exactly = exactly(preconditions, Some(&before))?;
        let claims = before.claims();
        // Off the lists first: without the document, nobody would know on which it is.
        let delete = async || {
            for claim in &claims {
                index::withdraw(env, claim, owner, id).await?;
            }
            let deleted = env.store().delete_document(&name(owner, id), exactly).await?;
            Ok::<_, Problem>(deleted.ok())
        };
        let outcome = delete().await;
        settle(env, owner, id, &claims).await;
        if let Some(deleted) = outcome? {
            forget_keys(env, owner, before.record, None).await;
            return Ok(deleted);
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// A token cannot be of two issuers of the same owner, and an owner has so many. Other owners are nobody's business here.
async fn check_the_others<E: AuthEnvironment>(
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
    let taken = |document: &Versioned<Vec<u8>>| {
        IssuerRecord::decode(&document.value)
            .is_ok_and(|other| !index::claims_of(&other).is_disjoint(&claims))
    };
    if others.iter().any(|(_, document)| taken(document)) {
        return Err(Problem::new(ProblemType::IssuerTaken));
    }
    Ok(())
}

/// Makes lists and copies agree with what the document is now, however the change before it ended. What fails here is put
/// right by the next change of the document.
async fn settle<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    claims: &BTreeSet<IssuerClaim>,
) {
    for claim in claims {
        let version = async || {
            let now = StoredIssuer::read(env, owner, id).await?;
            let claiming = now.filter(|now| now.claims().contains(claim));
            Ok(claiming.map(|now| now.version))
        };
        let _ = index::settle(env, claim, owner, id, version).await;
    }
    refresh_documents(env, &group(owner, id), &[name(owner, id)]).await;
    for claim in claims {
        refresh_documents(env, &claim.group(), &[claim.list()]).await;
    }
    env.auth_state().tokens.forget();
}

/// Drops the key set of a document that is gone or has another. Another document's of the same owner and address is fetched anew.
async fn forget_keys<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    before: Option<IssuerRecord>,
    after: Option<&IssuerRecord>,
) {
    let source = |record: &IssuerRecord| KeySetSource::of(owner, record);
    let after = after.and_then(source);
    if let Some(before) = before.as_ref().and_then(source)
        && after.is_none_or(|after| after != before)
    {
        key_sets::forget(env, &before).await;
    }
}

/// Whether the keys of a document can be fetched; `None` for keys in the document.
pub async fn probe<E: AuthEnvironment>(
    env: &E,
    owner: Option<&TenantId>,
    record: &IssuerRecord,
) -> Option<KeySetProbe> {
    let source = KeySetSource::of(owner, record)?;
    Some(key_sets::probe(env, &source).await)
}

/// A page of the documents of an owner, in order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn list<E: AuthEnvironment>(
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
