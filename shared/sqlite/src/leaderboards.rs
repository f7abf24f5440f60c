//! Rows of leaderboards.

use leaderboard_core::ports::PutLeaderboard;
use leaderboard_core::{LeaderboardId, PeriodId, StoreError, TenantId, Timestamp};

use crate::bans::{self, is_behind_sql};
use crate::ids;
use crate::periods::{self, PeriodRow, period_columns};
use crate::rate_limits::{fresh_version, now_us};
use crate::retention::{LogState, LogWeights, first_valid_span, log_columns, weight_columns};
use crate::row::Cells;
use crate::session::Session;

/// How often one transaction applies bans to a leaderboard before it fails.
const MAX_STEPS: u32 = 4;

/// A leaderboard while a transaction works on it.
#[derive(Debug, Clone)]
pub(crate) struct LeaderboardRow {
    pub(crate) row: i64,
    pub(crate) version: u64,
    /// The position of the leaderboard's last event.
    pub(crate) last_position: u64,
    /// Whether an expired period still exists.
    pub(crate) has_expired: bool,
    /// Whether discarded data of any leaderboard still exists.
    pub(crate) has_discarded: bool,
    /// Whether expired idempotency records still exist.
    pub(crate) has_expired_records: bool,
    /// How much of the leaderboard's log is kept, and the oldest event.
    pub(crate) log: LogState,
    /// Whether the leaderboard has pending bans.
    pub(crate) is_behind: bool,
}

/// SQL for the columns of a leaderboard `b` of the tenant `?1` that [`read_columns`] reads. `?3` is now, and records that were made
/// at `?4` or earlier have expired.
macro_rules! board_columns {
    () => {
        concat!(
            "b.row, b.version, b.last_position, \
             EXISTS (SELECT 1 FROM periods e WHERE e.leaderboard = b.row AND e.expires_at <= ?3), \
             EXISTS (SELECT 1 FROM discarded), \
             EXISTS (SELECT 1 FROM submissions s WHERE s.leaderboard = b.row AND s.recorded_at <= ?4), ",
            log_columns!(),
            ", ",
            is_behind_sql!("?3")
        )
    };
}

fn read_columns(cells: &mut Cells) -> Result<LeaderboardRow, StoreError> {
    Ok(LeaderboardRow {
        row: cells.integer("leaderboard row")?,
        version: cells.unsigned("configuration version")?,
        last_position: cells.unsigned("last position")?,
        has_expired: cells.flag("expiry")?,
        has_discarded: cells.flag("discard")?,
        has_expired_records: cells.flag("expired records")?,
        log: LogState::from_cells(cells)?,
        is_behind: cells.flag("bans")?,
    })
}

/// Returns the state of a leaderboard at `now`; `None` if the leaderboard does not exist.
pub(crate) fn find(
    session: &Session<'_>,
    tenant: &TenantId,
    id: &LeaderboardId,
    now: Timestamp,
) -> Result<Option<LeaderboardRow>, StoreError> {
    const FIND: &str = concat!(
        "SELECT ",
        board_columns!(),
        " FROM leaderboards b WHERE b.tenant = ?1 AND b.id = ?2"
    );
    let parameters = [tenant.into(), id.into(), now.into(), ids::too_old(now).into()];
    session.map_row(FIND, &parameters, read_columns)
}

/// A leaderboard with the pending bans applied, and what a submission reads with it.
#[derive(Debug)]
pub(crate) struct SubmissionTarget {
    pub(crate) board: LeaderboardRow,
    /// The period, if it has ever had an entry and has not expired.
    pub(crate) period: Option<PeriodRow>,
    /// The weight of all logs and records of the tenant.
    pub(crate) weights: LogWeights,
}

/// Returns the state of a leaderboard and a period at `now`; `None` if the leaderboard does not exist.
pub(crate) fn find_target(
    session: &Session<'_>,
    tenant: &TenantId,
    (id, period): (&LeaderboardId, &PeriodId),
    now: Timestamp,
) -> Result<Option<SubmissionTarget>, StoreError> {
    const FIND: &str = concat!(
        "SELECT ",
        weight_columns!("?6"),
        ", ",
        board_columns!(),
        ", p.row, ",
        period_columns!(),
        " FROM leaderboards b LEFT JOIN periods p ON p.leaderboard = b.row AND p.id = ?5 \
         AND (p.expires_at IS NULL OR p.expires_at > ?3) WHERE b.tenant = ?1 AND b.id = ?2"
    );
    let parameters = [
        tenant.into(),
        id.into(),
        now.into(),
        ids::too_old(now).into(),
        period.into(),
        first_valid_span(now).into(),
    ];
    for _ in 0..MAX_STEPS {
        let Some(mut cells) = session.row(FIND, &parameters)? else {
            return Ok(None);
        };
        let weights = LogWeights::from_cells(&mut cells)?;
        let board = read_columns(&mut cells)?;
        if board.is_behind {
            bans::apply_to_leaderboard(session, tenant, id.as_str(), now)?;
            continue;
        }
        let row = cells.integer_or_null("period row")?;
        let period = row
            .map(|row| periods::read_columns(&mut cells, row))
            .transpose()?;
        return Ok(Some(SubmissionTarget {
            board,
            period,
            weights,
        }));
    }
    Err(still_behind())
}

/// Does the same as [`find`], but applies pending bans first.
pub(crate) fn find_up_to_date(
    session: &Session<'_>,
    tenant: &TenantId,
    id: &LeaderboardId,
    now: Timestamp,
) -> Result<Option<LeaderboardRow>, StoreError> {
    let mut found = find(session, tenant, id, now)?;
    for _ in 0..MAX_STEPS {
        if !found.as_ref().is_some_and(|board| board.is_behind) {
            return Ok(found);
        }
        bans::apply_to_leaderboard(session, tenant, id.as_str(), now)?;
        found = find(session, tenant, id, now)?;
    }
    Err(still_behind())
}

fn still_behind() -> StoreError {
    StoreError::Unavailable("bans are still being applied".into())
}

/// Returns the next version of a tenant's configurations, by [`fresh_version!`], and reserves it.
pub(crate) fn next_version(session: &Session<'_>, tenant: &TenantId) -> Result<u64, StoreError> {
    const NEXT: &str = concat!(
        "INSERT INTO configuration_versions (tenant, last) VALUES (?1, ",
        fresh_version!(),
        ") ON CONFLICT (tenant) DO UPDATE SET last = max(last + 1, excluded.last) RETURNING last"
    );
    session
        .only_row(NEXT, &[tenant.into()])?
        .unsigned("configuration version")
}

/// Creates or replaces a configuration, and returns its row.
pub(crate) fn save(
    session: &Session<'_>,
    put: &PutLeaderboard<'_>,
    version: u64,
    configuration: &[u8],
) -> Result<i64, StoreError> {
    const SAVE: &str = "INSERT INTO leaderboards \
         (tenant, id, version, configuration, keep_events, keep_ms, last_position) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT (tenant, id) \
         DO UPDATE SET version = excluded.version, configuration = excluded.configuration, \
         keep_events = excluded.keep_events, keep_ms = excluded.keep_ms RETURNING row";
    let parameters = [
        put.tenant.into(),
        (&put.leaderboard.id).into(),
        version.into(),
        configuration.into(),
        put.leaderboard.log.keep_events.into(),
        put.leaderboard.log.keep_ms().into(),
    ];
    session.only_row(SAVE, &parameters)?.integer("leaderboard row")
}
