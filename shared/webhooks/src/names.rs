//! The names of the documents of webhooks.

use leaderboard_core::ports::{DocumentKind, DocumentName};
use leaderboard_core::{LeaderboardId, TenantId};

/// What separates the parts of an id. No id of a tenant, a webhook, a leaderboard or a message contains it.
const SEPARATOR: char = '/';

fn name(tenant: Option<&TenantId>, kind: DocumentKind, id: &str) -> DocumentName {
    DocumentName {
        tenant: tenant.cloned(),
        kind,
        id: id.into(),
    }
}

/// Returns the name of a webhook's own document.
#[must_use]
pub fn webhook_name(tenant: &TenantId, webhook: &str) -> DocumentName {
    name(Some(tenant), DocumentKind::Webhook, webhook)
}

/// Returns the name of the document that says when a webhook is served next.
pub(crate) fn turn_name(tenant: &TenantId, webhook: &str) -> DocumentName {
    let id = format!("{tenant}{SEPARATOR}{webhook}");
    name(None, DocumentKind::WebhookTurn, &id)
}

/// Returns the name of the document that says where the next run begins in the list of turns. No turn has its id.
pub(crate) fn start_name() -> DocumentName {
    name(None, DocumentKind::WebhookTurn, &format!("{SEPARATOR}start"))
}

/// Returns the name of the document with the places of a tenant's webhooks. No webhook and no cursor has its id.
pub(crate) fn places_name(tenant: &TenantId) -> DocumentName {
    name(
        Some(tenant),
        DocumentKind::WebhookState,
        &format!("{SEPARATOR}places"),
    )
}

/// Returns whether the document of a tenant's state with this id names webhooks and nothing else.
pub(crate) fn is_about_webhooks_alone(id: &str) -> bool {
    id.starts_with(SEPARATOR)
}

/// Returns the tenant and the webhook in the id of such a document.
pub(crate) fn parse_turn_id(id: &str) -> Option<(TenantId, Box<str>)> {
    let (tenant, webhook) = id.split_once(SEPARATOR)?;
    Some((TenantId::new(tenant).ok()?, webhook.into()))
}

/// Returns the name of a webhook's state.
pub(crate) fn state_name(tenant: &TenantId, webhook: &str) -> DocumentName {
    name(Some(tenant), DocumentKind::WebhookState, webhook)
}

/// Returns the beginning of the ids of a webhook's cursors and messages. No id is equal to it.
pub(crate) fn id_prefix(webhook: &str) -> String {
    format!("{webhook}{SEPARATOR}")
}

/// Returns the name of the document that says how far a webhook has read the log of a leaderboard.
pub(crate) fn cursor_name(tenant: &TenantId, webhook: &str, board: &LeaderboardId) -> DocumentName {
    let id = id_prefix(webhook) + board.as_str();
    name(Some(tenant), DocumentKind::WebhookState, &id)
}

/// Returns the name of the document of a message that was not delivered.
pub(crate) fn message_name(tenant: &TenantId, webhook: &str, message: &str) -> DocumentName {
    let id = id_prefix(webhook) + message;
    name(Some(tenant), DocumentKind::WebhookDelivery, &id)
}

/// Returns the webhook and the message in the id of such a document.
pub(crate) fn parse_message_id(id: &str) -> Option<(&str, &str)> {
    id.split_once(SEPARATOR)
}

/// Returns the name of a tenant's document whose id is known.
pub(crate) fn document_name(tenant: &TenantId, kind: DocumentKind, id: &str) -> DocumentName {
    name(Some(tenant), kind, id)
}
