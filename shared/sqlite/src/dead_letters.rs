//! Messages that could not be applied.

use leaderboard_core::ports::{DeadLetter, IDEMPOTENCY_MS, MAX_DEAD_LETTERS};
use leaderboard_core::{StoreError, Timestamp};
use sha2::{Digest, Sha256};

use crate::connection::{Connection, Value};
use crate::row::{Cells, corrupt, stored};
use crate::store::Session;

/// Keeps a letter, unless the same one came within [`IDEMPOTENCY_MS`].
pub(crate) async fn bury<C: Connection>(
    session: &Session<'_, C>,
    letter: &DeadLetter,
) -> Result<(), StoreError> {
    const BURY: &str = "INSERT INTO dead_letters (at, digest, reason, payload) SELECT ?1, ?2, ?3, ?4 \
         WHERE NOT EXISTS (SELECT 1 FROM dead_letters WHERE digest = ?2 AND at > ?5 AND at < ?6)";
    const TRIM: &str = "DELETE FROM dead_letters WHERE row IN \
         (SELECT row FROM dead_letters ORDER BY at DESC, row DESC LIMIT -1 OFFSET ?1)";
    let digest = digest(letter);
    let at = letter.at.as_unix_ms();
    let parameters = [
        Value::Integer(at),
        Value::Blob(&digest),
        Value::Text(&letter.reason),
        Value::Blob(&letter.payload),
        // Clocks of two regions differ in either direction.
        Value::Integer(at.saturating_sub(IDEMPOTENCY_MS)),
        Value::Integer(at.saturating_add(IDEMPOTENCY_MS)),
    ];
    session.run(BURY, &parameters).await?;
    session
        .run(TRIM, &[Value::Integer(stored(MAX_DEAD_LETTERS))])
        .await
}

fn digest(letter: &DeadLetter) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((letter.reason.len() as u64).to_be_bytes());
    hash.update(letter.reason.as_bytes());
    hash.update(&letter.payload);
    hash.finalize().into()
}

/// The newest letters first.
pub(crate) async fn letters<C: Connection>(
    session: &Session<'_, C>,
    limit: u32,
) -> Result<Vec<DeadLetter>, StoreError> {
    const LETTERS: &str = "SELECT at, reason, payload FROM dead_letters ORDER BY at DESC, row DESC LIMIT ?1";
    let rows = session.rows(LETTERS, &[Value::Integer(i64::from(limit))]).await?;
    rows.into_iter()
        .map(|row| {
            let mut cells = Cells::from(row);
            let at = Timestamp::from_unix_ms(cells.integer("instant")?);
            Ok(DeadLetter {
                at: at.ok_or_else(|| corrupt("instant"))?,
                reason: cells.text("reason")?,
                payload: cells.blob("payload")?,
            })
        })
        .collect()
}
