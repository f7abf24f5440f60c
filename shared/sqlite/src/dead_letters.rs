//! Messages that could not be applied.

use leaderboard_core::ports::{
    DeadLetter, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, StoredDeadLetter,
};
use leaderboard_core::{StoreError, TenantId, Timestamp};
use sha2::{Digest, Sha256};

use crate::connection::{Row, Value};
use crate::documents::scope;
use crate::row::{Cells, corrupt, stored};
use crate::session::Session;

/// Adds dead letters. Skips a letter if the store has the same letter with an instant less than [`IDEMPOTENCY_MS`] before or
/// after it. Then deletes the oldest letters above the limits of the scope and of the store.
pub(crate) fn push(
    session: &Session<'_>,
    tenant: Option<&TenantId>,
    letters: &[DeadLetter],
) -> Result<(), StoreError> {
    const PUSH: &str = "INSERT INTO dead_letters (at, digest, reason, payload, scope) \
         SELECT ?1, ?2, ?3, ?4, ?7 \
         WHERE NOT EXISTS (SELECT 1 FROM dead_letters WHERE digest = ?2 AND at > ?5 AND at < ?6)";
    const TRIM_SCOPE: &str = "DELETE FROM dead_letters WHERE scope = ?1 AND row <= \
         (SELECT row FROM dead_letters WHERE scope = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)";
    const TRIM: &str = "DELETE FROM dead_letters WHERE row <= \
         (SELECT row FROM dead_letters ORDER BY row DESC LIMIT 1 OFFSET ?1)";
    let scope = scope(tenant);
    for letter in letters {
        let digest = digest(scope, letter);
        let at = letter.at.as_unix_ms();
        let parameters = [
            Value::Integer(at),
            Value::Blob(&digest),
            Value::Text(&letter.reason),
            Value::Blob(&letter.payload),
            // The clock of another region can be ahead or behind.
            Value::Integer(at.saturating_sub(IDEMPOTENCY_MS)),
            Value::Integer(at.saturating_add(IDEMPOTENCY_MS)),
            Value::Text(scope),
        ];
        session.run(PUSH, &parameters)?;
    }
    let most = Value::Integer(stored(MAX_DEAD_LETTERS));
    session.run(TRIM_SCOPE, &[Value::Text(scope), most])?;
    let most_in_all = Value::Integer(stored(MAX_DEAD_LETTERS_IN_ALL));
    session.run(TRIM, &[most_in_all])
}

fn digest(scope: &str, letter: &DeadLetter) -> [u8; 32] {
    let mut hash = Sha256::new();
    for text in [scope, &letter.reason] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(&letter.payload);
    hash.finalize().into()
}

/// Returns letters, newest first.
pub(crate) fn list(
    session: &Session<'_>,
    tenant: Option<&TenantId>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<StoredDeadLetter>, StoreError> {
    const OF_A_TENANT: &str = "SELECT row, scope, at, reason, payload FROM dead_letters \
         WHERE row < ?1 AND scope = ?3 ORDER BY row DESC LIMIT ?2 + 0";
    const OF_ALL: &str = "SELECT row, scope, at, reason, payload FROM dead_letters \
         WHERE row < ?1 ORDER BY row DESC LIMIT ?2 + 0";
    let before = Value::Integer(before.map_or(i64::MAX, stored));
    let limit = Value::Integer(i64::from(limit));
    let rows = match tenant {
        Some(tenant) => session.rows(OF_A_TENANT, &[before, limit, Value::Text(tenant.as_str())])?,
        None => session.rows(OF_ALL, &[before, limit])?,
    };
    rows.into_iter().map(letter).collect()
}

/// Returns the letter with this id.
pub(crate) fn read(session: &Session<'_>, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
    const ONE: &str = "SELECT row, scope, at, reason, payload FROM dead_letters WHERE row = ?1";
    let rows = session.rows(ONE, &[Value::Integer(stored(id))])?;
    rows.into_iter().next().map(letter).transpose()
}

/// Deletes a letter. Returns whether it existed.
pub(crate) fn delete(session: &Session<'_>, id: u64) -> Result<bool, StoreError> {
    const DELETE: &str = "DELETE FROM dead_letters WHERE row = ?1 RETURNING row";
    let rows = session.rows(DELETE, &[Value::Integer(stored(id))])?;
    Ok(!rows.is_empty())
}

fn letter(row: Row) -> Result<StoredDeadLetter, StoreError> {
    let mut cells = Cells::from(row);
    let id = cells.unsigned("id of a dead letter")?;
    let tenant = match cells.text("scope")?.as_str() {
        "" => None,
        name => Some(TenantId::new(name).map_err(|_| corrupt("tenant"))?),
    };
    let at = Timestamp::from_unix_ms(cells.integer("instant")?);
    let letter = DeadLetter {
        at: at.ok_or_else(|| corrupt("instant"))?,
        reason: cells.text("reason")?,
        payload: cells.blob("payload")?,
    };
    Ok(StoredDeadLetter { id, tenant, letter })
}
