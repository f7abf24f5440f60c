//! The records of API keys, cached for a short time. A revoked key is refused everywhere within [`REVOKED_WITHIN_MS`], except
//! for reads in instances that cannot reach the store.

use leaderboard_core::ports::{DocumentKind, DocumentName};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_identity::api_key::{ApiKeyRecord, KeyId};

use crate::AuthEnvironment;
use leaderboard_api::Permission;
use leaderboard_cache::documents::{DocumentLifetime, invalidate_documents, load_documents};
use leaderboard_cache::freshness::{CLOCK_MARGIN_MS, Lifetime};

/// The longest time until a revocation takes effect in every instance of every region, in milliseconds.
const REVOKED_WITHIN_MS: i64 = 5_000;
/// How long a record is used without reading it again, in milliseconds.
const FRESH_MS: i64 = 2_000;
/// How long a valid key stays valid for reads while the store is out of reach: an hour, in milliseconds.
const GRACE_MS: i64 = 60 * 60 * 1000;

/// Returns how long a cached record is used. If the record cannot be read again, a request that is not a read is refused, because
/// the key may have been revoked.
const fn record_lifetime(permission: Permission) -> DocumentLifetime {
    let stale_while_revalidate_ms = REVOKED_WITHIN_MS - CLOCK_MARGIN_MS - FRESH_MS;
    let lifetime = Lifetime {
        fresh_ms: FRESH_MS,
        stale_while_revalidate_ms,
        stale_if_error_ms: match permission {
            Permission::Open | Permission::MetricsKey | Permission::Read | Permission::Identified => GRACE_MS,
            Permission::Write | Permission::ServerWrite | Permission::Admin | Permission::Operator => {
                stale_while_revalidate_ms
            }
        },
    };
    DocumentLifetime {
        lifetime,
        notices_changes: false,
        own_documents: 1,
    }
}

/// Returns the name of the document that contains a key's record.
pub fn key_document_name(tenant: &TenantId, id: KeyId) -> DocumentName {
    DocumentName {
        tenant: Some(tenant.clone()),
        kind: DocumentKind::Key,
        id: id.to_string().into(),
    }
}

fn group(tenant: &TenantId, id: KeyId) -> String {
    format!("key:{tenant}:{id}")
}

/// Returns a key's record from the cache, or from the store. `permission` decides how old a cached record may be.
///
/// # Errors
/// [`StoreError`] when no cached record is recent enough and the store does not answer.
pub async fn load_key_record<E: AuthEnvironment>(
    env: &E,
    tenant: &TenantId,
    id: KeyId,
    permission: Permission,
) -> Result<Option<ApiKeyRecord>, StoreError> {
    let name = key_document_name(tenant, id);
    let loaded = load_documents(
        env,
        &group(tenant, id),
        move || vec![name.clone()],
        record_lifetime(permission),
    )
    .await?;
    let document = loaded.bodies.first().and_then(Option::as_ref);
    document
        .map(|document| decode_key_record(&document.value))
        .transpose()
}

/// Removes a changed record from the caches.
pub async fn invalidate_key_record<E: AuthEnvironment>(env: &E, tenant: &TenantId, id: KeyId) {
    invalidate_documents(env, &group(tenant, id)).await;
}

/// Decodes a stored record.
///
/// # Errors
/// [`StoreError::Corrupt`] for another format.
pub fn decode_key_record(bytes: &[u8]) -> Result<ApiKeyRecord, StoreError> {
    ApiKeyRecord::decode(bytes).ok_or_else(|| StoreError::Corrupt("a key's record".to_owned()))
}
