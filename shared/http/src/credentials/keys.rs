//! Records of API keys, by copies that are never old: a key that was revoked is refused everywhere within
//! [`REVOKED_WITHIN_MS`].

use leaderboard_core::ports::{DocumentKind, DocumentName};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_identity::api_key::{ApiKeyRecord, KeyId};

use crate::edge::{Trust, documents};
use crate::environment::Environment;

/// How long a revocation takes at most to hold in every instance of every region, in milliseconds.
const REVOKED_WITHIN_MS: i64 = 5_000;
/// What clocks may differ by within that time, in milliseconds.
const CLOCK_MARGIN_MS: i64 = 1_000;
/// How long a key that was good stays good while the store is out of reach, in milliseconds: an hour.
const GRACE_MS: i64 = 60 * 60 * 1000;

const TRUST: Trust = Trust {
    refresh_after_ms: 2_000,
    ask_after_ms: REVOKED_WITHIN_MS - CLOCK_MARGIN_MS,
    forgive_ms: GRACE_MS,
};

/// Where a key's record is kept.
pub(crate) fn name(tenant: &TenantId, id: KeyId) -> DocumentName {
    DocumentName {
        tenant: Some(tenant.clone()),
        kind: DocumentKind::Key,
        id: id.to_string().into(),
    }
}

fn group(tenant: &TenantId, id: KeyId) -> String {
    format!("key:{tenant}:{id}")
}

/// A key's record, from the nearest copy that is good.
///
/// # Errors
/// [`StoreError`] when the store had to be asked and did not answer.
pub(crate) async fn record<E: Environment>(
    env: &E,
    tenant: &TenantId,
    id: KeyId,
) -> Result<Option<ApiKeyRecord>, StoreError> {
    let name = name(tenant, id);
    let bodies = documents(env, &group(tenant, id), move || vec![name.clone()], TRUST).await?;
    let document = bodies.first().and_then(Option::as_ref);
    document.map(|document| decoded(&document.value)).transpose()
}

/// Drops the copies of a record that has changed.
pub(crate) async fn forget<E: Environment>(env: &E, tenant: &TenantId, id: KeyId) {
    crate::edge::forget(env, &group(tenant, id)).await;
}

/// A record as the store has it.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(crate) fn decoded(bytes: &[u8]) -> Result<ApiKeyRecord, StoreError> {
    ApiKeyRecord::decode(bytes).ok_or_else(|| StoreError::Corrupt("a key's record".to_owned()))
}
