//! The [`AuditLog`] port: the audit log of a tenant or of the operator.

use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord, RecordedAudit};
use leaderboard_core::{StoreError, TenantId, Timestamp};

use crate::connection::Connection;
use crate::reply_reader::{corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{APPEND_AUDIT, READ_AUDIT};
use crate::{RedisStore, keys};

impl<C: Connection> AuditLog for RedisStore<C> {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        let mut call = ScriptCall::with_keys(keys::audit(record.tenant.as_ref()));
        call.add_text(match record.kind {
            AuditKind::Action => "1",
            AuditKind::Authentication => "2",
        });
        call.add_text(&record.kind.max_records());
        call.add_text(&record.at.as_unix_ms());
        call.add_bytes(&record.body);
        let mut reply = APPEND_AUDIT.run(&self.server, &call).await?;
        parse_decimal(&reply.read_bytes()?)
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
        let mut call = ScriptCall::with_keys(keys::audit(tenant));
        match before {
            Some(before) => call.add_text(&format_args!("(0-{before}")),
            None => call.add_text("+"),
        }
        call.add_text(&limit);
        let mut reply = READ_AUDIT.run(&self.server, &call).await?;
        let mut records = Vec::with_capacity(reply.remaining() / 3);
        while !reply.is_empty() {
            let position = parse_position(&reply.read_bytes()?)?;
            let at = parse_time(&reply.read_bytes()?)?;
            let body = reply.read_bytes()?;
            records.push(RecordedAudit { position, at, body });
        }
        Ok(records)
    }
}

/// Returns the position in the id of a stream entry.
fn parse_position(id: &[u8]) -> Result<u64, StoreError> {
    parse_decimal(id.strip_prefix(b"0-").ok_or_else(|| corrupt("audit id"))?)
}

fn parse_time(bytes: &[u8]) -> Result<Timestamp, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(corrupt)?;
    let ms = text.parse().map_err(corrupt)?;
    Timestamp::from_unix_ms(ms).ok_or_else(|| corrupt("audit time"))
}
