//! The usage of tenants, and what they have stored.

use leaderboard_core::ports::{DayUsage, EntryQuota, USAGE_DAYS, Usage};
use leaderboard_core::{StoreError, TenantId, Timestamp};

use crate::rate_limits::{DAY_US, now_us};
use crate::retention;
use crate::row::{Cells, corrupt, stored};
use crate::session::Session;

/// Returns the usage of the tenant's last `days` days that have any, newest first, and what the tenant has stored. The database's
/// clock says which day is today, and which periods have expired.
pub(crate) fn read(
    session: &Session<'_>,
    tenant: &TenantId,
    days: u32,
) -> Result<(Vec<DayUsage>, EntryQuota), StoreError> {
    const CLOCK: &str = concat!("SELECT ", now_us!());
    const DAYS: &str = "SELECT day, requests, scores FROM usage WHERE tenant = ?1 AND day > ?2 \
         ORDER BY day DESC LIMIT ?3 + 0";
    let now_us = session.only_row(CLOCK, &[])?.unsigned("clock")?;
    let too_old = (now_us / DAY_US).saturating_sub(u64::from(USAGE_DAYS));
    let used = session.map_rows(DAYS, &[tenant.into(), too_old.into(), days.into()], day)?;
    let now = Timestamp::from_unix_ms(stored(now_us / 1000)).ok_or_else(|| corrupt("clock"))?;
    Ok((used, entry_quota(session, tenant, now)?))
}

fn day(cells: &mut Cells) -> Result<DayUsage, StoreError> {
    Ok(DayUsage {
        day: u32::try_from(cells.integer("day")?).map_err(|_| corrupt("day"))?,
        usage: Usage {
            requests: cells.unsigned("requests")?,
            scores: cells.unsigned("scores")?,
        },
    })
}

/// Returns what a tenant has stored, without the periods that have expired at `now`.
pub(crate) fn entry_quota(
    session: &Session<'_>,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<EntryQuota, StoreError> {
    // Periods that have expired and are still there are few: the next score of their leaderboard takes them away.
    const HOLDINGS: &str = "SELECT count(*), coalesce(sum(entries), 0) - \
         (SELECT coalesce(sum(p.total), 0) FROM leaderboards b JOIN periods p ON p.leaderboard = b.row \
         AND p.expires_at <= ?2 WHERE b.tenant = ?1) FROM leaderboards WHERE tenant = ?1";
    let mut cells = session.only_row(HOLDINGS, &[tenant.into(), now.into()])?;
    Ok(EntryQuota {
        leaderboards: cells.unsigned("count of leaderboards")?,
        entries: cells.unsigned("count of entries")?,
        log_bytes: retention::read_weights(session, tenant, now)?.total(),
    })
}
