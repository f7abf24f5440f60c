//! Sends calls to `submit.lua`, in one command.

use leaderboard_core::{StoreError, TenantId};

use crate::connection::Connection;
use crate::scripts::SUBMIT;
use crate::server::Server;
use crate::submit_call::{SubmitCall, build_call};
use crate::submit_reply::{CallReply, read_group};

/// The maximum number of targets of one command. They hold up the server for about two milliseconds.
pub(crate) const MAX_TARGETS_PER_COMMAND: usize = 64;

/// Applies calls of one tenant with one command. They [share a command](crate::submit_call::can_share_command).
pub(crate) async fn send_group<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    calls: &[SubmitCall<'_>],
) -> Result<Vec<Result<CallReply, StoreError>>, StoreError> {
    let Some(first) = calls.first() else {
        return Ok(Vec::new());
    };
    let script_call = build_call(tenant, first.options, calls);
    let mut reply = SUBMIT.run(server, &script_call).await?;
    read_group(&mut reply, calls)
}

/// Applies one call with one command.
pub(crate) async fn send_alone<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    call: SubmitCall<'_>,
) -> Result<CallReply, StoreError> {
    let replies = send_group(server, tenant, &[call]).await?;
    replies.into_iter().next().unwrap_or(Ok(CallReply::PendingBans))
}
