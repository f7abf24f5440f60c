//! The port [`AuditLog`]: one log for each tenant, and one for the operator.

use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord, RecordedAudit};
use leaderboard_core::{StoreError, TenantId};

use crate::SqliteStore;
use crate::connection::{Connection, Value};
use crate::documents::scope;
use crate::row::Cells;
use crate::session::Session;

/// The most surplus records that one call deletes; each call adds one record.
const MIN_TRIMMED_EVENTS: u64 = 64;

/// The table of a kind of record, and its statements.
struct AuditTable {
    name: &'static str,
    append: &'static str,
    trim: &'static str,
}

macro_rules! table {
    ($name:literal) => {
        AuditTable {
            name: $name,
            append: concat!(
                "INSERT INTO ",
                $name,
                " (scope, position, at, body) SELECT ?1, 1 + max( \
                 coalesce((SELECT max(position) FROM audit WHERE scope = ?1), 0), \
                 coalesce((SELECT max(position) FROM notices WHERE scope = ?1), 0)), ?2, ?3 RETURNING position"
            ),
            trim: concat!(
                "DELETE FROM ",
                $name,
                " WHERE scope = ?1 AND position IN (SELECT position FROM ",
                $name,
                " WHERE scope = ?1 ORDER BY position LIMIT ?2 + 0)"
            ),
        }
    };
}

const ACTIONS: AuditTable = table!("audit");
const AUTHENTICATIONS: AuditTable = table!("notices");

impl<C: Connection> AuditLog for SqliteStore<C> {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        self.write(|session| append(session, record)).await
    }

    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        const READ: &str = "SELECT position, at, body FROM audit WHERE scope = ?1 AND position < ?2 \
             UNION ALL SELECT position, at, body FROM notices WHERE scope = ?1 AND position < ?2 \
             ORDER BY position DESC LIMIT ?3 + 0";
        let before = before.unwrap_or(u64::MAX);
        let parameters = [scope(tenant).into(), before.into(), limit.into()];
        self.single(|session| session.map_rows(READ, &parameters, read_record))
    }
}

/// Appends a record, and returns its position.
fn append(session: &Session<'_>, record: &AuditRecord) -> Result<u64, StoreError> {
    const COUNT: &str = "INSERT INTO audit_sizes (scope, kind, records) VALUES (?1, ?2, 1) \
         ON CONFLICT (scope, kind) DO UPDATE SET records = records + 1 RETURNING records";
    const COUNT_OFF: &str = "UPDATE audit_sizes SET records = records - ?3 WHERE scope = ?1 AND kind = ?2";
    let table = match record.kind {
        AuditKind::Action => ACTIONS,
        AuditKind::Authentication => AUTHENTICATIONS,
    };
    let scope = Value::from(scope(record.tenant.as_ref()));
    let kind = Value::from(table.name);
    let body = record.body.as_slice();
    let position = session
        .only_row(table.append, &[scope, record.at.into(), body.into()])?
        .unsigned("position")?;
    let records = session.only_row(COUNT, &[scope, kind])?.unsigned("records")?;
    let surplus = records.saturating_sub(record.kind.max_records());
    if surplus > 0 {
        let gone = Value::from(surplus.min(MIN_TRIMMED_EVENTS));
        session.run(table.trim, &[scope, gone])?;
        session.run(COUNT_OFF, &[scope, kind, gone])?;
    }
    Ok(position)
}

fn read_record(cells: &mut Cells) -> Result<RecordedAudit, StoreError> {
    Ok(RecordedAudit {
        position: cells.unsigned("position")?,
        at: cells.instant("instant")?,
        body: cells.blob("audit record")?,
    })
}
