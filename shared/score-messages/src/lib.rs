//! Applies scores that no request waits for: those that arrive as messages on a channel, and those in the queue.
//!
//! A message is `{"tenant": "default", "scores": [ … ]}`. Each submission has the fields of `POST /scores`, and an `id`: every
//! region receives every message, and the ids ensure that it counts once. A submission that cannot be applied becomes a dead
//! letter with a reason. It does not stop the other submissions, and it can be replayed after the cause is removed.
//!
//! A message can name any number of leaderboards. It is applied in parts, each with at most as many leaderboards as one request
//! can name.
//!
//! An item of the queue ([`leaderboard_core::ports::Queue`]) is a message, or a request that the API accepted. [`drain`] applies
//! items, several in one call of the store. The ids of their submissions ensure that an item counts once although it can be applied
//! more than once.

mod apply;
mod drain;
mod job;
mod letters;
mod mentions;
mod parts;
mod read;
mod request;
mod result;
mod settle;

use leaderboard_core::ports::{EnqueueRefusal, NewQueueItem, Queue, QueuedRequest, StoredDeadLetter};
use leaderboard_core::{Outcome, Refusal, RefusalReason, StoreError, Submission};
use leaderboard_identity::hex::encode as hex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use leaderboard_api::{Problem, ProblemType};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::TenantConfig;

use self::apply::{apply_all, count, why_closed};
use self::job::message_of;
use self::letters::push;
use self::read::{MessageItem, ScoreMessage};
use self::request::{ReadRequest, is_request};

pub use self::drain::{MAX_DRAINED, drain};
pub use self::letters::{MAX_LETTER_BYTES, is_complete, push_as_dead_letters};
pub use self::mentions::{is_letter_about, is_request_about};
pub use self::read::{MAX_SPLIT_BYTES, MAX_SPLIT_SCORES, is_wake_up};
pub use self::request::{AcceptedRequest, read_submissions, replace_me};
pub use self::result::RequestResult;
pub use self::settle::{DrainReport, LEASE_MS, MAX_ATTEMPTS};

/// The result of a message, as numbers of submissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageReport {
    /// The number of submissions that were applied now.
    pub applied: usize,
    /// The number of submissions that had been applied before, by another region or by an earlier try.
    pub replayed: usize,
    /// The number of submissions (or whole messages that could not be read) that became dead letters.
    pub dead_letters: usize,
    /// The number of submissions that wait in the queue until a period has been rebuilt.
    pub queued: usize,
}

/// Applies a message. Submissions to a period that is being rebuilt are appended to the queue, or become dead letters if the queue
/// is full.
///
/// # Errors
/// Only [`StoreError`]. The caller can try again, which is safe.
pub async fn apply_message<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
) -> Result<MessageReport, StoreError> {
    let message = match ScoreMessage::parse(payload) {
        Ok(message) => message,
        Err(faulty) => {
            let reason = faulty.problem.one_line();
            return faulty.push_all(env, None, env.now(), payload, &reason).await;
        }
    };
    let tenant = &message.tenant;
    let tenant_config = TenantConfig::load(env, tenant).await?;
    if let Some(problem) = why_closed(env, tenant, &tenant_config) {
        return message.push_all(env, env.now(), &problem.one_line()).await;
    }
    let caller = message.caller();
    let items = message.items.iter();
    let sent: Vec<_> = items.map(|one| (&caller, &one.item.submission)).collect();
    let applied = apply_all(env, tenant, &tenant_config, &sent).await;
    let mut report = MessageReport::default();
    let mut letters = message.refused_letters(env.now());
    let mut waiting: Vec<(&MessageItem, String)> = Vec::new();
    for (answer, one) in applied.answers.iter().zip(&message.items) {
        match answer {
            None => {}
            Some(Ok(outcomes)) if outcomes.iter().all(|outcome| outcome.replayed) => report.replayed += 1,
            Some(Ok(_)) => report.applied += 1,
            Some(Err(refusal)) => {
                let reason = Problem::lasting_reason(refusal, &one.item.place);
                if is_rebuilding(refusal) {
                    waiting.push((one, reason));
                } else {
                    letters.push(message.item_letter(env.now(), &reason, one));
                }
            }
        }
    }
    // What is applied now is a replay when the message comes again.
    count(env, tenant, report.applied).await;
    if let Some(error) = applied.failure {
        return Err(error);
    }
    if enqueue_part(env, &message, waiting.iter().map(|(one, _)| *one)).await? {
        report.queued = waiting.len();
    } else {
        let waiting = waiting.iter();
        letters.extend(waiting.map(|(one, reason)| message.item_letter(env.now(), reason, one)));
    }
    report.dead_letters = letters.len();
    push(env, Some(tenant), &letters).await?;
    Ok(report)
}

/// Returns whether a refusal is over after a time.
pub(crate) fn is_rebuilding(refusal: &Refusal) -> bool {
    refusal.reason == RefusalReason::Rebuilding
}

/// Appends some submissions of a message to the queue. The id of the item depends on them alone, so the regions append it once. If an
/// earlier copy was given up, the message was published again after its dead letters, and is queued again. Returns whether the queue
/// has the submissions; not if it is full.
///
/// # Errors
/// [`StoreError`].
async fn enqueue_part<E: ResponseEnvironment>(
    env: &E,
    message: &ScoreMessage,
    items: impl Iterator<Item = &MessageItem>,
) -> Result<bool, StoreError> {
    let texts: Vec<_> = items.map(MessageItem::text).collect();
    if texts.is_empty() {
        return Ok(true);
    }
    let texts = texts.iter().map(AsRef::as_ref);
    let payload = message.text_of(message.request_digest.as_ref(), texts);
    let digest: [u8; 32] = Sha256::digest(&payload).into();
    let digest = digest.first_chunk().copied().unwrap_or_default();
    let item = NewQueueItem {
        id: &format!("message-{}", hex(&digest)),
        player: None,
        digest,
        payload: payload.as_bytes(),
    };
    let (store, tenant) = (env.store(), &message.tenant);
    let enqueued = store.enqueue(tenant, &item).await?;
    if enqueued.is_ok() && is_dead(store.find_request(tenant, item.id).await?) {
        // Only a request that is done is deleted: another region may have queued the message again by now.
        store.delete_request(tenant, item.id).await?;
        return Ok(store.enqueue(tenant, &item).await? != Err(EnqueueRefusal::QueueFull));
    }
    Ok(enqueued != Err(EnqueueRefusal::QueueFull))
}

/// Returns whether a request was given up.
fn is_dead(found: Option<QueuedRequest>) -> bool {
    let result = found.and_then(|found| found.result);
    let result = result.map(|bytes| RequestResult::decode(&bytes));
    matches!(result, Some(Ok(RequestResult::Dead { .. })))
}

/// Applies the submissions of a dead letter, usually one, as if its message had just arrived. The score of a submission without
/// `occurred_at` happened at the letter's instant. Returns the outcomes; if the submission had been applied in the meantime, they
/// are marked as replayed.
///
/// # Errors
/// Why the submission still cannot be applied.
pub async fn replay_dead_letter<E: ResponseEnvironment>(
    env: &E,
    tenant_config: &TenantConfig,
    stored: &StoredDeadLetter,
) -> Result<Vec<Outcome>, Problem> {
    if !is_complete(&stored.letter) {
        return Err(not_replayable("the message was too long to be kept whole"));
    }
    let message = read_letter(stored)
        .map_err(|problem| not_replayable(&format!("the message cannot be read: {}", problem.one_line())))?;
    if let Some(problem) = why_closed(env, &message.tenant, tenant_config) {
        return Err(problem);
    }
    if let Some((problem, _)) = message.refused.first() {
        return Err(not_replayable(&problem.one_line()));
    }
    let submissions = message.items.iter().map(|one| Submission {
        received_at: Some(stored.letter.at),
        ..one.item.submission.clone()
    });
    let submissions: Vec<_> = submissions.collect();
    let (tenant, caller) = (&message.tenant, message.caller());
    let sent: Vec<_> = submissions
        .iter()
        .map(|submission| (&caller, submission))
        .collect();
    let applied = apply_all(env, tenant, tenant_config, &sent).await;
    if let Some(error) = applied.failure {
        return Err(error.into());
    }
    let (mut outcomes, mut new) = (Vec::new(), 0);
    for (answer, one) in applied.answers.into_iter().zip(&message.items) {
        let answer = answer.ok_or_else(|| Problem::internal("a submission was not answered"))?;
        let answer = answer.map_err(|refusal| {
            // In words alone: the fields are the message's, not the request's.
            let problem = Problem::of_refusal(&refusal, &one.item.place);
            Problem::new(problem.kind).with_detail(problem.one_line())
        })?;
        new += usize::from(!answer.iter().all(|outcome| outcome.replayed));
        outcomes.extend(answer);
    }
    count(env, tenant, new).await;
    Ok(outcomes)
}

/// Reads a dead letter: a message with one submission, or a request that the version could not read that took it from the queue. No
/// submission of such a request was applied before, so its ids can depend on the id of the letter.
fn read_letter(stored: &StoredDeadLetter) -> Result<ScoreMessage, Problem> {
    let payload = &stored.letter.payload;
    if let Some(tenant) = stored.tenant.as_ref().filter(|_| is_request(payload)) {
        let request = ReadRequest::decode(payload, &format!("letter-{}", stored.id))?;
        return Ok(message_of(tenant, request));
    }
    let message = ScoreMessage::parse(payload).map_err(|faulty| faulty.problem)?;
    if message.items.len() + message.refused.len() == 1 {
        Ok(message)
    } else {
        Err(Problem::new(ProblemType::NotReplayable).with_detail("it does not hold one submission"))
    }
}

fn not_replayable(why: &str) -> Problem {
    Problem::new(ProblemType::NotReplayable).with_detail(why)
}
