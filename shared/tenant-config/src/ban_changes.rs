//! Changes of the document with a tenant's banned players.

use leaderboard_core::ports::{Ban, Bans, DocumentKind, Documents, Expected};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use super::Banned;
use super::tenant_config::{TenantConfig, single_document_name};
use crate::TenantConfigEnvironment;

/// How often a change is tried again because another request changed the document first.
const MAX_TRIES: u32 = 8;

/// Adds a ban to the document before the ban is stored. If the player has a ban that ends later, the document keeps that end,
/// because the earlier ban is in effect until the store has the new one.
///
/// # Errors
/// [`StoreError`].
pub async fn add_ban<E: TenantConfigEnvironment>(
    env: &E,
    tenant: &TenantId,
    ban: &Ban,
    now: Timestamp,
) -> Result<(), StoreError> {
    update_document(env, tenant, now, |banned| banned.extend(ban)).await
}

/// Sets the end of a ban in the document after the ban is stored, even if the document has a later end. If two requests ban one
/// player at the same time, the document keeps the later end.
///
/// # Errors
/// [`StoreError`].
pub async fn confirm_ban<E: TenantConfigEnvironment>(
    env: &E,
    tenant: &TenantId,
    ban: &Ban,
    now: Timestamp,
) -> Result<(), StoreError> {
    update_document(env, tenant, now, |banned| banned.set_end(ban)).await?;
    // Another request may have banned the player in the meantime.
    match env.store().find_ban(tenant, &ban.player, now).await? {
        Some(stored) if stored.expires_at != ban.expires_at => add_ban(env, tenant, &stored, now).await,
        _ => Ok(()),
    }
}

/// Removes a ban that has ended.
///
/// # Errors
/// [`StoreError`].
pub async fn remove_ban<E: TenantConfigEnvironment>(
    env: &E,
    tenant: &TenantId,
    player: &PlayerId,
    now: Timestamp,
) -> Result<(), StoreError> {
    update_document(env, tenant, now, |banned| banned.remove(player)).await
}

async fn update_document<E: TenantConfigEnvironment>(
    env: &E,
    tenant: &TenantId,
    now: Timestamp,
    change: impl Fn(&mut Banned),
) -> Result<(), StoreError> {
    let name = single_document_name(Some(tenant), DocumentKind::Bans);
    for _ in 0..MAX_TRIES {
        let found = env.store().read_document(&name).await?;
        let before = Banned::parse(found.as_ref().map(|document| document.value.as_slice()))?;
        let mut after = before.clone();
        after.remove_ended(now);
        change(&mut after);
        if after == before {
            return Ok(());
        }
        let expected = found
            .as_ref()
            .map_or(Expected::Absent, |document| Expected::Version(document.version));
        if env
            .store()
            .put_document(&name, &after.encode(), expected)
            .await?
            .is_ok()
        {
            TenantConfig::publish_change(env, Some(tenant)).await;
            return Ok(());
        }
    }
    Err(StoreError::Unavailable(
        "bans change faster than they can be recorded".into(),
    ))
}
