//! Rows of leaderboards.

use leaderboard_core::codec::decode_leaderboard;
use leaderboard_core::{Leaderboard, LeaderboardId, StoreError, TenantId, Timestamp, Versioned};

use crate::connection::{Connection, Value};
use crate::row::{Cells, malformed, stored};
use crate::store::Session;

/// A leaderboard while a transaction works on it.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    pub(crate) row: i64,
    pub(crate) version: u64,
    /// The position of its last event.
    pub(crate) last_position: u64,
    /// Whether a period of it has expired and is still there.
    pub(crate) has_expired: bool,
    /// Whether anything at all waits to be deleted.
    pub(crate) has_discarded: bool,
}

/// The current state of a leaderboard at `now`; `None` when there is none of that id.
pub(crate) async fn find<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    id: &LeaderboardId,
    now: Timestamp,
) -> Result<Option<Board>, StoreError> {
    const FIND: &str = "SELECT row, version, last_position, \
         EXISTS (SELECT 1 FROM periods p WHERE p.leaderboard = b.row AND p.expires_at <= ?3), \
         EXISTS (SELECT 1 FROM discarded) \
         FROM leaderboards b WHERE tenant = ?1 AND id = ?2";
    let parameters = [
        Value::Text(tenant.as_str()),
        Value::Text(id.as_str()),
        Value::Integer(now.as_unix_ms()),
    ];
    let Some(mut cells) = session.row(FIND, &parameters).await? else {
        return Ok(None);
    };
    Ok(Some(Board {
        row: cells.integer("leaderboard row")?,
        version: cells.unsigned("configuration version")?,
        last_position: cells.unsigned("last position")?,
        has_expired: cells.flag("expiry")?,
        has_discarded: cells.flag("discard")?,
    }))
}

/// Writes the position of the last event back.
pub(crate) async fn save_position<C: Connection>(
    session: &Session<'_, C>,
    row: i64,
    last_position: u64,
) -> Result<(), StoreError> {
    const SAVE: &str = "UPDATE leaderboards SET last_position = ?2 WHERE row = ?1";
    let parameters = [Value::Integer(row), Value::Integer(stored(last_position))];
    session.run(SAVE, &parameters).await
}

/// Reads version and configuration.
pub(crate) fn versioned(mut cells: Cells) -> Result<Versioned<Leaderboard>, StoreError> {
    Ok(Versioned {
        version: cells.unsigned("configuration version")?,
        value: decode_leaderboard(&cells.blob("configuration")?).map_err(malformed)?,
    })
}

/// The current configuration.
pub(crate) async fn get<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    id: &LeaderboardId,
) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
    const GET: &str = "SELECT version, configuration FROM leaderboards WHERE tenant = ?1 AND id = ?2";
    let parameters = [Value::Text(tenant.as_str()), Value::Text(id.as_str())];
    session.row(GET, &parameters).await?.map(versioned).transpose()
}

/// Configurations in byte order of their ids.
pub(crate) async fn list<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    after: Option<&LeaderboardId>,
    limit: u32,
) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
    const LIST: &str = "SELECT version, configuration FROM leaderboards WHERE tenant = ?1 AND id > ?2 \
         ORDER BY id LIMIT ?3";
    let parameters = [
        Value::Text(tenant.as_str()),
        // No id is empty.
        Value::Text(after.map_or("", LeaderboardId::as_str)),
        Value::Integer(i64::from(limit)),
    ];
    let rows = session.rows(LIST, &parameters).await?;
    rows.into_iter().map(|row| versioned(row.into())).collect()
}

/// The next configuration version of a tenant.
pub(crate) async fn next_version<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
) -> Result<u64, StoreError> {
    const NEXT: &str = "INSERT INTO configuration_versions (tenant, last) VALUES (?1, 1) \
         ON CONFLICT (tenant) DO UPDATE SET last = last + 1 RETURNING last";
    let row = session.row(NEXT, &[Value::Text(tenant.as_str())]).await?;
    row.ok_or_else(|| crate::row::corrupt("configuration version"))?
        .unsigned("configuration version")
}

/// Creates or replaces a configuration; gives its row.
pub(crate) async fn save<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    id: &LeaderboardId,
    version: u64,
    configuration: &[u8],
) -> Result<i64, StoreError> {
    const SAVE: &str = "INSERT INTO leaderboards (tenant, id, version, configuration, last_position) \
         VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT (tenant, id) \
         DO UPDATE SET version = excluded.version, configuration = excluded.configuration RETURNING row";
    let parameters = [
        Value::Text(tenant.as_str()),
        Value::Text(id.as_str()),
        Value::Integer(stored(version)),
        Value::Blob(configuration),
    ];
    let row = session.row(SAVE, &parameters).await?;
    row.ok_or_else(|| crate::row::corrupt("leaderboard row"))?
        .integer("leaderboard row")
}
