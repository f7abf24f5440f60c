//! Counts the entries that a tenant holds, in steps.

use leaderboard_core::{StoreError, TenantId};

use crate::connection::Connection;
use crate::keys;
use crate::script::ScriptCall;
use crate::scripts::COUNT_ENTRIES;
use crate::server::Server;

/// The number of periods that one command counts (one leaderboard more at most). The command holds up the server for about five
/// milliseconds.
const PERIODS_PER_STEP: u32 = 500;
/// The maximum number of commands of one call. The next call that needs the count continues.
const MAX_STEPS: u32 = 200;

/// Counts until the count is exact. Scripts that write keep it exact from a tenant's first leaderboard on; only a store that an
/// earlier version filled, or one in which many periods have expired, needs this function.
///
/// # Errors
/// [`StoreError::Unavailable`] when the count needs more steps than one call may take.
pub(crate) async fn complete_count<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
) -> Result<(), StoreError> {
    let mut call = ScriptCall::with_packed_arguments(keys::entry_counts(tenant));
    add_leaderboard_keys(&mut call, tenant);
    call.add_keys([keys::earlier_entry_counts(tenant)]);
    call.add_text(&PERIODS_PER_STEP);
    for _ in 0..MAX_STEPS {
        if COUNT_ENTRIES.run(server, &call).await?.read_count()? == 0 {
            return Ok(());
        }
        server.yield_to_others().await;
    }
    Err(StoreError::Unavailable(
        "the count of entries is not complete".into(),
    ))
}

/// Adds the key and the arguments of `read_leaderboard_keys` in `entry_counts.lua`.
pub(crate) fn add_leaderboard_keys(call: &mut ScriptCall, tenant: &TenantId) {
    call.add_keys([keys::leaderboards(tenant)]);
    for part in keys::period_count_key_parts(tenant) {
        call.add_bytes(part);
    }
}
