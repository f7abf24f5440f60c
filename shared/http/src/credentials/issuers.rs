//! Issuers' documents: found for a token, kept for an administrator.

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{StoreError, TenantId, Versioned};
use leaderboard_identity::token::MAX_URL_BYTES;

use super::index;
use super::issuer::IssuerRecord;
use crate::edge::{Trust, documents, renew};
use crate::environment::Environment;
use crate::problem::{Problem, ProblemType};

/// How long copies are good for: an issuer that was removed is refused everywhere after half a minute.
const TRUST: Trust = Trust {
    refresh_after_ms: 15_000,
    ask_after_ms: 30_000,
    forgive_ms: 24 * 60 * 60 * 1000,
};

/// An issuer and whose it is.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// Whose tokens it issues; `None`: the operator lets it issue for others.
    pub(crate) owner: Option<TenantId>,
    /// Its id.
    pub(crate) id: Box<str>,
    /// Its document.
    pub(crate) record: IssuerRecord,
}

fn name(owner: Option<&TenantId>, id: &str) -> DocumentName {
    DocumentName {
        tenant: owner.cloned(),
        kind: DocumentKind::Issuer,
        id: id.into(),
    }
}

fn group(owner: Option<&TenantId>, id: &str) -> String {
    // No tenant's id starts with a dot.
    format!("issuer:{}:{id}", owner.map_or(".", TenantId::as_str))
}

fn list_group(issuer: &str) -> String {
    format!("issuers:{}", index::digest(issuer))
}

/// The issuers that sign with this `iss`, from the nearest copies that are good.
///
/// # Errors
/// [`StoreError`] when the store had to be asked and did not answer.
pub(crate) async fn of_address<E: Environment>(env: &E, issuer: &str) -> Result<Vec<Issuer>, StoreError> {
    if issuer.len() > MAX_URL_BYTES {
        return Ok(Vec::new());
    }
    let list = index::name(issuer);
    let bodies = documents(env, &list_group(issuer), move || vec![list.clone()], TRUST).await?;
    let Some(list) = bodies.first().and_then(Option::as_ref) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in index::decode(&list.value)? {
        let owner = entry.tenant.map(TenantId::new).transpose();
        let owner = owner.map_err(|_| StoreError::Corrupt("a list of issuers".to_owned()))?;
        let name = name(owner.as_ref(), &entry.id);
        let group = group(owner.as_ref(), &entry.id);
        let bodies = documents(env, &group, move || vec![name.clone()], TRUST).await?;
        // The list is only a way to the document, which may have changed since.
        let Some(document) = bodies.first().and_then(Option::as_ref) else {
            continue;
        };
        let record = IssuerRecord::decode(&document.value)?;
        if record.issuer == issuer {
            let id = entry.id.into();
            found.push(Issuer { owner, id, record });
        }
    }
    Ok(found)
}

/// A document as the store has it now.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn stored<E: Environment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<Option<Versioned<IssuerRecord>>, StoreError> {
    let found = env.store().read_documents(&[name(owner, id)]).await?;
    let document = found.into_iter().next().flatten();
    document
        .map(|document| {
            Ok(Versioned {
                version: document.version,
                value: IssuerRecord::decode(&document.value)?,
            })
        })
        .transpose()
}

/// Creates or replaces a document. Its version, and whether it is new.
///
/// # Errors
/// `issuer-taken`, or `precondition-failed` when another version is there than expected.
pub(crate) async fn put<E: Environment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    record: &IssuerRecord,
    expected: Expected,
) -> Result<(u64, bool), Problem> {
    let before = stored(env, owner, id).await?;
    index::add(env, &record.issuer, owner, id, &record.audiences).await?;
    let body = serde_json::to_vec(record)
        .map_err(|error| Problem::internal(format!("an issuer's document: {error}")))?;
    let kept = env
        .store()
        .put_document(&name(owner, id), &body, expected)
        .await?
        .map_err(|_| Problem::new(ProblemType::PreconditionFailed))?;
    if let Some(before) = before.filter(|before| before.value.issuer != record.issuer) {
        index::remove(env, &before.value.issuer, owner, id).await?;
        list_changed(env, &before.value.issuer).await;
    }
    changed(env, owner, id, &record.issuer).await;
    Ok(kept)
}

/// Deletes a document. Whether there was one.
///
/// # Errors
/// `precondition-failed` when another version is there than expected.
pub(crate) async fn delete<E: Environment>(
    env: &E,
    owner: Option<&TenantId>,
    id: &str,
    expected: Expected,
) -> Result<bool, Problem> {
    let Some(before) = stored(env, owner, id).await? else {
        return Ok(false);
    };
    let deleted = env
        .store()
        .delete_document(&name(owner, id), expected)
        .await?
        .map_err(|_| Problem::new(ProblemType::PreconditionFailed))?;
    index::remove(env, &before.value.issuer, owner, id).await?;
    changed(env, owner, id, &before.value.issuer).await;
    Ok(deleted)
}

/// A page of the documents of an owner, in order of their ids.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn list<E: Environment>(
    env: &E,
    owner: Option<&TenantId>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<(Box<str>, IssuerRecord)>, StoreError> {
    let store = env.store();
    let found = store
        .list_documents(owner, DocumentKind::Issuer, after, limit)
        .await?;
    found
        .into_iter()
        .filter(|(id, _)| !id.starts_with(index::PREFIX))
        .map(|(id, document)| Ok((id, IssuerRecord::decode(&document.value)?)))
        .collect()
}

async fn changed<E: Environment>(env: &E, owner: Option<&TenantId>, id: &str, issuer: &str) {
    renew(env, &group(owner, id), &[name(owner, id)]).await;
    list_changed(env, issuer).await;
    env.memory().tokens.forget();
}

async fn list_changed<E: Environment>(env: &E, issuer: &str) {
    renew(env, &list_group(issuer), &[index::name(issuer)]).await;
}
