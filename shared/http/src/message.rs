//! Scores that come as messages on a channel instead of requests.
//!
//! `{"tenant": "default", "scores": [ … ]}`, each submission as in `POST /scores`, and each with an `id`:
//! every region receives every message, and the ids make it count once. Each submission that cannot be applied becomes a dead
//! letter with its reason: never silently dropped, never in the way of the rest, and to be replayed when the reason is gone.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    DeadLetter, DeadLetters, Metering, RankDetail, RateLimits, StoredDeadLetter, SubmitTerms, Submitted,
    Usage,
};
use leaderboard_core::usecase::Deps;
use leaderboard_core::{
    Outcome, Refusal, RefusalReason, StoreError, Submission, TenantId, Timestamp, usecase,
};
use serde::Serialize;

use crate::edge::{Knowledge, TenantState};
use crate::environment::Environment;
use crate::json::{self, Errors, Field, Json};
use crate::me;
use crate::pipeline::switches;
use crate::problem::Problem;
use crate::views;
use crate::wire::submission::{Destination, Item, Sender, batch_items, submission};
use crate::{FieldError, MAX_BODY_BYTES, ProblemType};

/// The most bytes of a message that a dead letter keeps. No submission that is valid comes near it.
pub const MAX_LETTER_BYTES: usize = 16 * 1024;

/// What became of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageReport {
    /// Submissions applied now.
    pub applied: usize,
    /// Submissions that had been applied before: by another region, or by an earlier try.
    pub replayed: usize,
    /// Submissions (or whole messages that could not be read) put into the dead letters.
    pub buried: usize,
}

/// Applies a message.
///
/// # Errors
/// [`StoreError`] alone: the caller tries again, which is safe.
pub async fn apply<E: Environment>(env: &E, payload: &[u8]) -> Result<MessageReport, StoreError> {
    let message = match Message::parse(payload) {
        Ok(message) => message,
        Err(problem) => return push_unreadable(env, payload, &problem.one_line()).await,
    };
    let tenant = &message.tenant;
    let knowledge = Knowledge::of(env, tenant).await?;
    if let Some(problem) = why_closed(env, tenant, &knowledge) {
        return message.push_all(env, &problem.one_line()).await;
    }
    let submissions: Vec<_> = message
        .items
        .iter()
        .map(|(item, _)| item.submission.clone())
        .collect();
    let submitted = submit(env, tenant, &knowledge, &submissions, None).await?;
    let mut report = MessageReport::default();
    let mut letters = message.refused_letters(env.now());
    let mut is_rebuilding = false;
    for (answer, (item, text)) in submitted.answers.iter().zip(&message.items) {
        match answer {
            Err(Refusal {
                reason: RefusalReason::Rebuilding,
                ..
            }) => is_rebuilding = true,
            Ok(outcomes) if outcomes.iter().all(|outcome| outcome.replayed) => report.replayed += 1,
            Ok(_) => report.applied += 1,
            Err(refusal) => {
                let problem = Problem::of_refusal(refusal, &item.place);
                letters.push(letter(env.now(), problem.one_line(), tenant, text));
            }
        }
    }
    report.buried = letters.len();
    push(env, Some(tenant), &letters).await?;
    count(env, tenant, report.applied).await;
    if is_rebuilding {
        return Err(StoreError::Unavailable("a period is being rebuilt".into()));
    }
    Ok(report)
}

/// Why nothing of a tenant is applied now.
fn why_closed<E: Environment>(env: &E, tenant: &TenantId, knowledge: &Knowledge) -> Option<Problem> {
    if switches::writes_are_off(env, tenant, knowledge) {
        Some(Problem::new(ProblemType::WritesDisabled))
    } else if knowledge.tenant.state == TenantState::Suspended {
        Some(Problem::new(ProblemType::TenantSuspended))
    } else {
        None
    }
}

/// Settles submissions of messages.
async fn submit<E: Environment>(
    env: &E,
    tenant: &TenantId,
    knowledge: &Knowledge,
    submissions: &[Submission],
    received_at: Option<Timestamp>,
) -> Result<Submitted, StoreError> {
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now: env.now(),
    };
    let terms = SubmitTerms {
        announce_on: env.settings().changes_channel.clone(),
        max_tenant_entries: knowledge.tenant.quotas.entries,
        max_log_bytes: Some(knowledge.tenant.quotas.max_log_bytes()),
        received_at,
        ..SubmitTerms::new(RankDetail::Omitted)
    };
    let submitted = usecase::submit(&deps, tenant, &Caller::Message, submissions, &terms)
        .await
        .inspect_err(|_| views::perhaps_submitted(env, tenant, submissions.iter()))?;
    views::submitted(env, tenant, submitted.answers.iter().flatten().flatten());
    Ok(submitted)
}

/// Applies the submission of a dead letter, as if its message came now; one without `occurred_at` happened when the message was
/// given up. The outcomes; those of a submission that had been applied meanwhile are marked as replayed.
///
/// # Errors
/// Why it still cannot be applied.
pub(crate) async fn replay<E: Environment>(
    env: &E,
    knowledge: &Knowledge,
    stored: &StoredDeadLetter,
) -> Result<Vec<Outcome>, Problem> {
    if !is_complete(&stored.letter) {
        return Err(not_replayable("the message was too long to be kept whole"));
    }
    let message = Message::parse(&stored.letter.payload)
        .map_err(|problem| not_replayable(&format!("the message cannot be read: {}", problem.one_line())))?;
    if let Some(problem) = why_closed(env, &message.tenant, knowledge) {
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
    let submitted = submit(env, tenant, knowledge, &submissions, received_at).await?;
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

/// Whether the payload is all of the message: one that is too long is cut.
pub(crate) fn is_complete(letter: &DeadLetter) -> bool {
    letter.payload.len() < MAX_LETTER_BYTES
}

/// Adds the scores that were applied to the tenant's usage. Every region receives every message, and one of them applies it.
async fn count<E: Environment>(env: &E, tenant: &TenantId, applied: usize) {
    let scores = u64::try_from(applied).unwrap_or(u64::MAX);
    let usage = Usage { requests: 0, scores };
    let metering = Metering {
        usage,
        ..Metering::default()
    };
    if applied > 0 {
        // What is applied stays applied, counted or not.
        let _ = env.store().report(tenant, &metering).await;
    }
}

/// A message that could be read, if not in all of its items.
struct Message {
    tenant: TenantId,
    /// Submissions, each with its text.
    items: Vec<(Item, String)>,
    /// What is wrong with the others, each with its text.
    refused: Vec<(Problem, String)>,
}

impl Message {
    /// Reads the bytes of a message.
    ///
    /// # Errors
    /// What is wrong with the message as a whole.
    fn parse(payload: &[u8]) -> Result<Self, Problem> {
        if payload.len() > MAX_BODY_BYTES {
            return Err(Problem::new(ProblemType::BodyTooLarge));
        }
        Self::read(&json::parse(payload)?)
    }

    /// Letters of the submissions that could not be read, each with its own reason.
    fn refused_letters(&self, at: Timestamp) -> Vec<DeadLetter> {
        self.refused
            .iter()
            .map(|(problem, text)| letter(at, problem.one_line(), &self.tenant, text))
            .collect()
    }

    /// Puts every submission into the dead letters, those that could be read for this reason.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn push_all<E: Environment>(&self, env: &E, reason: &str) -> Result<MessageReport, StoreError> {
        let at = env.now();
        let mut letters = self.refused_letters(at);
        let read = self.items.iter();
        letters.extend(read.map(|(_, text)| letter(at, reason.to_owned(), &self.tenant, text)));
        push(env, Some(&self.tenant), &letters).await?;
        Ok(MessageReport {
            buried: letters.len(),
            ..MessageReport::default()
        })
    }

    /// # Errors
    /// What is wrong with the message as a whole.
    fn read(tree: &Json<'_>) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let message = Field::root(tree).object(&mut errors).and_then(|fields| {
            fields.only(&["tenant", "scores"], &mut errors);
            let tenant = fields
                .required("tenant", &mut errors)
                .and_then(|field| field.parsed(TenantId::new, &mut errors));
            let batch = fields.required("scores", &mut errors)?;
            let values = batch_items(&batch, Sender::Server, &mut errors)?;
            let mut message = Self {
                tenant: tenant?,
                items: Vec::with_capacity(values.len()),
                refused: Vec::new(),
            };
            for value in values {
                match read_item(value) {
                    Ok(item) => message.items.push((item, value.to_text())),
                    Err(problem) => message.refused.push((problem, value.to_text())),
                }
            }
            Some(message)
        });
        errors.check()?;
        message.ok_or_else(|| Problem::internal("a message without errors was not understood"))
    }
}

/// One submission. Its letter holds it alone, so pointers begin at `#/scores/0`.
fn read_item(value: &Json<'_>) -> Result<Item, Problem> {
    let mut errors = Errors::default();
    let root = Field::root(value);
    let scores = json::Pointer::Key(&root.pointer, "scores");
    let field = Field {
        value,
        pointer: json::Pointer::Index(&scores, 0),
    };
    let item = field
        .object(&mut errors)
        .and_then(|fields| submission(fields, Destination::Body, &mut errors));
    errors.check()?;
    let item = item.ok_or_else(|| Problem::internal("an item without errors was not understood"))?;
    if let Err(detail) = me::named(&Caller::Message, &item.submission.player) {
        return Err(
            Problem::new(ProblemType::Validation).with_error(FieldError::body("#/scores/0/player", detail))
        );
    }
    if item.submission.id.is_none() {
        return Err(Problem::new(ProblemType::Validation).with_error(FieldError::body(
            "#/scores/0/id",
            "is required in a message: every region receives it",
        )));
    }
    Ok(item)
}

/// A letter with one submission, as a message that can be sent again. One that is longer than any that is valid is cut.
fn letter(at: Timestamp, reason: String, tenant: &TenantId, item: &str) -> DeadLetter {
    let mut payload = format!("{{\"tenant\":\"{tenant}\",\"scores\":[{item}]}}").into_bytes();
    payload.truncate(MAX_LETTER_BYTES);
    DeadLetter { at, reason, payload }
}

/// Puts a message into the dead letters that the caller could not get applied: a letter for each submission, or the whole of a
/// message that cannot be read, cut to [`MAX_LETTER_BYTES`].
///
/// # Errors
/// [`StoreError`].
pub async fn bury<E: Environment>(
    env: &E,
    payload: &[u8],
    reason: &str,
) -> Result<MessageReport, StoreError> {
    match Message::parse(payload) {
        Ok(message) => message.push_all(env, reason).await,
        Err(_) => push_unreadable(env, payload, reason).await,
    }
}

async fn push_unreadable<E: Environment>(
    env: &E,
    payload: &[u8],
    reason: &str,
) -> Result<MessageReport, StoreError> {
    let mut payload = payload.to_vec();
    payload.truncate(MAX_LETTER_BYTES);
    let letter = DeadLetter {
        at: env.now(),
        reason: reason.to_owned(),
        payload,
    };
    push(env, None, &[letter]).await?;
    Ok(MessageReport {
        buried: 1,
        ..MessageReport::default()
    })
}

/// One command for all of them.
async fn push<E: Environment>(
    env: &E,
    tenant: Option<&TenantId>,
    letters: &[DeadLetter],
) -> Result<(), StoreError> {
    if letters.is_empty() {
        return Ok(());
    }
    env.store().push_dead_letters(tenant, letters).await
}
