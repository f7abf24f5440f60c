//! Changes of configurations. Each change is atomic with its event.

use leaderboard_core::codec::encode_leaderboard;
use leaderboard_core::ports::{Expected, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal};
use leaderboard_core::{Event, EventBody, LeaderboardId, StoreError, TenantId};

use crate::periods::rebuild;
use crate::session::Session;
use crate::writes::PendingWrites;
use crate::{expiries, leaderboards, log, periods, rank_blocks, sweep, usage};

/// The configuration before a change.
struct CurrentConfiguration {
    row: i64,
    version: u64,
    last_position: u64,
    configuration: Vec<u8>,
}

fn read_current(
    session: &Session<'_>,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Result<Option<CurrentConfiguration>, StoreError> {
    const CURRENT: &str =
        "SELECT row, version, last_position, configuration FROM leaderboards WHERE tenant = ?1 AND id = ?2";
    session.map_row(CURRENT, &[tenant.into(), id.into()], |cells| {
        Ok(CurrentConfiguration {
            row: cells.integer("leaderboard row")?,
            version: cells.unsigned("configuration version")?,
            last_position: cells.unsigned("last position")?,
            configuration: cells.blob("configuration")?,
        })
    })
}

/// The result of a successful put.
pub(crate) struct PutResult {
    /// The leaderboard's row.
    pub(crate) row: i64,
    /// The configuration's version.
    pub(crate) version: u64,
    /// Whether the leaderboard is new.
    pub(crate) created: bool,
    /// Whether expiries of periods are still pending.
    pub(crate) leaves_expiries: bool,
}

/// Creates or replaces a configuration.
pub(crate) fn put(
    session: &Session<'_>,
    put: &PutLeaderboard<'_>,
) -> Result<Result<PutResult, PutRefusal>, StoreError> {
    // The events of earlier bans come before the event of this change.
    leaderboards::find_up_to_date(session, put.tenant, &put.leaderboard.id, put.at)?;
    let before = read_current(session, put.tenant, &put.leaderboard.id)?;
    if let Err(mismatch) = put.expected.check(before.as_ref().map(|current| current.version)) {
        return Ok(Err(mismatch.into()));
    }
    if let Some(before) = &before
        && !expiries::step(session, before.row, put.at)?
    {
        return Ok(Err(PutRefusal::Unfinished));
    }
    if let Some(before) = &before
        && put.rebuild
    {
        refill_rank_blocks(session, put, before.row)?;
    }
    let configuration = encode_leaderboard(put.leaderboard);
    if let Some(same) = before
        .as_ref()
        .filter(|current| current.configuration == configuration)
        && !changes_order(session, put, same.row)?
    {
        return Ok(Ok(PutResult {
            row: same.row,
            version: same.version,
            created: false,
            leaves_expiries: false,
        }));
    }
    let position = before
        .as_ref()
        .map_or(0, |current| current.last_position)
        .saturating_add(1);
    if let Some(before) = &before
        && let Err(refusal) = apply_order(session, put, before.row, position)?
    {
        return Ok(Err(refusal));
    }
    if before.is_none()
        && let Some(most) = put.max_leaderboards
        && usage::entry_quota(session, put.tenant, put.at)?.leaderboards >= most
    {
        return Ok(Err(PutRefusal::TooManyLeaderboards));
    }
    let version = leaderboards::next_version(session, put.tenant)?;
    let row = leaderboards::save(session, put, version, &configuration)?;
    let leaves_expiries = !expiries::begin(session, row, put.expiries, put.at)?;
    let mut writes = PendingWrites::default();
    log::append(session, &mut writes, (row, position), &event_of(put))?;
    writes.apply(session)?;
    Ok(Ok(PutResult {
        row,
        version,
        created: before.is_none(),
        leaves_expiries,
    }))
}

fn event_of(put: &PutLeaderboard<'_>) -> Event {
    Event {
        recorded_at: put.at,
        body: EventBody::Configured {
            leaderboard: Box::new(put.leaderboard.clone()),
            current: put.current.clone(),
            rebuild: put.rebuild,
        },
    }
}

/// Returns whether the current period has another order than the new configuration.
fn changes_order(session: &Session<'_>, put: &PutLeaderboard<'_>, board: i64) -> Result<bool, StoreError> {
    let period = periods::find(session, board, put.current, put.at)?;
    Ok(period.is_some_and(|period| period.layout != put.leaderboard.layout()))
}

/// Repairs the rank blocks of the current period, which the file may have lost or changed.
fn refill_rank_blocks(session: &Session<'_>, put: &PutLeaderboard<'_>, board: i64) -> Result<(), StoreError> {
    match periods::find(session, board, put.current, put.at)? {
        Some(period) => rank_blocks::refill(session, period.row),
        None => Ok(()),
    }
}

/// Puts the current period into the new order, if the order changes and the put allows it.
fn apply_order(
    session: &Session<'_>,
    put: &PutLeaderboard<'_>,
    board: i64,
    position: u64,
) -> Result<Result<(), PutRefusal>, StoreError> {
    let layout = put.leaderboard.layout();
    let Some(mut period) = periods::find(session, board, put.current, put.at)? else {
        return Ok(Ok(()));
    };
    if period.layout == layout {
        return Ok(Ok(()));
    }
    if period.total > 0 {
        if !put.rebuild {
            return Ok(Err(PutRefusal::HasEntries));
        }
        if period.total > MAX_REBUILD_ENTRIES {
            return Ok(Err(PutRefusal::TooManyEntries));
        }
        let Some(spare) = rebuild::step(session, &period, &layout, put.at)? else {
            return Ok(Err(PutRefusal::Unfinished));
        };
        rebuild::swap(session, period.row, spare)?;
        period.row = spare;
        period.rebuilt_until = None;
        period.version = position;
        let mut writes = PendingWrites::default();
        periods::save(session, &mut writes, &period)?;
        writes.apply(session)?;
    }
    periods::save_layout(session, period.row, &layout)?;
    Ok(Ok(()))
}

/// Deletes a configuration, which makes the data of the leaderboard invisible.
pub(crate) fn delete(
    session: &Session<'_>,
    tenant: &TenantId,
    id: &LeaderboardId,
    expected: Expected,
) -> Result<Result<bool, PutRefusal>, StoreError> {
    let before = read_current(session, tenant, id)?;
    if let Err(mismatch) = expected.check(before.as_ref().map(|current| current.version)) {
        return Ok(Err(mismatch.into()));
    }
    let Some(before) = before else {
        return Ok(Ok(false));
    };
    sweep::discard_leaderboard(session, before.row)?;
    Ok(Ok(true))
}
