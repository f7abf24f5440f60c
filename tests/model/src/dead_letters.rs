//! The port of dead letters.

use leaderboard_core::ports::{
    DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, StoredDeadLetter,
};
use leaderboard_core::{StoreError, TenantId};

use crate::Model;

/// The dead letters of all tenants, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DeadLetterQueue {
    last_id: u64,
    kept: Vec<StoredDeadLetter>,
}

impl DeadLetterQueue {
    /// Returns whether the queue has the same letter from less than [`IDEMPOTENCY_MS`] before or after.
    fn has(&self, tenant: Option<&TenantId>, letter: &DeadLetter) -> bool {
        self.kept.iter().any(|known| {
            let apart_ms = known.letter.at.as_unix_ms().abs_diff(letter.at.as_unix_ms());
            known.tenant.as_ref() == tenant
                && known.letter.reason == letter.reason
                && known.letter.payload == letter.payload
                && apart_ms < IDEMPOTENCY_MS.unsigned_abs()
        })
    }

    fn add(&mut self, tenant: Option<&TenantId>, letter: &DeadLetter) {
        self.last_id += 1;
        self.kept.push(StoredDeadLetter {
            id: self.last_id,
            tenant: tenant.cloned(),
            letter: letter.clone(),
        });
    }

    /// Deletes the oldest letter of those that `selected` accepts, if they are more than `most`.
    fn delete_oldest(&mut self, selected: impl Fn(&StoredDeadLetter) -> bool, most: u64) {
        let count = self.kept.iter().filter(|letter| selected(letter)).count() as u64;
        if count > most
            && let Some(oldest) = self.kept.iter().position(selected)
        {
            self.kept.remove(oldest);
        }
    }
}

impl DeadLetters for Model {
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        let mut all = self.dead_letters.borrow_mut();
        for letter in letters {
            if !all.has(tenant, letter) {
                all.add(tenant, letter);
                all.delete_oldest(|other| other.tenant.as_ref() == tenant, MAX_DEAD_LETTERS);
                all.delete_oldest(|_| true, MAX_DEAD_LETTERS_IN_ALL);
            }
        }
        Ok(())
    }

    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        let all = self.dead_letters.borrow();
        let wanted = all.kept.iter().rev().filter(|letter| {
            (tenant.is_none() || letter.tenant.as_ref() == tenant)
                && before.is_none_or(|before| letter.id < before)
        });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        let all = self.dead_letters.borrow();
        Ok(all.kept.iter().find(|letter| letter.id == id).cloned())
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        let mut all = self.dead_letters.borrow_mut();
        let before = all.kept.len();
        all.kept.retain(|letter| letter.id != id);
        Ok(all.kept.len() < before)
    }
}
