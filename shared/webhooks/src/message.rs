//! Messages: what a webhook is sent about an event.

use leaderboard_api::webhook_record::{DeliveryRecord, DeliveryState, WebhookEvent};
use leaderboard_api::wire::webhook_message::CloudEvent;
use leaderboard_api::{MESSAGE_ID_PREFIX, Problem};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp};
use leaderboard_identity::hex;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// What the types of events begin with in CloudEvents.
const TYPE_PREFIX: &str = "edgeboard.";
/// How many bytes of a digest are in the id of a message.
const DIGEST_BYTES: usize = 16;

/// A message to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The id, which is the same in every attempt and in every run that makes a message of the same event.
    pub id: String,
    pub event: WebhookEvent,
    /// The body: a CloudEvent as JSON.
    pub body: String,
    pub created_at_ms: i64,
    /// How many attempts were made.
    pub attempts: u32,
    /// The version of the message's document; `None` if the store does not have the message.
    pub stored_version: Option<u64>,
}

/// What a message is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub tenant: &'a TenantId,
    pub webhook: &'a str,
    /// When the webhook was created. An id can come back.
    pub created_at_ms: i64,
    pub leaderboard: Option<&'a LeaderboardId>,
    pub event: WebhookEvent,
    /// What distinguishes the event from others of its kind about the same leaderboard or tenant.
    pub key: &'a str,
    pub subject: Option<&'a str>,
    /// When the event happened.
    pub at: Timestamp,
}

impl Message {
    /// Makes a message of an event.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when stored data is not what it should be.
    pub(crate) fn new(about: &About<'_>, data: &RawValue) -> Result<Self, StoreError> {
        let id = about.id();
        let event_type = format!("{TYPE_PREFIX}{}", about.event.as_str());
        let event = CloudEvent {
            specversion: "1.0",
            id: &id,
            source: &about.source(),
            r#type: &event_type,
            subject: about.subject,
            time: &about.at.to_string(),
            datacontenttype: "application/json",
            data,
        };
        Ok(Self {
            body: event.text().map_err(of_problem)?,
            event: about.event,
            created_at_ms: about.at.as_unix_ms(),
            attempts: 0,
            stored_version: None,
            id,
        })
    }

    /// Makes the message of its document.
    pub(crate) fn of_record(id: String, version: u64, record: DeliveryRecord) -> Self {
        Self {
            id,
            event: record.event,
            body: record.body,
            created_at_ms: record.created_at_ms,
            attempts: record.attempts,
            stored_version: Some(version),
        }
    }

    /// Returns the document of the message.
    pub(crate) fn to_record(&self, state: DeliveryState, due_ms: i64, outcome: &str) -> DeliveryRecord {
        DeliveryRecord {
            event: self.event,
            state,
            attempts: self.attempts,
            due_ms,
            created_at_ms: self.created_at_ms,
            outcome: outcome.to_owned(),
            body: self.body.clone(),
        }
    }
}

impl About<'_> {
    /// Returns the id of the message. It begins with the time of the event, so that ids are in the order of time, and ends with a
    /// digest of what distinguishes the event. So a run that is repeated makes the same id.
    fn id(&self) -> String {
        let mut digest = Sha256::new();
        let board = self.leaderboard.map_or("", LeaderboardId::as_str);
        for part in [
            self.tenant.as_str(),
            self.webhook,
            board,
            self.event.as_str(),
            self.key,
        ] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.update(self.created_at_ms.to_be_bytes());
        let digest = digest.finalize();
        let digest = hex::encode(digest.get(..DIGEST_BYTES).unwrap_or_default());
        let at_ms = self.at.as_unix_ms().max(0);
        format!("{MESSAGE_ID_PREFIX}{at_ms:012x}{digest}")
    }

    fn source(&self) -> String {
        match self.leaderboard {
            Some(board) => format!("/tenants/{}/leaderboards/{board}", self.tenant),
            None => format!("/tenants/{}", self.tenant),
        }
    }
}

/// Returns the error of stored data that cannot be written as a message.
#[expect(clippy::needless_pass_by_value, reason = "map_err passes the error by value")]
pub(crate) fn of_problem(problem: Problem) -> StoreError {
    StoreError::Corrupt(problem.one_line())
}
