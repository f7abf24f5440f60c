//! Records of bans: the reason and the end.

use leaderboard_core::StoreError;
use leaderboard_core::ports::Ban;

use super::action::{append_record, build_unrecorded_problem};
use super::record::{AuditEntry, cut};
use crate::PipelineEnvironment;
use crate::endpoint::Context;
use leaderboard_api::Problem;

/// Records the reason and the end of a ban before the ban is made, if the request has a reason or an end. Returns whether the ban
/// was recorded. If the store has no memory for the record, the ban is made anyway, and [`record_ban_again`] tries once more
/// afterwards.
///
/// # Errors
/// 503 if the ban cannot be recorded for another reason.
pub async fn record_ban<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    ban: &Ban,
) -> Result<bool, Problem> {
    if ban.reason.is_none() && ban.expires_at.is_none() {
        // The record of the action already has everything.
        return Ok(true);
    }
    match append_record(context, event(context, ban)).await {
        Ok(_) => Ok(true),
        Err(StoreError::OutOfMemory(_)) => Ok(false),
        Err(error) => Err(build_unrecorded_problem(&error)),
    }
}

/// Records a ban that has been made and is not in the log yet. If that fails, counts the unrecorded ban.
pub async fn record_ban_again<E: PipelineEnvironment>(context: &Context<'_, E>, ban: &Ban) {
    if append_record(context, event(context, ban)).await.is_err() {
        context.env.counts().count_unrecorded_action();
    }
}

fn event<'a, E: PipelineEnvironment>(context: &'a Context<'_, E>, ban: &'a Ban) -> AuditEntry<'a> {
    AuditEntry::Ban {
        who: (&context.identity.credential).into(),
        player: cut(ban.player.as_str()),
        reason: ban.reason.as_deref(),
        expires_at: ban.expires_at.map(|at| at.to_string()),
        from: context.client,
        trace: context.trace_id,
    }
}
