//! Submits scores: one command or several, and further tries.

use std::collections::BTreeSet;

use futures::stream::{FuturesOrdered, StreamExt};
use leaderboard_core::ports::{Overdraft, RateLimitDecision, SubmissionResult, SubmitOptions, Submitted};
use leaderboard_core::{LeaderboardId, PlayerId, PreparedSubmission, StoreError, TenantId};

use crate::connection::Connection;
use crate::group_commit::GroupCommit;
use crate::server::Server;
use crate::submit_call::SubmitCall;
use crate::submit_command::{MAX_TARGETS_PER_COMMAND, send_alone};
use crate::submit_reply::{Applied, CallReply};
use crate::{bans, entry_counts, rate_limits};

/// How often a call is sent while a leaderboard has pending bans.
const MAX_TRIES: u32 = 4;
/// How many commands of one call are under way at a time: one, and the one before it, with which it is compared.
const MAX_UNDER_WAY: usize = 2;
/// How often submissions are sent again because the tenant's entries had not all been counted.
const MAX_RECOUNTS: u32 = 3;

/// Applies submissions in as few commands as [`MAX_TARGETS_PER_COMMAND`] allows, those of each player and of each idempotency
/// record in their order. The first command charges the request. A call that fits into one command shares it with the calls that wait at
/// the same time. A submission that needs the exact count of entries while the count is incomplete is applied after the other submissions
/// of its command.
pub(crate) async fn submit<C: Connection>(
    server: &Server<C>,
    group_commit: &GroupCommit,
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
    options: &SubmitOptions,
) -> Result<Submitted, StoreError> {
    let mut call = SubmitCall::new(submissions, options);
    let mut submitted = Submitted {
        rate_limit_decision: RateLimitDecision::default(),
        answers: Vec::with_capacity(submissions.len()),
    };
    if submissions.is_empty() {
        if let Some(charge_request) = call.charge_request {
            submitted.rate_limit_decision =
                rate_limits::apply_charges(server, tenant, charge_request, Overdraft::ByTake).await?;
        }
        return Ok(submitted);
    }
    if call.count_targets() <= MAX_TARGETS_PER_COMMAND {
        let reply = group_commit.submit(server, tenant, call).await?;
        return finish(server, tenant, call, reply).await;
    }
    let mut rest = submissions;
    if call.charge_request.is_some() {
        (call.submissions, rest) = rest.split_at(count_fitting(rest));
        submitted = send_and_finish(server, tenant, call).await?;
        call.charge_request = None;
    }
    if !submitted.rate_limit_decision.refused {
        let answers = send_overlapping(server, tenant, call, rest).await?;
        submitted.answers.extend(answers);
    }
    Ok(submitted)
}

/// Applies submissions with several commands, of which [`MAX_UNDER_WAY`] can be under way: the server applies one while this instance
/// reads the reply to the one before. They can overtake each other, so those that are under way have no player and no idempotency
/// record in common.
async fn send_overlapping<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    call: SubmitCall<'_>,
    submissions: &[PreparedSubmission],
) -> Result<Vec<SubmissionResult>, StoreError> {
    let mut under_way = FuturesOrdered::new();
    let mut finished = Vec::new();
    let (mut last, mut rest) = (submissions, submissions);
    while !rest.is_empty() {
        let (part, later) = rest.split_at(count_fitting(rest));
        while under_way.len() >= MAX_UNDER_WAY || !under_way.is_empty() && have_common_key(last, part) {
            finished.extend(under_way.next().await);
        }
        // After a failure, no further command is begun.
        if finished.iter().any(Result::is_err) {
            break;
        }
        let call = SubmitCall {
            submissions: part,
            ..call
        };
        under_way.push_back(send_and_finish(server, tenant, call));
        (last, rest) = (part, later);
    }
    finished.extend(under_way.collect::<Vec<_>>().await);
    let answers = finished.into_iter().map(|one| one.map(|one| one.answers));
    Ok(answers.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Returns whether both have a submission of the same player, or with the same idempotency record: of such submissions, the first counts.
fn have_common_key(some: &[PreparedSubmission], others: &[PreparedSubmission]) -> bool {
    let players: BTreeSet<&PlayerId> = some.iter().map(|submission| &submission.player).collect();
    let records: BTreeSet<_> = some.iter().filter_map(PreparedSubmission::record_name).collect();
    others.iter().any(|submission| {
        let record = submission.record_name();
        players.contains(&submission.player) || record.is_some_and(|record| records.contains(&record))
    })
}

/// Applies a call with a command of its own.
async fn send_and_finish<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    call: SubmitCall<'_>,
) -> Result<Submitted, StoreError> {
    let reply = send_alone(server, tenant, call).await?;
    finish(server, tenant, call, reply).await
}

/// Applies a call again, alone, while its leaderboards have pending bans. `reply` is the reply to the first try.
async fn settle<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    call: SubmitCall<'_>,
    mut reply: CallReply,
) -> Result<Applied, StoreError> {
    for _ in 1..MAX_TRIES {
        match reply {
            CallReply::Done(applied) => return Ok(applied),
            CallReply::PendingBans => {
                apply_bans(server, tenant, call.submissions).await?;
                reply = send_alone(server, tenant, call).await?;
            }
        }
    }
    match reply {
        CallReply::Done(applied) => Ok(applied),
        CallReply::PendingBans => Err(StoreError::Unavailable("bans are still being applied".into())),
    }
}

/// Applies the pending bans of the leaderboards that the submissions go to.
async fn apply_bans<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
) -> Result<(), StoreError> {
    let Some(now) = submissions.iter().map(|submission| submission.recorded_at).max() else {
        return Ok(());
    };
    let targets = submissions.iter().flat_map(|submission| &submission.targets);
    let boards: BTreeSet<&LeaderboardId> = targets.map(|target| &target.leaderboard.value.id).collect();
    let boards: Vec<_> = boards.into_iter().collect();
    bans::apply_bans(server, tenant, &boards, now).await?;
    Ok(())
}

/// Returns the result of a call. First counts the tenant's entries if submissions need the count, and sends these submissions again.
async fn finish<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    call: SubmitCall<'_>,
    reply: CallReply,
) -> Result<Submitted, StoreError> {
    let Applied {
        rate_limit_decision,
        mut results,
    } = settle(server, tenant, call, reply).await?;
    for _ in 0..MAX_RECOUNTS {
        let with_results = call.submissions.iter().zip(&results);
        let uncounted: Vec<PreparedSubmission> = with_results
            .filter(|(_, result)| result.is_none())
            .map(|(submission, _)| submission.clone())
            .collect();
        if uncounted.is_empty() {
            break;
        }
        entry_counts::complete_count(server, tenant).await?;
        let again = SubmitCall {
            submissions: &uncounted,
            charge_request: None,
            ..call
        };
        let reply = send_alone(server, tenant, again).await?;
        let retried = settle(server, tenant, again, reply).await?.results;
        for (missing, result) in results.iter_mut().filter(|result| result.is_none()).zip(retried) {
            *missing = result;
        }
    }
    let answers: Option<Vec<SubmissionResult>> = results.into_iter().collect();
    let answers = answers
        .ok_or_else(|| StoreError::Unavailable("the count of entries changed during every retry".into()))?;
    Ok(Submitted {
        rate_limit_decision,
        answers,
    })
}

/// Returns how many submissions from the front fit into one command: at least one.
fn count_fitting(submissions: &[PreparedSubmission]) -> usize {
    let mut targets = 0;
    let fits = submissions.iter().take_while(|submission| {
        targets += submission.targets.len();
        targets <= MAX_TARGETS_PER_COMMAND
    });
    fits.count().max(1)
}
