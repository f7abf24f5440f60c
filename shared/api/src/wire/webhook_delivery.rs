//! Writes the state of webhooks, the attempts to deliver messages, and the messages that were not delivered.

use leaderboard_core::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

#[cfg(feature = "schema")]
use super::webhook::EventWord;
use super::word;
use crate::problem::Problem;
use crate::webhook_record::{AttemptRecord, DeliveryRecord, DeliveryState, WebhookCondition, WebhookStatus};

const CONDITIONS: [(&str, WebhookCondition); 4] = [
    ("active", WebhookCondition::Active),
    ("paused", WebhookCondition::Paused),
    ("failing", WebhookCondition::Failing),
    ("gone", WebhookCondition::Gone),
];

words_schema!(
    ConditionWord,
    "WebhookState",
    "Whether a webhook gets messages. `active`: it does. `paused`: an administrator has set `active` to `false`. `failing`: several attempts failed one after another, and the next one waits until `retry_at`. `gone`: the receiver answered 410; `PUT` the webhook again to resume.",
    CONDITIONS
);

const DELIVERY_STATES: [(&str, DeliveryState); 2] =
    [("pending", DeliveryState::Pending), ("dead", DeliveryState::Dead)];

words_schema!(
    DeliveryStateWord,
    "DeliveryState",
    "Where a message stands. `pending`: it waits for its next attempt. `dead`: it was given up.",
    DELIVERY_STATES
);

/// An attempt to deliver a message.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = WebhookAttempt))]
pub struct AttemptBody<'a> {
    /// The id of the message, which the header `webhook-id` had.
    message: &'a str,
    /// The event of the message; `webhook.ping` for a test.
    event: &'static str,
    /// When the attempt began.
    at: String,
    /// How long the attempt took, in milliseconds; `null` if there was no response. It would tell a closed port from a blocked one.
    duration_ms: Option<i64>,
    /// The number of the attempt, from 1.
    attempt: u32,
    /// The status of the response; `null` if there was none.
    status: Option<u16>,
    /// Whether the message was delivered.
    delivered: bool,
    /// What came of the attempt, in words.
    outcome: &'a str,
}

impl<'a> AttemptBody<'a> {
    /// Returns an attempt.
    pub fn new(attempt: &'a AttemptRecord) -> Self {
        Self {
            message: &attempt.id,
            event: attempt.event.as_str(),
            at: Timestamp::saturating_from_unix_ms(attempt.at_ms).to_string(),
            duration_ms: attempt.status.map(|_| attempt.duration_ms),
            attempt: attempt.attempt,
            status: attempt.status,
            delivered: attempt.delivered,
            outcome: &attempt.outcome,
        }
    }
}

/// Whether a webhook gets its messages, and the last attempts.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = WebhookStatus))]
pub struct StatusBody<'a> {
    /// The id of the webhook.
    id: &'a str,
    /// Whether the webhook gets messages.
    #[cfg_attr(feature = "schema", schema(value_type = ConditionWord))]
    state: &'static str,
    /// How many messages wait for another attempt.
    pending: u64,
    /// How many messages were given up and are kept.
    dead: u64,
    /// How many attempts failed one after another.
    consecutive_failures: u32,
    /// Until when no attempt is made, because several failed or the receiver asked for it; `null` if attempts are made.
    retry_at: Option<String>,
    /// How many events the webhook did not get, because the event logs did not keep them long enough.
    missed_events: u64,
    /// The last attempts, newest first.
    attempts: Vec<AttemptBody<'a>>,
}

impl<'a> StatusBody<'a> {
    /// Returns the state of a webhook.
    pub fn new(id: &'a str, status: &'a WebhookStatus) -> Self {
        Self {
            id,
            state: word(&CONDITIONS, status.condition),
            pending: status.pending,
            dead: status.dead,
            consecutive_failures: status.failures,
            retry_at: status.retry_at.map(|at| at.to_string()),
            missed_events: status.missed_events,
            attempts: status.attempts.iter().map(AttemptBody::new).collect(),
        }
    }
}

/// What is said of a stored message that cannot be read.
pub const UNREADABLE: &str =
    "this version of Edgeboard cannot read the stored message; replay it after an update, or delete it";

/// A message to a webhook that was not delivered yet, or was given up.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = WebhookDelivery))]
pub struct DeliveryBody<'a> {
    /// The id of the message.
    id: &'a str,
    /// Where the message stands.
    #[cfg_attr(feature = "schema", schema(value_type = DeliveryStateWord))]
    state: &'static str,
    /// The event of the message; `null` if this version of Edgeboard cannot read the message.
    #[cfg_attr(feature = "schema", schema(value_type = Option<EventWord>))]
    event: Option<&'static str>,
    /// How many attempts were made.
    attempts: u32,
    /// When the message was created; `null` if this version of Edgeboard cannot read the message.
    created_at: Option<String>,
    /// When the next attempt is due; `null` if the message was given up.
    next_attempt_at: Option<String>,
    /// What came of the last attempt, in words; empty before the first.
    outcome: &'a str,
    /// The body of the message: a CloudEvent; `null` if this version of Edgeboard cannot read the message.
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::AnyMetadata>))]
    body: Option<&'a RawValue>,
}

impl<'a> DeliveryBody<'a> {
    /// Returns a message. `body` is its event, as [`parse_event`] returns it.
    pub fn new(id: &'a str, record: &'a DeliveryRecord, body: &'a RawValue) -> Self {
        let due = Timestamp::saturating_from_unix_ms(record.due_ms);
        Self {
            id,
            state: word(&DELIVERY_STATES, record.state),
            event: Some(record.event.as_str()),
            attempts: record.attempts,
            created_at: Some(Timestamp::saturating_from_unix_ms(record.created_at_ms).to_string()),
            next_attempt_at: (record.state == DeliveryState::Pending).then(|| due.to_string()),
            outcome: &record.outcome,
            body: Some(body),
        }
    }

    /// Returns a message that this version cannot read.
    pub fn unreadable(id: &'a str) -> Self {
        Self {
            id,
            state: word(&DELIVERY_STATES, DeliveryState::Dead),
            event: None,
            attempts: 0,
            created_at: None,
            next_attempt_at: None,
            outcome: UNREADABLE,
            body: None,
        }
    }
}

/// Returns the event of a message as JSON.
///
/// # Errors
/// An internal problem when the stored body is not JSON.
pub fn parse_event(record: &DeliveryRecord) -> Result<Box<RawValue>, Problem> {
    serde_json::from_str(&record.body)
        .map_err(|error| Problem::internal(format!("a stored message is no JSON: {error}")))
}

/// Adds the schemas of deliveries.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<AttemptBody<'_>>();
    all.add::<StatusBody<'_>>();
    all.add_list::<DeliveryBody<'_>>(
        "WebhookDeliveries",
        "deliveries",
        [
            "A page of messages that were not delivered.",
            "The messages, oldest first.",
        ],
    );
}
