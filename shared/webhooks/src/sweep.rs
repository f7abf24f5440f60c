//! Removes what is left of a deleted webhook.

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_pipeline::PipelineEnvironment;

use crate::cursor::Cursor;
use crate::names::{id_prefix, state_name};

/// How many documents of a kind one run removes.
const REMOVED_AT_ONCE: u32 = 200;

/// Removes some messages and cursors of a deleted webhook, and its state after the last of them. `kept`: when the present webhook with
/// this id was created; its cursors stay. Returns whether nothing is left.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn sweep<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    kept: Option<i64>,
) -> Result<bool, StoreError> {
    let prefix = id_prefix(webhook);
    let mut is_swept = true;
    for kind in [DocumentKind::WebhookDelivery, DocumentKind::WebhookState] {
        let found = env
            .store()
            .list_documents(Some(tenant), kind, Some(&prefix), REMOVED_AT_ONCE)
            .await?;
        let listed = found.len();
        let own: Vec<_> = found
            .into_iter()
            .take_while(|(id, _)| id.starts_with(&prefix))
            .collect();
        // The page ended before the list of this webhook did.
        is_swept &= own.len() < listed || u32::try_from(listed).is_ok_and(|listed| listed < REMOVED_AT_ONCE);
        for (id, document) in own {
            let cursor = serde_json::from_slice::<Cursor>(&document.value);
            if kind == DocumentKind::WebhookState
                && kept.is_some()
                && cursor.is_ok_and(|cursor| Some(cursor.created_at_ms) == kept)
            {
                continue;
            }
            let name = DocumentName {
                tenant: Some(tenant.clone()),
                kind,
                id,
            };
            let _ = env.store().delete_document(&name, Expected::Any).await?;
        }
    }
    if is_swept && kept.is_none() {
        let name = state_name(tenant, webhook);
        let _ = env.store().delete_document(&name, Expected::Any).await?;
    }
    Ok(is_swept)
}
