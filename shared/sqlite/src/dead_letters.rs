//! The port [`DeadLetters`]: messages that could not be applied.

use leaderboard_core::ports::{
    DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, StoredDeadLetter,
};
use leaderboard_core::{StoreError, TenantId};
use sha2::{Digest, Sha256};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::documents::scope;
use crate::row::{Cells, corrupt};

impl<C: Connection> DeadLetters for SqliteStore<C> {
    /// Skips a letter if the store has the same letter with an instant less than [`IDEMPOTENCY_MS`] before or after it. Then deletes
    /// the oldest letters above the limits of the scope and of the store.
    async fn push_dead_letters(
        &self,
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
        self.write(|session| {
            for letter in letters {
                let digest = digest(scope, letter);
                let at = letter.at.as_unix_ms();
                let parameters = [
                    at.into(),
                    digest[..].into(),
                    (&letter.reason).into(),
                    letter.payload[..].into(),
                    // The clock of another region can be ahead or behind.
                    at.saturating_sub(IDEMPOTENCY_MS).into(),
                    at.saturating_add(IDEMPOTENCY_MS).into(),
                    scope.into(),
                ];
                session.run(PUSH, &parameters)?;
            }
            session.run(TRIM_SCOPE, &[scope.into(), MAX_DEAD_LETTERS.into()])?;
            session.run(TRIM, &[MAX_DEAD_LETTERS_IN_ALL.into()])
        })
        .await
    }

    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        const OF_A_TENANT: &str = "SELECT row, scope, at, reason, payload FROM dead_letters \
             WHERE row < ?1 AND scope = ?3 ORDER BY row DESC LIMIT ?2 + 0";
        const OF_ALL: &str = "SELECT row, scope, at, reason, payload FROM dead_letters \
             WHERE row < ?1 ORDER BY row DESC LIMIT ?2 + 0";
        let before = before.unwrap_or(u64::MAX).into();
        self.single(|session| match tenant {
            Some(tenant) => {
                session.map_rows(OF_A_TENANT, &[before, limit.into(), tenant.into()], read_letter)
            }
            None => session.map_rows(OF_ALL, &[before, limit.into()], read_letter),
        })
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        const ONE: &str = "SELECT row, scope, at, reason, payload FROM dead_letters WHERE row = ?1";
        self.single(|session| session.map_row(ONE, &[id.into()], read_letter))
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        const DELETE: &str = "DELETE FROM dead_letters WHERE row = ?1 RETURNING row";
        let row = self.write(|session| session.row(DELETE, &[id.into()])).await?;
        Ok(row.is_some())
    }
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

fn read_letter(cells: &mut Cells) -> Result<StoredDeadLetter, StoreError> {
    let id = cells.unsigned("id of a dead letter")?;
    let tenant = match cells.text("scope")?.as_str() {
        "" => None,
        name => Some(TenantId::new(name).map_err(|_| corrupt("tenant"))?),
    };
    let letter = DeadLetter {
        at: cells.instant("instant")?,
        reason: cells.text("reason")?,
        payload: cells.blob("payload")?,
    };
    Ok(StoredDeadLetter { id, tenant, letter })
}
