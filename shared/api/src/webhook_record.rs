//! The webhooks of a tenant, as the store keeps them.

use leaderboard_core::{LeaderboardId, StoreError, Timestamp};
use leaderboard_identity::webhook_secret::WebhookSecret;
use serde::{Deserialize, Serialize};

/// The form of the document in the store.
const FORM: u8 = 1;

/// What a webhook can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WebhookEvent {
    /// A submission was accepted.
    #[serde(rename = "score.accepted")]
    ScoreAccepted,
    /// Ranks at the top of a leaderboard changed.
    #[serde(rename = "ranks.changed")]
    RanksChanged,
    /// Another player is first.
    #[serde(rename = "leader.changed")]
    LeaderChanged,
    /// A period has ended, and its standings are final.
    #[serde(rename = "period.ended")]
    PeriodEnded,
    /// Players can claim prizes.
    #[serde(rename = "prizes.claimable")]
    PrizesClaimable,
    /// A player was banned.
    #[serde(rename = "player.banned")]
    PlayerBanned,
    /// The tenant has used most of a quota.
    #[serde(rename = "quota.nearly_used")]
    QuotaNearlyUsed,
    /// A test that an administrator asked for. Every webhook gets it.
    #[serde(rename = "webhook.ping")]
    Ping,
}

/// The words of the events that a webhook can subscribe to.
pub const WEBHOOK_EVENTS: [(&str, WebhookEvent); 7] = [
    ("score.accepted", WebhookEvent::ScoreAccepted),
    ("ranks.changed", WebhookEvent::RanksChanged),
    ("leader.changed", WebhookEvent::LeaderChanged),
    ("period.ended", WebhookEvent::PeriodEnded),
    ("prizes.claimable", WebhookEvent::PrizesClaimable),
    ("player.banned", WebhookEvent::PlayerBanned),
    ("quota.nearly_used", WebhookEvent::QuotaNearlyUsed),
];

impl WebhookEvent {
    /// Returns the word of the event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = WEBHOOK_EVENTS.iter().find(|(_, event)| *event == self);
        found.map_or("webhook.ping", |(word, _)| word)
    }
}

/// What an administrator sets of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSettings {
    /// The address that gets the messages.
    pub url: String,
    /// A title for people; may be empty.
    pub title: String,
    /// The events that the webhook gets.
    pub events: Vec<WebhookEvent>,
    /// The ids of the leaderboards whose events the webhook gets; empty for all.
    pub leaderboards: Vec<String>,
    /// How many ranks from the top `ranks.changed` is about.
    pub top: u32,
    /// Whether messages are sent. While they are not, the event logs keep the events.
    pub active: bool,
}

impl WebhookSettings {
    /// Returns whether the webhook gets an event.
    #[must_use]
    pub fn wants(&self, event: WebhookEvent) -> bool {
        self.events.contains(&event)
    }

    /// Returns whether the webhook gets events about leaderboards. The others are about the tenant.
    #[must_use]
    pub fn follows_leaderboards(&self) -> bool {
        let is_of_tenant = |event: &WebhookEvent| {
            matches!(event, WebhookEvent::PlayerBanned | WebhookEvent::QuotaNearlyUsed)
        };
        !self.events.iter().all(is_of_tenant)
    }

    /// Returns the leaderboards whose events the webhook gets; empty for all.
    #[must_use]
    pub fn leaderboard_ids(&self) -> Vec<LeaderboardId> {
        let ids = self.leaderboards.iter();
        ids.filter_map(|id| LeaderboardId::new(id.as_str()).ok())
            .collect()
    }
}

/// A secret that was replaced, and when its signatures end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FormerSecret {
    secret: String,
    until_ms: i64,
}

/// A webhook's document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRecord {
    form: u8,
    /// What an administrator sets.
    pub settings: WebhookSettings,
    secret: String,
    former: Option<FormerSecret>,
    created_at_ms: i64,
    updated_at_ms: i64,
}

/// Shows no secret.
impl std::fmt::Debug for WebhookRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookRecord")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl WebhookRecord {
    /// Makes the record of a new webhook.
    #[must_use]
    pub fn new(settings: WebhookSettings, secret: &WebhookSecret, now: Timestamp) -> Self {
        Self {
            form: FORM,
            settings,
            secret: secret.reveal(),
            former: None,
            created_at_ms: now.as_unix_ms(),
            updated_at_ms: now.as_unix_ms(),
        }
    }

    /// Returns the record with other settings. The document differs from every earlier one, also with equal settings, so that a
    /// webhook that was disabled by its receiver is tried again.
    #[must_use]
    pub fn with_settings(mut self, settings: WebhookSettings, now: Timestamp) -> Self {
        self.settings = settings;
        self.updated_at_ms = now.as_unix_ms().max(self.updated_at_ms.saturating_add(1));
        self
    }

    /// Replaces the secret. The replaced one also signs messages for `overlap_s` seconds; one that was replaced before ends now.
    #[must_use]
    pub fn with_secret(mut self, secret: &WebhookSecret, overlap_s: u32, now: Timestamp) -> Self {
        let until = now.saturating_add_ms(i64::from(overlap_s) * 1000);
        let former = std::mem::replace(&mut self.secret, secret.reveal());
        self.former = (overlap_s > 0).then(|| FormerSecret {
            secret: former,
            until_ms: until.as_unix_ms(),
        });
        self
    }

    /// Returns the secrets that sign messages at `now`: the current one, and the replaced one until its end.
    #[must_use]
    pub fn secrets(&self, now: Timestamp) -> Vec<WebhookSecret> {
        let former = self.former.iter();
        let former = former.filter(|former| now.as_unix_ms() < former.until_ms);
        std::iter::once(&self.secret)
            .chain(former.map(|former| &former.secret))
            .filter_map(|text| WebhookSecret::parse(text))
            .collect()
    }

    /// Returns when the signatures with the replaced secret end.
    #[must_use]
    pub fn former_secret_until(&self) -> Option<Timestamp> {
        let former = self.former.as_ref()?;
        Some(Timestamp::saturating_from_unix_ms(former.until_ms))
    }

    /// Returns when the webhook was created. Only events after this instant are sent.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        Timestamp::saturating_from_unix_ms(self.created_at_ms)
    }

    /// Encodes the document for the store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Texts and numbers alone: there is nothing in it that could not be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a document from the store.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the document cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice::<Self>(bytes)
            .ok()
            .filter(|record| record.form == FORM)
            .ok_or_else(|| StoreError::Corrupt("a webhook's document".to_owned()))
    }
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// The message waits for its next attempt.
    Pending,
    /// The message was given up.
    Dead,
}

/// A message to a webhook that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The event.
    pub event: WebhookEvent,
    /// Where the message stands.
    pub state: DeliveryState,
    /// How many attempts were made since it was created or replayed.
    pub attempts: u32,
    /// When the next attempt is due, in milliseconds since the epoch.
    pub due_ms: i64,
    /// When the message was created, in milliseconds since the epoch.
    pub created_at_ms: i64,
    /// What came of the last attempt; empty before the first.
    pub outcome: String,
    /// The body of the message: a CloudEvent as JSON.
    pub body: String,
}

impl DeliveryRecord {
    /// Encodes the document for the store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a document from the store.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the document cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("a delivery's document".to_owned()))
    }
}

/// An attempt to deliver a message, in the delivery log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The id of the message.
    pub id: String,
    /// The event.
    pub event: WebhookEvent,
    /// When the attempt began, in milliseconds since the epoch.
    pub at_ms: i64,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The status of the response, if there was one.
    pub status: Option<u16>,
    /// Whether the message was delivered.
    pub delivered: bool,
    /// What came of the attempt.
    pub outcome: String,
}

/// Whether a webhook gets messages now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookCondition {
    /// Messages are sent.
    Active,
    /// An administrator has set `active` to `false`.
    Paused,
    /// Several attempts failed one after another, so the next one waits.
    Failing,
    /// The receiver answered 410.
    Gone,
}

/// What delivery runs know of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookStatus {
    /// Whether it gets messages now.
    pub condition: WebhookCondition,
    /// How many messages wait for another attempt.
    pub pending: u64,
    /// How many messages were given up and are kept.
    pub dead: u64,
    /// How many attempts failed one after another.
    pub failures: u32,
    /// Until when no attempt is made, after several failures.
    pub retry_at: Option<Timestamp>,
    /// How many events the webhook missed, because the logs did not keep them until they were read.
    pub missed_events: u64,
    /// The last attempts, newest first.
    pub attempts: Vec<AttemptRecord>,
}
