//! From what a token says of its issuer and its audience to the documents that may be candidate: one list of the operator's
//! for each such pair. A token does not say whose issuer it is of, and several tenants may trust the same one.
//!
//! A list is only a way to documents, and a document decides what it claims. So lists are changed before and after their
//! documents in an order in which whatever breaks off is put right by the same request, sent again.

use std::collections::BTreeSet;

use leaderboard_api::issuer_record::IssuerRecord;
use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{StoreError, TenantId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::AuthEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_identity::hex::encode as hex;

/// What the ids of these documents start with: no issuer's id does, and all of those come before it.
pub(crate) const PREFIX: char = '~';
/// Tenants' documents that one pair leads to. A tenant has one of them at most, and the operator's come in addition.
const MAX_ENTRIES: usize = 1000;
/// How often a change is tried anew because somebody else changed the same list.
const MAX_ATTEMPTS: u32 = 8;
/// Bytes of the digest that names a list.
const NAME_BYTES: usize = 20;

/// What a document claims: the tokens of an issuer for an audience.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IssuerClaim {
    /// `iss` of the tokens.
    pub issuer: String,
    /// `aud` of the tokens.
    pub audience: String,
}

impl IssuerClaim {
    /// A short name for keys. The length keeps the two apart.
    fn digest(&self) -> String {
        let Self { issuer, audience } = self;
        digest(&format!("{} {issuer} {audience}", issuer.len()))
    }

    /// Where the documents that claim this are listed.
    pub(crate) fn list(&self) -> DocumentName {
        DocumentName {
            tenant: None,
            kind: DocumentKind::Issuer,
            id: format!("{PREFIX}{}", self.digest()).into(),
        }
    }

    /// The group of the list among the copies.
    pub(crate) fn group(&self) -> String {
        format!("issuers:{}", self.digest())
    }
}

/// Returns what an issuer's document claims: one claim for each audience.
pub(crate) fn claims_of(record: &IssuerRecord) -> BTreeSet<IssuerClaim> {
    let claim = |audience: &String| IssuerClaim {
        issuer: record.issuer.clone(),
        audience: audience.clone(),
    };
    record.audiences.iter().map(claim).collect()
}

/// One document on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Whose it is; `None`: the operator's.
    pub tenant: Option<String>,
    /// Its id.
    pub id: String,
    /// The version in which it was found to claim this; 0 while it is on its way. It makes every confirmation a change of
    /// the list, so that nobody takes the entry off by what they read before.
    version: u64,
}

impl Entry {
    fn is(&self, owner: Option<&TenantId>, id: &str) -> bool {
        self.tenant.as_deref() == owner.map(TenantId::as_str) && self.id == id
    }
}

/// A short name of any text, for keys.
pub fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    hex(digest.get(..NAME_BYTES).unwrap_or_default())
}

/// The entries of a list.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Entry>, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("a list of issuers".to_owned()))
}

/// Lists a document that is about to claim this. One that is listed keeps its place.
///
/// # Errors
/// `quota-reached` when the list is full.
pub(crate) async fn announce<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerClaim,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<(), Problem> {
    change(env, claim, async |entries| {
        if entries.iter().any(|entry| entry.is(owner, id)) {
            return Ok(());
        }
        if owner.is_some() && entries.len() >= MAX_ENTRIES {
            let detail = "Too many tenants trust this issuer for this audience.";
            return Err(Problem::new(ProblemType::QuotaReached).with_detail(detail));
        }
        entries.push(entry(owner, id, 0));
        Ok(())
    })
    .await
}

/// Takes a document off a list.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn withdraw<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerClaim,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<(), Problem> {
    settle(env, claim, owner, id, async || Ok(None)).await
}

/// Lists a document, or takes it off, by what `version` says after the list was read: in which version the document
/// claims this, if it does.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn settle<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerClaim,
    owner: Option<&TenantId>,
    id: &str,
    version: impl AsyncFn() -> Result<Option<u64>, Problem>,
) -> Result<(), Problem> {
    change(env, claim, async |entries| {
        let Some(version) = version().await? else {
            entries.retain(|entry| !entry.is(owner, id));
            return Ok(());
        };
        match entries.iter_mut().find(|entry| entry.is(owner, id)) {
            Some(there) => there.version = version,
            None => entries.push(entry(owner, id, version)),
        }
        Ok(())
    })
    .await
}

fn entry(owner: Option<&TenantId>, id: &str, version: u64) -> Entry {
    Entry {
        tenant: owner.map(ToString::to_string),
        id: id.to_owned(),
        version,
    }
}

async fn change<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerClaim,
    edit: impl AsyncFn(&mut Vec<Entry>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let (store, name) = (env.store(), claim.list());
    for _ in 0..MAX_ATTEMPTS {
        let found = store.read_documents(std::slice::from_ref(&name)).await?;
        let there = found.into_iter().next().flatten();
        let before = match &there {
            Some(document) => decode(&document.value)?,
            None => Vec::new(),
        };
        let mut entries = before.clone();
        edit(&mut entries).await?;
        if entries == before {
            return Ok(());
        }
        let expected = there.map_or(Expected::Absent, |there| Expected::Version(there.version));
        let changed = if entries.is_empty() {
            store.delete_document(&name, expected).await?.is_ok()
        } else {
            let body = serde_json::to_vec(&entries)
                .map_err(|error| Problem::internal(format!("a list of issuers: {error}")))?;
            store.put_document(&name, &body, expected).await?.is_ok()
        };
        if changed {
            return Ok(());
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}
