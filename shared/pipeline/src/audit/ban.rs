//! Why and until when a player is banned.

use leaderboard_core::StoreError;
use leaderboard_core::ports::Ban;

use super::act::{append, unrecorded};
use super::record::{AuditEntry, cut};
use crate::PipelineEnvironment;
use crate::endpoint::Context;
use leaderboard_api::Problem;

/// Records why and until when a player is about to be banned, where that is said. Whether it was recorded: a ban frees memory in no store, but it
/// must be possible in one that is full, and [`record_ban_again`] tries once more then.
///
/// # Errors
/// 503 when it cannot be recorded for another reason.
pub async fn record_ban<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    ban: &Ban,
) -> Result<bool, Problem> {
    if ban.reason.is_none() && ban.expires_at.is_none() {
        // The record of the act has all there is.
        return Ok(true);
    }
    match append(context, event(context, ban)).await {
        Ok(_) => Ok(true),
        Err(StoreError::OutOfMemory(_)) => Ok(false),
        Err(error) => Err(unrecorded(&error)),
    }
}

/// Records a ban that was made and is not in the log yet; it is counted when that fails again.
pub async fn record_ban_again<E: PipelineEnvironment>(context: &Context<'_, E>, ban: &Ban) {
    if append(context, event(context, ban)).await.is_err() {
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
