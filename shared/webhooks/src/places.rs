//! The places of a tenant's webhooks: as many as the tenant can have. A new webhook takes one before it is stored, so that requests that
//! create webhooks at the same time do not exceed the limit together.

use leaderboard_core::ports::{Documents, Expected};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_pipeline::PipelineEnvironment;
use serde::{Deserialize, Serialize};

use crate::admin::list_webhooks;
use crate::names::{places_name, webhook_name};

/// The most webhooks of one tenant. A delivery run reads the logs for each of them.
pub const MAX_WEBHOOKS: u32 = 20;
/// How long a place without a webhook stays taken, in milliseconds: a request that creates a webhook takes its place first.
const CREATION_MS: i64 = 60_000;
/// How often a change is tried again because another call changed the document first.
const MAX_TRIES: u32 = 32;

/// The place of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    webhook: Box<str>,
    /// When it was taken, in milliseconds since the epoch.
    taken_at_ms: i64,
}

/// Takes a place for a webhook that will be created. Returns `false` if all places belong to others. A place becomes free when its
/// webhook is deleted.
///
/// # Errors
/// [`StoreError`].
pub async fn take_place<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
) -> Result<bool, StoreError> {
    let name = places_name(tenant);
    for _ in 0..MAX_TRIES {
        let (mut places, expected) = match env.store().read_document(&name).await? {
            Some(stored) => (decode(&stored.value)?, Expected::Version(stored.version)),
            None => (list_places(env, tenant).await?, Expected::Absent),
        };
        let now_ms = env.clock().as_unix_ms();
        places.retain(|place| &*place.webhook != webhook);
        if is_full(&places) {
            places = remove_free(env, tenant, places, now_ms).await?;
        }
        if is_full(&places) {
            return Ok(false);
        }
        places.push(Place {
            webhook: webhook.into(),
            taken_at_ms: now_ms,
        });
        let body = serde_json::to_vec(&places).unwrap_or_default();
        if env.store().put_document(&name, &body, expected).await?.is_ok() {
            return Ok(true);
        }
    }
    Err(StoreError::Unavailable(
        "the places of webhooks change faster than one can be taken".to_owned(),
    ))
}

fn is_full(places: &[Place]) -> bool {
    u32::try_from(places.len()).is_ok_and(|taken| taken >= MAX_WEBHOOKS)
}

fn decode(body: &[u8]) -> Result<Vec<Place>, StoreError> {
    serde_json::from_slice(body).map_err(|_| StoreError::Corrupt("the places of webhooks".to_owned()))
}

/// Returns the places of the webhooks that were created before there were places.
async fn list_places<E: PipelineEnvironment>(env: &E, tenant: &TenantId) -> Result<Vec<Place>, StoreError> {
    let listed = list_webhooks(env, tenant, None, MAX_WEBHOOKS).await?;
    let places = listed.into_iter().map(|(webhook, _)| Place {
        webhook,
        taken_at_ms: 0,
    });
    Ok(places.collect())
}

/// Returns the places without those whose webhook does not exist and is not being created.
async fn remove_free<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    places: Vec<Place>,
    now_ms: i64,
) -> Result<Vec<Place>, StoreError> {
    let names: Vec<_> = places
        .iter()
        .map(|place| webhook_name(tenant, &place.webhook))
        .collect();
    let found = env.store().read_documents(&names).await?;
    let taken = places.into_iter().zip(found).filter(|(place, found)| {
        let is_being_created = now_ms.saturating_sub(place.taken_at_ms) < CREATION_MS;
        found.is_some() || is_being_created
    });
    Ok(taken.map(|(place, _)| place).collect())
}
