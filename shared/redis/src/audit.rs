//! The audit log: the [`AuditLog`] port.

use leaderboard_core::ports::{AuditLog, AuditRecord, MAX_AUDIT_RECORDS, RecordedAudit};
use leaderboard_core::{StoreError, TenantId, Timestamp};

use crate::RedisStore;
use crate::answer::{Answer, corrupt, decimal};
use crate::connection::Connection;
use crate::keys;

impl<C: Connection> AuditLog for RedisStore<C> {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        let key = keys::audit(record.tenant.as_ref());
        let most = MAX_AUDIT_RECORDS.to_string();
        let at = record.at.as_unix_ms().to_string();
        let arguments: [&[u8]; 9] = [
            &key,
            b"MAXLEN",
            b"~",
            most.as_bytes(),
            // The stream counts positions up by itself.
            b"0-*",
            b"t",
            at.as_bytes(),
            b"b",
            &record.body,
        ];
        let mut answer = Answer::new(self.connection.command("XADD", &arguments).await?);
        position(&answer.bytes()?)
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
        let key = keys::audit(tenant);
        let from = before.map_or_else(|| "+".to_owned(), |before| format!("(0-{before}"));
        let limit = limit.to_string();
        let arguments: [&[u8]; 5] = [&key, from.as_bytes(), b"-", b"COUNT", limit.as_bytes()];
        let mut answer = Answer::new(self.connection.command("XREVRANGE", &arguments).await?);
        let mut records = Vec::with_capacity(answer.left() / 5);
        while !answer.is_empty() {
            let position = position(&answer.bytes()?)?;
            let _time = answer.bytes()?;
            let at = read_time(&answer.bytes()?)?;
            let _body = answer.bytes()?;
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
