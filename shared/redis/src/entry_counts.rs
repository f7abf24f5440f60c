//! How many entries a tenant holds, counted in steps.

use leaderboard_core::{StoreError, TenantId};

use crate::answer::Answer;
use crate::connection::{Connection, let_others_on};
use crate::script::{COUNT_ENTRIES, Call};
use crate::{keys, metering};

/// How many periods one command counts, and at most one leaderboard more: it holds up the server for about five
/// milliseconds.
const PERIODS_PER_STEP: u32 = 500;
/// The most commands in one call. What is left then goes on with the next call that needs the count.
const MAX_STEPS: u32 = 200;

/// Counts until the count is exact. It is from a tenant's first leaderboard on; this is for stores that an earlier version
/// has filled, and after many periods have expired.
///
/// # Errors
/// [`StoreError::Unavailable`] when it takes more steps than one call may.
pub(crate) async fn complete<C: Connection>(connection: &C, tenant: &TenantId) -> Result<(), StoreError> {
    let mut call = Call::taking(keys::held_entries(tenant));
    metering::add_boards(&mut call, tenant);
    call.keys([keys::earlier_entry_counts(tenant)]);
    call.text(&PERIODS_PER_STEP);
    for _ in 0..MAX_STEPS {
        if Answer::new(COUNT_ENTRIES.run(connection, &call).await?).count()? == 0 {
            return Ok(());
        }
        let_others_on(connection).await;
    }
    Err(StoreError::Unavailable(
        "the count of entries is not complete".into(),
    ))
}
