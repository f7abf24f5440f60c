//! Reads the stored state of all targets of a transaction in one statement.

use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use crate::connection::Value;
use crate::ids::{self, IdempotencyRecord};
use crate::row::Cells;
use crate::rows::JsonRows;
use crate::session::Session;

/// What names the stored state of one target.
#[derive(Debug)]
pub(crate) struct TargetName<'a> {
    /// The row of the leaderboard.
    pub(crate) board: i64,
    /// The row of the period; `None` if the period has never had an entry.
    pub(crate) period: Option<i64>,
    pub(crate) player: &'a PlayerId,
    /// The name of the idempotency record, if the submission has an id.
    pub(crate) record: Option<&'a str>,
    /// When the submission was received.
    pub(crate) recorded_at: Timestamp,
}

/// The stored state of one target.
#[derive(Debug)]
pub(crate) struct TargetState {
    /// Whether the player is banned.
    pub(crate) banned: bool,
    /// The idempotency record of the submission's id.
    pub(crate) record: Option<IdempotencyRecord>,
    /// The entry's key, and the columns after it, which are read later because the layout may have changed.
    pub(crate) entry: Option<(Vec<u8>, Cells)>,
}

/// Returns the state of each target, in their order.
pub(crate) fn read_all(
    session: &Session<'_>,
    tenant: &TenantId,
    targets: &[TargetName<'_>],
) -> Result<Vec<TargetState>, StoreError> {
    // A row of the parameter: period, player, leaderboard, record, and the instants after which a record or a ban is valid.
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM bans WHERE tenant = ?2 AND player = t.value ->> 1 \
           AND (expires_at IS NULL OR expires_at > t.value ->> 5)), \
         s.fingerprint, s.outcome, e.order_key, e.attempts, e.metadata FROM json_each(?1) t \
         LEFT JOIN entries e ON e.period = t.value ->> 0 AND e.player = t.value ->> 1 \
         LEFT JOIN submissions s ON s.leaderboard = t.value ->> 2 AND s.id = t.value ->> 3 \
           AND s.recorded_at > t.value ->> 4 \
         ORDER BY t.key";
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = JsonRows::default();
    for target in targets {
        rows.push(&[
            target.period.map_or(Value::Null, Value::Integer),
            Value::Text(target.player.as_str()),
            Value::Integer(target.board),
            target.record.map_or(Value::Null, Value::Text),
            Value::Integer(ids::too_old(target.recorded_at)),
            Value::Integer(target.recorded_at.as_unix_ms()),
        ]);
    }
    let parameters = [Value::Text(&rows.to_text()), Value::Text(tenant.as_str())];
    let found = session.rows(READ, &parameters)?;
    found.into_iter().map(|row| read_state(row.into())).collect()
}

fn read_state(mut cells: Cells) -> Result<TargetState, StoreError> {
    let banned = cells.flag("ban")?;
    let fingerprint = cells.blob_or_null("fingerprint")?;
    let outcome = cells.blob_or_null("outcome")?;
    let record = fingerprint.zip(outcome);
    let key = cells.blob_or_null("order key")?;
    Ok(TargetState {
        banned,
        record: record.map(|(fingerprint, outcome)| IdempotencyRecord { fingerprint, outcome }),
        entry: key.map(|key| (key, cells)),
    })
}
