//! The audit log: the [`AuditLog`] port.

use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord, RecordedAudit};
use leaderboard_core::{StoreError, TenantId, Timestamp};

use crate::RedisStore;
use crate::answer::{Answer, corrupt, decimal};
use crate::connection::Connection;
use crate::keys;
use crate::script::{APPEND_AUDIT, Call, READ_AUDIT};

impl<C: Connection> AuditLog for RedisStore<C> {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        let mut call = Call::on(keys::audit(record.tenant.as_ref()));
        call.text(match record.kind {
            AuditKind::Act => "1",
            AuditKind::Notice => "2",
        });
        call.text(&record.kind.kept());
        call.text(&record.at.as_unix_ms());
        call.bytes(&record.body);
        let mut answer = Answer::new(APPEND_AUDIT.run(&self.connection, &call).await?);
        decimal(&answer.bytes()?)
    }

    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        if limit == 0 || before.is_some_and(|before| before <= 1) {
            return Ok(Vec::new());
        }
        let mut call = Call::on(keys::audit(tenant));
        match before {
            Some(before) => call.text(&format_args!("(0-{before}")),
            None => call.text("+"),
        }
        call.text(&limit);
        let mut answer = Answer::new(READ_AUDIT.run(&self.connection, &call).await?);
        let mut records = Vec::with_capacity(answer.left() / 3);
        while !answer.is_empty() {
            let position = position(&answer.bytes()?)?;
            let at = read_time(&answer.bytes()?)?;
            let body = answer.bytes()?;
            records.push(RecordedAudit { position, at, body });
        }
        Ok(records)
    }
}

/// The position in an id of the stream.
fn position(id: &[u8]) -> Result<u64, StoreError> {
    decimal(id.strip_prefix(b"0-").ok_or_else(|| corrupt("audit id"))?)
}

fn read_time(bytes: &[u8]) -> Result<Timestamp, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(corrupt)?;
    let ms = text.parse().map_err(corrupt)?;
    Timestamp::from_unix_ms(ms).ok_or_else(|| corrupt("audit time"))
}
