//! Scores that come as messages on a channel instead of requests.
//!
//! `{"tenant": "default", "scores": [ … ]}`, each submission as in `POST /scores`, and each with an `id`:
//! every region receives every message, and the ids make it count once. What cannot be applied is buried in
//! the dead letters with its reason, never silently dropped, and never in the way of the rest.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    DeadLetter, DeadLetters, Metering, RankDetail, RateLimits, SubmitTerms, Usage,
};
use leaderboard_core::usecase::Deps;
use leaderboard_core::{StoreError, TenantId, Timestamp, usecase};
use serde::Serialize;

use crate::edge::{Knowledge, TenantState};
use crate::environment::Environment;
use crate::json::{self, Errors, Field, Json};
use crate::pipeline::switches;
use crate::problem::Problem;
use crate::views;
use crate::wire::submission::{Destination, Item, batch_items, submission};
use crate::{FieldError, MAX_BODY_BYTES, ProblemType};

/// The most bytes of a message that a dead letter keeps.
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
    let now = env.now();
    let mut report = MessageReport::default();
    let parsed = if payload.len() > MAX_BODY_BYTES {
        Err(Problem::new(ProblemType::BodyTooLarge))
    } else {
        json::parse(payload)
    };
    let message = parsed.and_then(|tree| Message::read(&tree));
    let Message {
        tenant,
        items,
        refused,
    } = match message {
        Ok(message) => message,
        Err(problem) => {
            return bury(env, payload, &problem.one_line()).await;
        }
    };
    let knowledge = Knowledge::of(env, &tenant).await?;
    if switches::writes_are_off(env, &tenant, &knowledge) {
        let off = Problem::new(ProblemType::WritesDisabled);
        return bury(env, payload, &off.one_line()).await;
    }
    let known = &knowledge.tenant;
    if known.state == TenantState::Suspended {
        let suspended = Problem::new(ProblemType::TenantSuspended);
        return bury(env, payload, &suspended.one_line()).await;
    }
    for (problem, text) in &refused {
        bury_part(env, now, problem.one_line(), letter(&tenant, text)).await?;
    }
    report.buried = refused.len();
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now,
    };
    let submissions: Vec<_> = items.iter().map(|(item, _)| item.submission.clone()).collect();
    let mut terms = SubmitTerms::new(RankDetail::Omitted);
    terms.announce_on.clone_from(&env.settings().changes_channel);
    terms.max_tenant_entries = known.quotas.entries;
    let submitted = usecase::submit(&deps, &tenant, &Caller::Server, &submissions, &terms)
        .await
        .inspect_err(|_| views::perhaps_submitted(env, &tenant, submissions.iter()))?;
    views::submitted(env, &tenant, submitted.answers.iter().flatten().flatten());
    for (answer, (item, text)) in submitted.answers.iter().zip(&items) {
        match answer {
            Ok(outcomes) if outcomes.iter().all(|outcome| outcome.replayed) => report.replayed += 1,
            Ok(_) => report.applied += 1,
            Err(refusal) => {
                let problem = Problem::of_refusal(refusal, &item.place);
                bury_part(env, now, problem.one_line(), letter(&tenant, text)).await?;
                report.buried += 1;
            }
        }
    }
    count(env, &tenant, report.applied).await;
    Ok(report)
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
            let values = batch_items(&batch, &mut errors)?;
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
    if item.submission.id.is_none() {
        return Err(Problem::new(ProblemType::Validation).with_error(FieldError::body(
            "#/scores/0/id",
            "is required in a message: every region receives it",
        )));
    }
    Ok(item)
}

/// A message with one item, ready to be sent again.
fn letter(tenant: &TenantId, item: &str) -> Vec<u8> {
    format!("{{\"tenant\":\"{tenant}\",\"scores\":[{item}]}}").into_bytes()
}

/// Puts a whole message into the dead letters that the caller could not get applied, with its reason.
///
/// # Errors
/// [`StoreError`].
pub async fn bury<E: Environment>(
    env: &E,
    payload: &[u8],
    reason: &str,
) -> Result<MessageReport, StoreError> {
    bury_part(env, env.now(), reason.to_owned(), payload.to_vec()).await?;
    Ok(MessageReport {
        buried: 1,
        ..MessageReport::default()
    })
}

async fn bury_part<E: Environment>(
    env: &E,
    at: Timestamp,
    reason: String,
    mut payload: Vec<u8>,
) -> Result<(), StoreError> {
    payload.truncate(MAX_LETTER_BYTES);
    env.store().bury(&DeadLetter { at, reason, payload }).await
}
