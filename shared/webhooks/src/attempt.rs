//! One attempt to deliver a message.

use bytes::Bytes;
use leaderboard_api::webhook_record::{AttemptRecord, WebhookRecord};
use leaderboard_environment::{Fetch, FetchError, PostRequest, PostResponse};
use leaderboard_identity::token::{Hosts, checked_url};
use leaderboard_pipeline::PipelineEnvironment;

use crate::message::Message;
use crate::retry::parse_retry_after;

/// The media type of a CloudEvent.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The name of this program in requests.
const USER_AGENT: &str = concat!("edgeboard/", env!("CARGO_PKG_VERSION"));
/// The status with which a receiver says that it wants no further messages.
const GONE: u16 = 410;
/// What is said of a receiver that did not answer. One text for all reasons: otherwise, a tenant could find out which addresses and ports
/// of a private network answer, where a public name leads there.
pub(crate) const NO_RESPONSE: &str = "no response: the receiver cannot be reached, answers too late, or is in a network that the operator blocks";
/// The statuses whose `Retry-After` is about the receiver, and not about the one message.
const BUSY: [u16; 2] = [429, 503];

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The receiver accepted the message (2xx).
    Delivered,
    /// The receiver wants no further messages.
    Gone,
    /// The message is to be sent again.
    Failed {
        /// The wait that the receiver asked for, in milliseconds.
        retry_after_ms: Option<i64>,
        /// Whether the receiver asked for this wait before any further message.
        is_busy: bool,
    },
}

/// Returns the hosts that a webhook may name.
pub(crate) fn allowed_hosts<E: PipelineEnvironment>(env: &E) -> Hosts {
    if env.settings().private_webhook_hosts {
        Hosts::Any
    } else {
        Hosts::Public
    }
}

/// Signs a message with each secret of the webhook, sends it, and returns what came of it.
pub(crate) async fn send<E: PipelineEnvironment>(
    env: &E,
    record: &WebhookRecord,
    message: &Message,
) -> (AttemptRecord, Outcome) {
    let began = env.clock();
    let sent = post(env, record, message).await;
    let ended = env.clock();
    let (status, outcome, text) = match &sent {
        Ok(response) => judge(response, ended),
        Err(error) => (None, failed(None), describe(error)),
    };
    let attempt = AttemptRecord {
        id: message.id.clone(),
        event: message.event,
        at_ms: began.as_unix_ms(),
        duration_ms: ended.as_unix_ms().saturating_sub(began.as_unix_ms()),
        attempt: message.attempts.saturating_add(1),
        status,
        delivered: outcome == Outcome::Delivered,
        outcome: text,
    };
    (attempt, outcome)
}

async fn post<E: PipelineEnvironment>(
    env: &E,
    record: &WebhookRecord,
    message: &Message,
) -> Result<PostResponse, FetchError> {
    let url = &record.settings.url;
    // The operator may have forbidden private hosts after the webhook was stored.
    checked_url(url, allowed_hosts(env))
        .map_err(|problem| FetchError::Unusable(format!("the address {problem}")))?;
    let now = env.clock();
    let timestamp_s = now.as_unix_ms().div_euclid(1000);
    let body = Bytes::from(message.body.clone());
    let secrets = record.secrets(now).into_iter();
    let signatures: Vec<String> = secrets
        .map(|secret| secret.sign(&message.id, timestamp_s, &body))
        .collect();
    let headers = [
        ("content-type", CONTENT_TYPE.to_owned()),
        ("content-length", body.len().to_string()),
        ("user-agent", USER_AGENT.to_owned()),
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", timestamp_s.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ];
    let request = PostRequest {
        url,
        headers: &headers,
        body,
    };
    let response = env.fetch().post(&request).await;
    response.map_err(|error| match error {
        FetchError::NotGranted => error,
        FetchError::Prohibited | FetchError::Unusable(_) | FetchError::Unreachable(_) => {
            FetchError::Unreachable(error.to_string())
        }
    })
}

const fn failed(retry_after_ms: Option<i64>) -> Outcome {
    Outcome::Failed {
        retry_after_ms,
        is_busy: false,
    }
}

/// Returns the status, what it means, and a text for the delivery log. The text has nothing of the response but its status.
fn judge(response: &PostResponse, now: leaderboard_core::Timestamp) -> (Option<u16>, Outcome, String) {
    let status = response.status;
    let retry_after_ms = response
        .retry_after
        .as_deref()
        .and_then(|text| parse_retry_after(text, now));
    let (outcome, text) = match status {
        200..=299 => (Outcome::Delivered, "delivered".to_owned()),
        GONE => (
            Outcome::Gone,
            "answered 410: the receiver wants no messages".to_owned(),
        ),
        300..=399 => (
            failed(None),
            format!("answered {status}: redirects are not followed"),
        ),
        _ => {
            let outcome = Outcome::Failed {
                retry_after_ms,
                is_busy: retry_after_ms.is_some() && BUSY.contains(&status),
            };
            (outcome, format!("answered {status}"))
        }
    };
    (Some(status), outcome, text)
}

/// Returns why no response arrived. The text does not say what is in the operator's network: it depends on the address and on the
/// operator's variables alone.
fn describe(error: &FetchError) -> String {
    match error {
        FetchError::NotGranted => "the operator's variable webhook_hosts does not cover the host".to_owned(),
        FetchError::Unusable(what) => what.clone(),
        FetchError::Prohibited | FetchError::Unreachable(_) => NO_RESPONSE.to_owned(),
    }
}
