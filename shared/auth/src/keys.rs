//! Records of API keys, by copies that are never old: a key that was revoked is refused everywhere within
//! [`REVOKED_WITHIN_MS`], except for reads by instances that cannot reach the store.

use leaderboard_core::ports::{DocumentKind, DocumentName};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_identity::api_key::{ApiKeyRecord, KeyId};

use crate::AuthEnvironment;
use leaderboard_api::Permission;
use leaderboard_cache::documents::{CLOCK_MARGIN_MS, DocumentLifetime, load_documents, refresh_documents};

/// How long a revocation takes at most to hold in every instance of every region, in milliseconds.
const REVOKED_WITHIN_MS: i64 = 5_000;
/// How long a key that was good stays good for reads while the store is out of reach, in milliseconds: an hour.
const GRACE_MS: i64 = 60 * 60 * 1000;

/// How long copies are good for. What is more than a read is refused rather than let through by a key that may be revoked.
const fn trust(permission: Permission) -> DocumentLifetime {
    let hard_ttl_ms = REVOKED_WITHIN_MS - CLOCK_MARGIN_MS;
    DocumentLifetime {
        soft_ttl_ms: 2_000,
        hard_ttl_ms,
        stale_if_error_ms: match permission {
            Permission::Open | Permission::MetricsKey | Permission::Read | Permission::Identified => GRACE_MS,
            Permission::Write | Permission::ServerWrite | Permission::Admin | Permission::Operator => {
                hard_ttl_ms
            }
        },
        checks_generation: false,
    }
}

/// Where a key's record is kept.
pub fn name(tenant: &TenantId, id: KeyId) -> DocumentName {
    DocumentName {
        tenant: Some(tenant.clone()),
        kind: DocumentKind::Key,
        id: id.to_string().into(),
    }
}

fn group(tenant: &TenantId, id: KeyId) -> String {
    format!("key:{tenant}:{id}")
}

/// A key's record, from the nearest copy that is good for what the caller needs.
///
/// # Errors
/// [`StoreError`] when the store had to be asked and did not answer.
pub async fn record<E: AuthEnvironment>(
    env: &E,
    tenant: &TenantId,
    id: KeyId,
    permission: Permission,
) -> Result<Option<ApiKeyRecord>, StoreError> {
    let name = name(tenant, id);
    let bodies = load_documents(
        env,
        &group(tenant, id),
        move || vec![name.clone()],
        trust(permission),
    )
    .await?;
    let document = bodies.first().and_then(Option::as_ref);
    document.map(|document| decoded(&document.value)).transpose()
}

/// Renews the copies of a record that has changed.
pub async fn changed<E: AuthEnvironment>(env: &E, tenant: &TenantId, id: KeyId) {
    refresh_documents(env, &group(tenant, id), &[name(tenant, id)]).await;
}

/// A record as the store has it.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn decoded(bytes: &[u8]) -> Result<ApiKeyRecord, StoreError> {
    ApiKeyRecord::decode(bytes).ok_or_else(|| StoreError::Corrupt("a key's record".to_owned()))
}
