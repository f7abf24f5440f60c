//! Reads the reply of `submit.lua`.

use leaderboard_core::ports::{RateLimitDecision, SubmissionResult, SubmitOptions};
use leaderboard_core::{Outcome, PreparedSubmission, Refusal, RefusalReason, StoreError, Target};

use crate::connection::ConnectionError;
use crate::packing::unpack_outcome;
use crate::rate_limits;
use crate::reply_reader::{ReplyReader, corrupt};
use crate::submit_call::SubmitCall;

/// The code of a submission that was not applied because the tenant's entries have not all been counted.
const UNCOUNTED: u8 = 12;
/// The first byte of the error of a call.
const FAILED: u8 = 2;

/// What the script did with a call.
#[derive(Debug)]
pub(crate) enum CallReply {
    /// Nothing: a leaderboard has pending bans.
    PendingBans,
    /// It applied the call, or the rate limits refused the call.
    Done(Applied),
}

/// The result of a call.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) rate_limit_decision: RateLimitDecision,
    /// A result for each submission, `None` for a submission that needs a complete count of entries. Empty if the rate limits
    /// refused the call.
    pub(crate) results: Vec<Option<SubmissionResult>>,
}

/// Reads the replies of calls. An error that concerns one call is the reply of this call.
///
/// # Errors
/// The reply ends too early.
pub(crate) fn read_group(
    reply: &mut ReplyReader,
    calls: &[SubmitCall<'_>],
) -> Result<Vec<Result<CallReply, StoreError>>, StoreError> {
    calls.iter().map(|call| read_call(reply, call)).collect()
}

fn read_call(
    reply: &mut ReplyReader,
    call: &SubmitCall<'_>,
) -> Result<Result<CallReply, StoreError>, StoreError> {
    let mut first = reply.read_bytes()?;
    match first.as_slice() {
        [] => return Ok(Ok(CallReply::PendingBans)),
        [FAILED, error @ ..] => {
            let error = ConnectionError::from_text(&String::from_utf8_lossy(error));
            return Ok(Err(error.into()));
        }
        _ => {}
    }
    let mut rate_limit_decision = RateLimitDecision::default();
    if call.charge_request.is_some() {
        rate_limit_decision = rate_limits::read_decision(&first)?;
        if rate_limit_decision.refused {
            return Ok(Ok(CallReply::Done(Applied {
                rate_limit_decision,
                results: Vec::new(),
            })));
        }
        first = reply.read_bytes()?;
    }
    // The strings of the call are read to the end first, so that the next call is found also after a damaged one.
    let mut encoded = vec![first];
    while encoded.len() < call.submissions.len() {
        encoded.push(reply.read_bytes()?);
    }
    let results = call.submissions.iter().zip(&encoded);
    let results: Result<Vec<_>, _> = results
        .map(|(submission, bytes)| read_result(bytes, submission, call.options))
        .collect();
    Ok(results.map(|results| {
        CallReply::Done(Applied {
            rate_limit_decision,
            results,
        })
    }))
}

/// Returns `None` for a submission that needs a complete count of entries.
fn read_result(
    bytes: &[u8],
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> Result<Option<SubmissionResult>, StoreError> {
    match bytes.split_first() {
        Some((0, outcomes)) => read_outcomes(outcomes, submission).map(|outcomes| Some(Ok(outcomes))),
        Some((1, [UNCOUNTED, ..])) => Ok(None),
        Some((1, refusal)) => read_refusal(refusal, submission, options).map(|refusal| Some(Err(refusal))),
        _ => Err(corrupt("reply to a submission")),
    }
}

fn read_outcomes(bytes: &[u8], submission: &PreparedSubmission) -> Result<Vec<Outcome>, StoreError> {
    let short = || corrupt("outcomes");
    let mut rest = bytes;
    let mut outcomes = Vec::with_capacity(submission.targets.len());
    for target in &submission.targets {
        let (&[replayed], after) = rest.split_first_chunk().ok_or_else(short)?;
        let (length, after) = after.split_first_chunk().ok_or_else(short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(corrupt)?;
        let (outcome, after) = after.split_at_checked(length).ok_or_else(short)?;
        let leaderboard = target.leaderboard.value.id.clone();
        outcomes.push(unpack_outcome(
            outcome,
            leaderboard,
            submission.player.clone(),
            replayed == 1,
        )?);
        rest = after;
    }
    Ok(outcomes)
}

fn read_refusal(
    bytes: &[u8],
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> Result<Refusal, StoreError> {
    let unknown = || corrupt("refusal");
    let (&[code], target) = bytes.split_first_chunk().ok_or_else(unknown)?;
    let number = u32::from_be_bytes(target.try_into().map_err(|_| unknown())?);
    let number = usize::try_from(number).map_err(corrupt)?;
    let target = submission.targets.get(number).ok_or_else(unknown)?;
    Ok(Refusal {
        leaderboard: target.leaderboard.value.id.clone(),
        reason: decode_reason(code, target, submission, options).ok_or_else(unknown)?,
    })
}

/// Returns the reason for a code of `REFUSAL` in `entry_rules.lua`; `None` for an unknown code.
fn decode_reason(
    code: u8,
    target: &Target,
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> Option<RefusalReason> {
    let limits = &target.leaderboard.value.limits;
    Some(match code {
        1 => RefusalReason::StaleConfiguration,
        2 => RefusalReason::IdConflict {
            id: submission.id.clone()?,
        },
        3 => RefusalReason::PeriodReordered,
        4 => RefusalReason::AttemptsExhausted {
            max_attempts: limits.max_attempts?,
        },
        5 => RefusalReason::Full {
            max_entries: limits.max_entries?,
        },
        6 => RefusalReason::Overflow,
        7 => RefusalReason::BelowMin { min: limits.min? },
        8 => RefusalReason::AboveMax { max: limits.max? },
        9 => RefusalReason::ChangeTooLarge {
            max_change: limits.max_change?,
        },
        10 => target.refused.clone()?,
        11 => RefusalReason::TenantFull {
            max_entries: options.max_tenant_entries?,
        },
        13 => RefusalReason::Rebuilding,
        14 => RefusalReason::LogFull {
            max_log_bytes: options.max_log_bytes?,
        },
        15 => RefusalReason::StandingsFinal,
        _ => return None,
    })
}
