//! Lists of the issuers' documents for each pair of issuer and audience. A token contains this pair but not the tenant that
//! trusts the issuer, and several tenants may trust the same issuer.
//!
//! A document decides which pairs it claims; a list only helps to find the document. A document is added to its lists before it
//! is written, and removed from its lists before it is deleted. So if a request fails in between, sending the same request again
//! repairs the lists.

use std::collections::BTreeSet;

use leaderboard_api::issuer_record::IssuerRecord;
use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{StoreError, TenantId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::AuthEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_identity::hex::encode as hex;

/// The first character of the lists' ids. No issuer's id starts with it, and all issuers' ids sort before it.
pub(crate) const PREFIX: char = '~';
/// The most tenants' documents on one list. A tenant has at most one document on a list. The operator's documents are not
/// counted.
const MAX_ENTRIES: usize = 1000;
/// How often a change is tried again because another request changed the list first.
const MAX_TRIES: u32 = 8;
/// The bytes of the digest in a list's id.
const NAME_BYTES: usize = 20;

/// A pair of issuer and audience whose tokens a document claims.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IssuerAudience {
    /// The claim `iss` of the tokens.
    pub issuer: String,
    /// The claim `aud` of the tokens.
    pub audience: String,
}

impl IssuerAudience {
    /// Returns a digest of the pair. The digest includes the length of the issuer, so that two pairs whose texts join to the same
    /// text differ.
    fn digest(&self) -> String {
        let Self { issuer, audience } = self;
        digest(&format!("{} {issuer} {audience}", issuer.len()))
    }

    /// Returns the name of the list of the documents that claim this pair.
    pub(crate) fn list_name(&self) -> DocumentName {
        DocumentName {
            tenant: None,
            kind: DocumentKind::Issuer,
            id: format!("{PREFIX}{}", self.digest()).into(),
        }
    }

    /// Returns the cache group of the list.
    pub(crate) fn cache_group(&self) -> String {
        format!("issuers:{}", self.digest())
    }
}

/// Returns the claims of an issuer's document: one for each audience.
pub(crate) fn claims_of(record: &IssuerRecord) -> BTreeSet<IssuerAudience> {
    let claim = |audience: &String| IssuerAudience {
        issuer: record.issuer.clone(),
        audience: audience.clone(),
    };
    record.audiences.iter().map(claim).collect()
}

/// A document on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssuerListEntry {
    /// The tenant that has the document; `None` for the operator.
    pub tenant: Option<String>,
    /// The document's id.
    pub id: String,
    /// The version of the document that claims the pair; 0 until the document is written. Each new version changes the list, so
    /// a request that has read an older list cannot remove the entry.
    version: u64,
}

impl IssuerListEntry {
    fn is_document(&self, owner: Option<&TenantId>, id: &str) -> bool {
        self.tenant.as_deref() == owner.map(TenantId::as_str) && self.id == id
    }
}

/// Returns a short digest of a text, for keys of the store and the cache.
pub fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    hex(digest.get(..NAME_BYTES).unwrap_or_default())
}

/// Decodes the entries of a list.
///
/// # Errors
/// [`StoreError::Corrupt`] for another format.
pub(crate) fn decode_list(bytes: &[u8]) -> Result<Vec<IssuerListEntry>, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("a list of issuers".to_owned()))
}

/// Adds a document to the list of a claim before the document is written. A document that is on the list keeps its position.
///
/// # Errors
/// `quota-reached` when the list is full.
pub(crate) async fn add_to_list<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerAudience,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<(), Problem> {
    change_list(env, claim, async |entries| {
        if entries.iter().any(|entry| entry.is_document(owner, id)) {
            return Ok(());
        }
        if owner.is_some() && entries.len() >= MAX_ENTRIES {
            let detail = "Too many tenants trust this issuer for this audience.";
            return Err(Problem::new(ProblemType::QuotaReached).with_detail(detail));
        }
        entries.push(new_entry(owner, id, 0));
        Ok(())
    })
    .await
}

/// Removes a document from the list of a claim.
///
/// # Errors
/// A store error, or a conflict when other requests keep changing the list.
pub(crate) async fn remove_from_list<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerAudience,
    owner: Option<&TenantId>,
    id: &str,
) -> Result<(), Problem> {
    update_list_entry(env, claim, owner, id, async || Ok(None)).await
}

/// Adds a document to the list of a claim, or removes it. Calls `version` after reading the list; `version` returns the version
/// of the document if the document makes the claim.
///
/// # Errors
/// A store error, or a conflict when other requests keep changing the list.
pub(crate) async fn update_list_entry<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerAudience,
    owner: Option<&TenantId>,
    id: &str,
    version: impl AsyncFn() -> Result<Option<u64>, Problem>,
) -> Result<(), Problem> {
    change_list(env, claim, async |entries| {
        let Some(version) = version().await? else {
            entries.retain(|entry| !entry.is_document(owner, id));
            return Ok(());
        };
        match entries.iter_mut().find(|entry| entry.is_document(owner, id)) {
            Some(entry) => entry.version = version,
            None => entries.push(new_entry(owner, id, version)),
        }
        Ok(())
    })
    .await
}

fn new_entry(owner: Option<&TenantId>, id: &str, version: u64) -> IssuerListEntry {
    IssuerListEntry {
        tenant: owner.map(ToString::to_string),
        id: id.to_owned(),
        version,
    }
}

async fn change_list<E: AuthEnvironment>(
    env: &E,
    claim: &IssuerAudience,
    edit: impl AsyncFn(&mut Vec<IssuerListEntry>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let (store, name) = (env.store(), claim.list_name());
    for _ in 0..MAX_TRIES {
        let document = store.read_document(&name).await?;
        let before = match &document {
            Some(document) => decode_list(&document.value)?,
            None => Vec::new(),
        };
        let mut entries = before.clone();
        edit(&mut entries).await?;
        if entries == before {
            return Ok(());
        }
        let expected = document.map_or(Expected::Absent, |document| Expected::Version(document.version));
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
