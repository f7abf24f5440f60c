//! The port [`Leaderboards`]. Each change of a configuration is atomic with its event.

use std::collections::BTreeMap;

use leaderboard_core::codec::{decode_leaderboard, encode_leaderboard};
use leaderboard_core::ports::{Expected, Leaderboards, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal};
use leaderboard_core::{
    Event, EventBody, Leaderboard, LeaderboardId, PeriodId, StoreError, TenantId, Timestamp, Versioned,
};

use crate::connection::Connection;
use crate::periods::rebuild;
use crate::rank_blocks::{CountedBy, repair};
use crate::row::{Cells, malformed};
use crate::session::Session;
use crate::writes::PendingWrites;
use crate::{SqliteStore, expiries, imports, leaderboards, log, periods, sweep, usage};

/// The most steps in which one put verifies and repairs rank blocks: enough for 30 million entries. A million entries have 62 to 123
/// steps.
const MAX_REPAIR_STEPS: u32 = 4_096;

impl<C: Connection> Leaderboards for SqliteStore<C> {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        const GET: &str = "SELECT version, configuration FROM leaderboards WHERE tenant = ?1 AND id = ?2";
        self.single(|session| session.map_row(GET, &[tenant.into(), id.into()], read_versioned))
    }

    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError> {
        const GET: &str = "SELECT version, configuration FROM leaderboards \
             WHERE tenant = ?1 AND id IN (SELECT value FROM json_each(?2))";
        // No character of an id needs an escape.
        let names: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
        let names = format!("[{}]", names.join(","));
        let parameters = [tenant.into(), (&names).into()];
        let boards = self.single(|session| session.map_rows(GET, &parameters, read_versioned))?;
        let found: BTreeMap<_, _> = boards
            .into_iter()
            .map(|board| (board.value.id.clone(), board))
            .collect();
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        let done = self.write(|session| put_configuration(session, put)).await?;
        let stored = match done {
            Ok(stored) => stored,
            Err(refusal) => {
                if refusal == PutRefusal::Unfinished {
                    self.yield_to_others().await;
                }
                return Ok(Err(refusal));
            }
        };
        if stored.leaves_expiries {
            self.apply_expiries(stored.row, put).await?;
        }
        if let Some(verified) = put.verified {
            self.repair_rank_blocks(stored.row, verified, put.at).await?;
        }
        Ok(Ok((stored.version, stored.created)))
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        const LIST: &str = "SELECT version, configuration FROM leaderboards WHERE tenant = ?1 AND id > ?2 \
             ORDER BY id LIMIT ?3 + 0";
        // No id is empty.
        let after = after.map_or("", LeaderboardId::as_str);
        let parameters = [tenant.into(), after.into(), limit.into()];
        self.single(|session| session.map_rows(LIST, &parameters, read_versioned))
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        self.write(|session| {
            let before = read_current(session, tenant, id)?;
            if let Err(mismatch) = expected.check(before.as_ref().map(|current| current.version)) {
                return Ok(Err(mismatch.into()));
            }
            let Some(before) = before else {
                return Ok(Ok(false));
            };
            sweep::discard_leaderboard(session, before.row)?;
            Ok(Ok(true))
        })
        .await
    }

    /// Deletes discarded rows of all tenants, because discarded rows have no tenant.
    async fn sweep(&self, _tenant: &TenantId) -> Result<bool, StoreError> {
        let more = self.write(sweep::delete_some).await?;
        if more {
            self.yield_to_others().await;
        }
        Ok(more)
    }
}

impl<C: Connection> SqliteStore<C> {
    /// Verifies the rank blocks of a leaderboard's period, and repairs them, step by step. After a repair, verifies all of them again,
    /// because other writers can carry wrong sizes to blocks that were verified before.
    ///
    /// # Errors
    /// [`StoreError`], also after [`MAX_REPAIR_STEPS`] steps.
    async fn repair_rank_blocks(&self, board: i64, id: &PeriodId, now: Timestamp) -> Result<(), StoreError> {
        let find = |session: &Session<'_>| periods::find(session, board, id, now);
        let Some(period) = self.read(find)?.map(|period| period.row) else {
            return Ok(());
        };
        let trees = [CountedBy::Entries, CountedBy::Tuples];
        let (mut tree, mut from, mut was_damaged) = (0, Vec::new(), false);
        for _ in 0..MAX_REPAIR_STEPS {
            let Some(counted) = trees.get(tree) else {
                if !was_damaged {
                    return Ok(());
                }
                (tree, was_damaged) = (0, false);
                continue;
            };
            let work = |session: &Session<'_>| match find(session)? {
                Some(found) if found.row == period => {
                    repair::step(session, *counted, period, &from).map(Some)
                }
                // It is deleted, or has new rows, with blocks of their own.
                _ => Ok(None),
            };
            let Some(step) = self.write(work).await? else {
                return Ok(());
            };
            was_damaged |= step.was_damaged;
            tree += usize::from(step.next.is_none());
            from = step.next.unwrap_or_default();
            if !from.is_empty() {
                self.yield_to_others().await;
            }
        }
        Err(StoreError::Unavailable(format!(
            "the rank blocks are not verified after {MAX_REPAIR_STEPS} steps"
        )))
    }
}

fn read_versioned(cells: &mut Cells) -> Result<Versioned<Leaderboard>, StoreError> {
    Ok(Versioned {
        version: cells.unsigned("configuration version")?,
        value: decode_leaderboard(&cells.blob("configuration")?).map_err(malformed)?,
    })
}

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
struct PutResult {
    /// The leaderboard's row.
    row: i64,
    /// The configuration's version.
    version: u64,
    /// Whether the leaderboard is new.
    created: bool,
    /// Whether expiries of periods are still pending.
    leaves_expiries: bool,
}

/// Creates or replaces a configuration.
fn put_configuration(
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
    if before.is_none() && imports::is_under_way(session, put.tenant, &put.leaderboard.id)? {
        return Ok(Err(PutRefusal::ImportUnderWay));
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
