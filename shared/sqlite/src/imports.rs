//! The port [`Imports`]. A leaderboard that is being imported has its rows like any other, but belongs to a tenant of its own, whose
//! name no tenant can have. So no statement about the tenant's leaderboards finds it. The end of the import changes the tenant.

mod parts;

use leaderboard_core::codec::encode_leaderboard;
use leaderboard_core::ports::{ImportRefusal, ImportStep, Imports, NewImport, StoredImport};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::retention::read_weights;
use crate::row::corrupt;
use crate::session::Session;
use crate::{leaderboards, sweep, usage};
use parts::{PartWriter, delete_parts};

impl<C: Connection> Imports for SqliteStore<C> {
    async fn find_import(&self, tenant: &TenantId) -> Result<Option<StoredImport>, StoreError> {
        let found = self.single(|session| find(session, tenant))?;
        Ok(found.map(|found| found.stored))
    }

    async fn begin_import(&self, import: &NewImport<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        self.write(|session| begin(session, import)).await
    }

    async fn write_import(&self, step: &ImportStep<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        match self.write(|session| write(session, step)).await {
            Ok(()) => Ok(Ok(())),
            Err(Refused::Import(refusal)) => Ok(Err(refusal)),
            Err(Refused::Store(error)) => Err(error),
        }
    }

    async fn finish_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        expected: &[u8],
    ) -> Result<Result<(), ImportRefusal>, StoreError> {
        self.write(|session| finish(session, tenant, leaderboard, expected))
            .await
    }

    async fn discard_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        written_until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        self.write(|session| {
            let found = find(session, tenant)?.filter(|found| {
                found.stored.leaderboard == *leaderboard
                    && written_until.is_none_or(|until| found.stored.written_at <= until)
            });
            if let Some(found) = &found {
                sweep::discard_leaderboard(session, found.row)?;
                forget(session, tenant, found.row)?;
            }
            Ok(found.is_some())
        })
        .await
    }
}

/// Why a transaction is rolled back.
enum Refused {
    Import(ImportRefusal),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An import, and the row of its leaderboard.
struct FoundImport {
    row: i64,
    stored: StoredImport,
}

fn find(session: &Session<'_>, tenant: &TenantId) -> Result<Option<FoundImport>, StoreError> {
    const FIND: &str = "SELECT leaderboard, id, state, written_at FROM imports WHERE tenant = ?1";
    session.map_row(FIND, &[tenant.into()], |cells| {
        let row = cells.integer("leaderboard row")?;
        let id = LeaderboardId::new(cells.text("leaderboard id")?).map_err(|_| corrupt("leaderboard id"))?;
        let state = cells.blob("state of an import")?;
        let written_at = cells.instant("last step of an import")?;
        Ok(FoundImport {
            row,
            stored: StoredImport {
                leaderboard: id,
                state,
                written_at,
            },
        })
    })
}

/// Returns whether an import of this leaderboard is under way.
pub(crate) fn is_under_way(
    session: &Session<'_>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> Result<bool, StoreError> {
    const FIND: &str = "SELECT 1 FROM imports WHERE tenant = ?1 AND id = ?2";
    let found = session.row(FIND, &[tenant.into(), leaderboard.into()])?;
    Ok(found.is_some())
}

/// Returns the name of the tenant of leaderboards that a tenant is importing. The id of a tenant has no colon.
fn name_import_tenant(tenant: &TenantId) -> String {
    format!("import:{tenant}")
}

fn exists(session: &Session<'_>, tenant: &TenantId, id: &LeaderboardId) -> Result<bool, StoreError> {
    const FIND: &str = "SELECT 1 FROM leaderboards WHERE tenant = ?1 AND id = ?2";
    Ok(session.row(FIND, &[tenant.into(), id.into()])?.is_some())
}

fn begin(session: &Session<'_>, import: &NewImport<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
    // Changes of bans that began earlier do not concern the leaderboard.
    const CREATE: &str = "INSERT INTO leaderboards \
         (tenant, id, version, configuration, keep_events, keep_ms, last_position, ban_change) \
         VALUES (?1, ?2, 0, ?3, ?4, ?5, 0, coalesce((SELECT last FROM ban_walks WHERE tenant = ?6), 0)) \
         RETURNING row";
    const SAVE: &str =
        "INSERT INTO imports (tenant, leaderboard, id, state, written_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let (tenant, board) = (import.tenant, import.leaderboard);
    if let Some(found) = find(session, tenant)? {
        return Ok(Err(ImportRefusal::UnderWay(found.stored.leaderboard)));
    }
    if exists(session, tenant, &board.id)? {
        return Ok(Err(ImportRefusal::LeaderboardExists));
    }
    if let Some(most) = import.max_leaderboards
        && usage::entry_quota(session, tenant, import.at)?.leaderboards >= most
    {
        return Ok(Err(ImportRefusal::TooManyLeaderboards));
    }
    let name = name_import_tenant(tenant);
    let configuration = encode_leaderboard(board);
    let parameters = [
        (&name).into(),
        (&board.id).into(),
        configuration[..].into(),
        board.log.keep_events.into(),
        board.log.keep_ms().into(),
        tenant.into(),
    ];
    let row = session
        .only_row(CREATE, &parameters)?
        .integer("leaderboard row")?;
    let parameters = [
        tenant.into(),
        row.into(),
        (&board.id).into(),
        import.state.into(),
        import.at.into(),
    ];
    session.run(SAVE, &parameters)?;
    Ok(Ok(()))
}

/// Writes the parts of a step.
fn write(session: &Session<'_>, step: &ImportStep<'_>) -> Result<(), Refused> {
    const SAVE: &str = "UPDATE imports SET state = ?2, written_at = ?3 WHERE tenant = ?1";
    let found = find(session, step.tenant)?;
    let found = found
        .filter(|found| found.stored.leaderboard == *step.leaderboard && found.stored.state == step.expected);
    let Some(found) = found else {
        return Err(Refused::Import(ImportRefusal::Changed));
    };
    let mut writer = PartWriter::new(session, found.row);
    for part in step.parts {
        writer.add(part)?;
    }
    writer.apply()?;
    session.run(SAVE, &[step.tenant.into(), step.state.into(), step.at.into()])?;
    check_quotas(session, step, found.row)
}

/// Refuses the step if the tenant and the import together have too much.
fn check_quotas(session: &Session<'_>, step: &ImportStep<'_>, board: i64) -> Result<(), Refused> {
    const SIZE: &str = "SELECT entries, log_bytes + \
         (SELECT coalesce(sum(length(bytes)), 0) FROM import_parts WHERE leaderboard = ?1) \
         FROM leaderboards WHERE row = ?1";
    let mut size = session.only_row(SIZE, &[board.into()])?;
    let (entries, log_bytes) = (size.unsigned("entries")?, size.unsigned("weight of a log")?);
    if let Some(most) = step.max_tenant_entries
        && usage::entry_quota(session, step.tenant, step.at)?
            .entries
            .saturating_add(entries)
            > most
    {
        return Err(Refused::Import(ImportRefusal::TooManyEntries));
    }
    if let Some(most) = step.max_log_bytes
        && read_weights(session, step.tenant, step.at)?
            .total()
            .saturating_add(log_bytes)
            > most
    {
        return Err(Refused::Import(ImportRefusal::LogFull));
    }
    Ok(())
}

/// Gives the leaderboard of an import to the tenant, with its weight and a new version.
fn finish(
    session: &Session<'_>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    expected: &[u8],
) -> Result<Result<(), ImportRefusal>, StoreError> {
    const WEIGH: &str = "INSERT INTO tenant_logs (tenant, bytes) SELECT ?1, log_bytes FROM leaderboards WHERE row = ?2 \
         ON CONFLICT (tenant) DO UPDATE SET bytes = bytes + excluded.bytes";
    const MOVE: &str = "UPDATE leaderboards SET tenant = ?1, version = ?3 WHERE row = ?2";
    let found = find(session, tenant)?
        .filter(|found| found.stored.leaderboard == *leaderboard && found.stored.state == expected);
    let Some(found) = found else {
        return Ok(Err(ImportRefusal::Changed));
    };
    if exists(session, tenant, leaderboard)? {
        return Ok(Err(ImportRefusal::LeaderboardExists));
    }
    let version = leaderboards::next_version(session, tenant)?;
    session.run(WEIGH, &[tenant.into(), found.row.into()])?;
    session.run(MOVE, &[tenant.into(), found.row.into(), version.into()])?;
    forget(session, tenant, found.row)?;
    Ok(Ok(()))
}

/// Deletes what only an import has.
fn forget(session: &Session<'_>, tenant: &TenantId, board: i64) -> Result<(), StoreError> {
    delete_parts(session, board)?;
    let name = name_import_tenant(tenant);
    session.run("DELETE FROM tenant_logs WHERE tenant = ?1", &[(&name).into()])?;
    session.run("DELETE FROM imports WHERE tenant = ?1", &[tenant.into()])
}
