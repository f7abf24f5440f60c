//! Applies scores that arrive as messages on a channel instead of requests.
//!
//! A message is `{"tenant": "default", "scores": [ … ]}`. Each submission has the fields of `POST /scores`, and an `id`: every
//! region receives every message, and the ids ensure that it counts once. A submission that cannot be applied becomes a dead
//! letter with a reason. It does not stop the other submissions, and it can be replayed after the cause is removed.
//!
//! A message can name any number of leaderboards. It is applied in parts, each with at most as many leaderboards as one request
//! can name.

mod parts;

mod read;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    ChargeRequest, DeadLetter, DeadLetters, RankDetail, RateLimits, StoredDeadLetter, SubmitOptions,
    Submitted, Usage,
};
use leaderboard_core::usecase::Deps;
use leaderboard_core::{
    Outcome, Refusal, RefusalReason, StoreError, Submission, TenantId, Timestamp, usecase,
};
use serde::Serialize;

use leaderboard_api::tenant_record::TenantState;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_pipeline::switches;
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::TenantConfig;

use self::read::{Faulty, ScoreMessage};

pub use self::read::{MAX_SPLIT_BYTES, MAX_SPLIT_SCORES};

/// The most bytes of a message that a dead letter keeps. Every valid submission is much shorter.
pub const MAX_LETTER_BYTES: usize = 16 * 1024;
/// The most bytes of a dead letter's reason. A reason can contain text that a client sent.
const MAX_REASON_BYTES: usize = 2 * 1024;
/// How many dead letters one command adds to the store.
const LETTERS_AT_ONCE: usize = 1000;

/// The result of a message, as numbers of submissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageReport {
    /// The number of submissions that were applied now.
    pub applied: usize,
    /// The number of submissions that had been applied before, by another region or by an earlier try.
    pub replayed: usize,
    /// The number of submissions (or whole messages that could not be read) that became dead letters.
    pub dead_letters: usize,
    /// The number of submissions that wait until a period has been rebuilt. The caller tries the message again, which is safe.
    pub waiting: usize,
}

/// What happens to a submission if its period is being rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRebuild {
    /// The submission waits, and counts in [`MessageReport::waiting`].
    Wait,
    /// The submission becomes a dead letter.
    DeadLetter,
}

/// Applies a message. Submissions to a period that is being rebuilt wait.
///
/// # Errors
/// As for [`apply_with`].
pub async fn apply_message<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
) -> Result<MessageReport, StoreError> {
    apply_with(env, payload, OnRebuild::Wait).await
}

/// Applies a message.
///
/// # Errors
/// Only [`StoreError`]. The caller can try again, which is safe.
pub async fn apply_with<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
    on_rebuild: OnRebuild,
) -> Result<MessageReport, StoreError> {
    let message = match ScoreMessage::parse(payload) {
        Ok(message) => message,
        Err(faulty) => return faulty.push_all(env, payload, &faulty.problem.one_line()).await,
    };
    let tenant = &message.tenant;
    let tenant_config = TenantConfig::load(env, tenant).await?;
    if let Some(problem) = why_closed(env, tenant, &tenant_config) {
        return message.push_all(env, &problem.one_line()).await;
    }
    let mut answers = Vec::with_capacity(message.items.len());
    let mut failure = None;
    // The region is asked for the configurations of the first part alone, so that what a message costs there is bounded.
    let mut cache = env.cache();
    for part in parts::parts(&message.items, |(item, _)| &item.submission.leaderboards) {
        let submissions: Vec<_> = part.iter().map(|(item, _)| item.submission.clone()).collect();
        match submit(env, tenant, &tenant_config, &submissions, (cache.take(), None)).await {
            Ok(submitted) => answers.extend(submitted.answers),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    leaderboard_responses::invalidate_submitted(env, tenant, answers.iter().flatten().flatten());
    let mut report = MessageReport::default();
    let mut letters = message.refused_letters(env.now());
    for (answer, (item, text)) in answers.iter().zip(&message.items) {
        match answer {
            Err(Refusal {
                reason: RefusalReason::Rebuilding,
                ..
            }) if on_rebuild == OnRebuild::Wait => report.waiting += 1,
            Ok(outcomes) if outcomes.iter().all(|outcome| outcome.replayed) => report.replayed += 1,
            Ok(_) => report.applied += 1,
            Err(refusal) => {
                let reason = Problem::lasting_reason(refusal, &item.place);
                letters.push(letter(env.now(), &reason, tenant, text));
            }
        }
    }
    // What is applied now is a replay when the message comes again.
    count(env, tenant, report.applied).await;
    if let Some(error) = failure {
        return Err(error);
    }
    report.dead_letters = letters.len();
    push(env, Some(tenant), &letters).await?;
    Ok(report)
}

/// Returns why messages of a tenant are not applied now; `None` if they are.
fn why_closed<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
) -> Option<Problem> {
    if switches::writes_are_off(env, tenant, tenant_config) {
        Some(Problem::new(ProblemType::WritesDisabled))
    } else if tenant_config.tenant.state == TenantState::Suspended {
        Some(Problem::new(ProblemType::TenantSuspended))
    } else {
        None
    }
}

/// Applies submissions of messages to at most [`leaderboard_api::wire::submission::MAX_REQUEST_LEADERBOARDS`] leaderboards, with
/// cached configurations. The score of a submission without a time happened at `received_at`, or now.
async fn submit<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    submissions: &[Submission],
    (cache, received_at): (Option<&E::Cache>, Option<Timestamp>),
) -> Result<Submitted, StoreError> {
    let deps = Deps {
        store: env.store(),
        cache,
        leaderboard_memory: env.leaderboard_memory(),
        tenant,
        now: env.now(),
    };
    let options = SubmitOptions {
        announce_on: env.changes_channel().cloned(),
        max_tenant_entries: tenant_config.tenant.quotas.entries,
        max_log_bytes: Some(tenant_config.tenant.quotas.max_log_bytes()),
        received_at,
        ..SubmitOptions::new(RankDetail::Omitted)
    };
    usecase::submit_scores(&deps, &Caller::Message, submissions, &options)
        .await
        .inspect_err(|_| leaderboard_responses::invalidate_if_submitted(env, tenant, submissions.iter()))
}

/// Applies the submission of a dead letter as if its message had just arrived. The score of a submission without `occurred_at`
/// happened when the message became a dead letter. Returns the outcomes; if the submission had been applied in the meantime, they
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
    let message = ScoreMessage::parse(&stored.letter.payload).map_err(|faulty| {
        not_replayable(&format!(
            "the message cannot be read: {}",
            faulty.problem.one_line()
        ))
    })?;
    if let Some(problem) = why_closed(env, &message.tenant, tenant_config) {
        return Err(problem);
    }
    let (item, submission) = match (message.items.as_slice(), message.refused.as_slice()) {
        ([(item, _)], []) => (item, item.submission.clone()),
        (_, [(problem, _), ..]) => return Err(not_replayable(&problem.one_line())),
        _ => return Err(not_replayable("the message does not hold one submission")),
    };
    let tenant = &message.tenant;
    let submissions = [submission];
    let received_at = Some(stored.letter.at);
    let submitted = submit(
        env,
        tenant,
        tenant_config,
        &submissions,
        (env.cache(), received_at),
    )
    .await?;
    leaderboard_responses::invalidate_submitted(env, tenant, submitted.answers.iter().flatten().flatten());
    let answer = submitted.answers.into_iter().next();
    let outcomes = answer
        .ok_or_else(|| Problem::internal("a submission was not answered"))?
        .map_err(|refusal| {
            // In words alone: the fields are the message's, not the request's.
            let problem = Problem::of_refusal(&refusal, &item.place);
            Problem::new(problem.kind).with_detail(problem.one_line())
        })?;
    if !outcomes.iter().all(|outcome| outcome.replayed) {
        count(env, tenant, 1).await;
    }
    Ok(outcomes)
}

fn not_replayable(why: &str) -> Problem {
    Problem::new(ProblemType::NotReplayable).with_detail(why)
}

/// Returns whether the payload of a dead letter is the whole message. A message that is too long is cut.
pub fn is_complete(letter: &DeadLetter) -> bool {
    letter.payload.len() < MAX_LETTER_BYTES
}

/// Adds the applied scores to the tenant's usage. Every region receives every message, but only one region applies it.
async fn count<E: ResponseEnvironment>(env: &E, tenant: &TenantId, applied: usize) {
    let scores = u64::try_from(applied).unwrap_or(u64::MAX);
    let usage = Usage { requests: 0, scores };
    let charge_request = ChargeRequest {
        usage,
        ..ChargeRequest::default()
    };
    if applied > 0 {
        // A failure to count does not undo the submissions.
        let _ = env.store().report(tenant, &charge_request).await;
    }
}

impl ScoreMessage {
    /// Returns a dead letter for each submission that could not be read, with its own reason.
    fn refused_letters(&self, at: Timestamp) -> Vec<DeadLetter> {
        self.refused
            .iter()
            .map(|(problem, text)| letter(at, &problem.one_line(), &self.tenant, text))
            .collect()
    }

    /// Stores every submission as a dead letter. Those that could be read get this reason.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn push_all<E: ResponseEnvironment>(
        &self,
        env: &E,
        reason: &str,
    ) -> Result<MessageReport, StoreError> {
        let at = env.now();
        let mut letters = self.refused_letters(at);
        let read = self.items.iter();
        letters.extend(read.map(|(_, text)| letter(at, reason, &self.tenant, text)));
        push(env, Some(&self.tenant), &letters).await?;
        Ok(MessageReport {
            dead_letters: letters.len(),
            ..MessageReport::default()
        })
    }
}

/// Returns a dead letter with one submission, in the form of a message that can be sent again. A submission that is longer than
/// every valid one is cut.
fn letter(at: Timestamp, reason: &str, tenant: &TenantId, item: &str) -> DeadLetter {
    let payload = format!("{{\"tenant\":\"{tenant}\",\"scores\":[{item}]}}");
    cut_letter(at, reason, payload.into_bytes())
}

/// Returns a dead letter, with its payload and reason cut to the most bytes that a dead letter keeps.
fn cut_letter(at: Timestamp, reason: &str, mut payload: Vec<u8>) -> DeadLetter {
    payload.truncate(MAX_LETTER_BYTES);
    let whole = |end: &usize| reason.is_char_boundary(*end);
    let end = (0..=MAX_REASON_BYTES.min(reason.len())).rev().find(whole);
    let reason = reason.get(..end.unwrap_or(0)).unwrap_or_default().to_owned();
    DeadLetter { at, reason, payload }
}

impl Faulty {
    /// Stores the message as dead letters: one for each submission, or one with the whole message, cut to [`MAX_LETTER_BYTES`],
    /// if its submissions cannot be separated.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn push_all<E: ResponseEnvironment>(
        &self,
        env: &E,
        payload: &[u8],
        reason: &str,
    ) -> Result<MessageReport, StoreError> {
        match &self.parts {
            Some(message) => message.push_all(env, reason).await,
            None => push_unreadable(env, payload, reason).await,
        }
    }
}

/// Stores a message that the caller could not apply as dead letters: one for each submission, or one with the whole message, cut
/// to [`MAX_LETTER_BYTES`], if its submissions cannot be separated.
///
/// # Errors
/// [`StoreError`].
pub async fn push_as_dead_letters<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
    reason: &str,
) -> Result<MessageReport, StoreError> {
    match ScoreMessage::parse(payload) {
        Ok(message) => message.push_all(env, reason).await,
        Err(faulty) => faulty.push_all(env, payload, reason).await,
    }
}

async fn push_unreadable<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
    reason: &str,
) -> Result<MessageReport, StoreError> {
    let kept = payload.get(..MAX_LETTER_BYTES).unwrap_or(payload);
    let letter = cut_letter(env.now(), reason, kept.to_vec());
    push(env, None, &[letter]).await?;
    Ok(MessageReport {
        dead_letters: 1,
        ..MessageReport::default()
    })
}

/// Adds dead letters to the store. One command adds at most [`LETTERS_AT_ONCE`], because the store does nothing else during a
/// command.
async fn push<E: ResponseEnvironment>(
    env: &E,
    tenant: Option<&TenantId>,
    letters: &[DeadLetter],
) -> Result<(), StoreError> {
    for some in letters.chunks(LETTERS_AT_ONCE) {
        env.store().push_dead_letters(tenant, some).await?;
    }
    Ok(())
}
