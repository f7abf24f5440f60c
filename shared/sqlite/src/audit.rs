//! The audit log, one for each tenant and one for the operator.

use leaderboard_core::ports::{AuditRecord, MAX_AUDIT_RECORDS, RecordedAudit};
use leaderboard_core::{StoreError, TenantId, Timestamp};

use crate::connection::{Connection, Value};
use crate::documents::scope;
use crate::row::{Cells, corrupt, stored};
use crate::store::Session;

/// How many records beyond [`MAX_AUDIT_RECORDS`] go with one call, which adds one.
const TRIMMED_AT_ONCE: u32 = 64;

/// Appends a record; gives its position.
pub(crate) async fn append<C: Connection>(
    session: &Session<'_, C>,
    record: &AuditRecord,
) -> Result<u64, StoreError> {
    const APPEND: &str = "INSERT INTO audit (scope, position, at, body) \
         SELECT ?1, coalesce(max(position), 0) + 1, ?2, ?3 FROM audit WHERE scope = ?1 RETURNING position";
    const TRIM: &str = "DELETE FROM audit WHERE scope = ?1 AND position IN (SELECT position FROM audit \
         WHERE scope = ?1 AND position <= ?2 ORDER BY position LIMIT ?3)";
    let scope = Value::Text(scope(record.tenant.as_ref()));
    let at = Value::Integer(record.at.as_unix_ms());
    let row = session
        .row(APPEND, &[scope, at, Value::Blob(&record.body)])
        .await?;
    let position = row.ok_or_else(|| corrupt("position"))?.unsigned("position")?;
    let surplus = position.saturating_sub(MAX_AUDIT_RECORDS);
    if surplus > 0 {
        let parameters = [
            scope,
            Value::Integer(stored(surplus)),
            Value::Integer(i64::from(TRIMMED_AT_ONCE)),
        ];
        session.run(TRIM, &parameters).await?;
    }
    Ok(position)
}

/// Records before a position, newest first.
pub(crate) async fn read<C: Connection>(
    session: &Session<'_, C>,
    tenant: Option<&TenantId>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<RecordedAudit>, StoreError> {
    const READ: &str = "SELECT position, at, body FROM audit WHERE scope = ?1 AND position < ?2 \
         ORDER BY position DESC LIMIT ?3";
    let parameters = [
        Value::Text(scope(tenant)),
        Value::Integer(before.map_or(i64::MAX, stored)),
        Value::Integer(i64::from(limit)),
    ];
    let rows = session.rows(READ, &parameters).await?;
    rows.into_iter()
        .map(|row| {
            let mut cells = Cells::from(row);
            let position = cells.unsigned("position")?;
            let at = Timestamp::from_unix_ms(cells.integer("instant")?);
            Ok(RecordedAudit {
                position,
                at: at.ok_or_else(|| corrupt("instant"))?,
                body: cells.blob("audit record")?,
            })
        })
        .collect()
}
