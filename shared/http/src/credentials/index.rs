//! From what a token says of its issuer to the documents that may be meant: one document of the operator's for each
//! address. A token does not say whose issuer it is of, and two tenants may use the same one for different audiences.

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{StoreError, TenantId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::environment::Environment;
use crate::pipeline::hex;
use crate::problem::{Problem, ProblemType};

/// What the ids of these documents start with: no issuer's id does, and all of those come before it.
pub(super) const PREFIX: char = '~';
/// Documents that one address leads to.
const MAX_ENTRIES: usize = 64;
/// How often a change is tried anew because somebody else changed the same document.
const MAX_ATTEMPTS: u32 = 4;
/// Bytes of the digest that names an address.
const NAME_BYTES: usize = 20;

/// One document that an address leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Whose it is; `None`: the operator's.
    pub(super) tenant: Option<String>,
    /// Its id.
    pub(super) id: String,
    /// The audiences it claims. No other document of the same address may claim one of them.
    pub(super) audiences: Vec<String>,
}

impl Entry {
    fn is(&self, tenant: Option<&TenantId>, id: &str) -> bool {
        self.tenant.as_deref() == tenant.map(TenantId::as_str) && self.id == id
    }
}

/// A short name of any text, for keys.
pub(super) fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    hex(digest.get(..NAME_BYTES).unwrap_or_default())
}

/// Where the documents of an address are listed.
pub(super) fn name(issuer: &str) -> DocumentName {
    DocumentName {
        tenant: None,
        kind: DocumentKind::Issuer,
        id: format!("{PREFIX}{}", digest(issuer)).into(),
    }
}

/// The entries of a list.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Entry>, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("a list of issuers".to_owned()))
}

/// Lists a document under its address.
///
/// # Errors
/// `issuer-taken` when another document has one of its audiences.
pub(super) async fn add<E: Environment>(
    env: &E,
    issuer: &str,
    tenant: Option<&TenantId>,
    id: &str,
    audiences: &[String],
) -> Result<(), Problem> {
    change(env, issuer, |entries| {
        entries.retain(|entry| !entry.is(tenant, id));
        let taken = |entry: &Entry| entry.audiences.iter().any(|name| audiences.contains(name));
        if entries.iter().any(taken) || entries.len() >= MAX_ENTRIES {
            return Err(Problem::new(ProblemType::IssuerTaken));
        }
        entries.push(Entry {
            tenant: tenant.map(ToString::to_string),
            id: id.to_owned(),
            audiences: audiences.to_vec(),
        });
        Ok(())
    })
    .await
}

/// Takes a document off the list of an address.
///
/// # Errors
/// The problem to answer with.
pub(super) async fn remove<E: Environment>(
    env: &E,
    issuer: &str,
    tenant: Option<&TenantId>,
    id: &str,
) -> Result<(), Problem> {
    change(env, issuer, |entries| {
        entries.retain(|entry| !entry.is(tenant, id));
        Ok(())
    })
    .await
}

async fn change<E: Environment>(
    env: &E,
    issuer: &str,
    edit: impl Fn(&mut Vec<Entry>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let (store, name) = (env.store(), name(issuer));
    for _ in 0..MAX_ATTEMPTS {
        let found = store.read_documents(std::slice::from_ref(&name)).await?;
        let there = found.into_iter().next().flatten();
        let before = match &there {
            Some(document) => decode(&document.value)?,
            None => Vec::new(),
        };
        let mut entries = before.clone();
        edit(&mut entries)?;
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
