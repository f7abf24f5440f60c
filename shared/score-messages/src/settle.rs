//! What becomes of items after an attempt: each is finished, given up, or tried again later.

use leaderboard_core::ports::{ClaimedItem, DeadLetter, FIRST_SHARD, FinishedItem, Queue, ShardNumber};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_responses::ResponseEnvironment;

use crate::job::Job;
use crate::letters::push;

/// How long a claimed item belongs to the drain that claimed it, in milliseconds. It is longer than a drain and its last group of items
/// take together, also if the store is slow. It is also the longest wait before another attempt.
pub const LEASE_MS: u32 = 30_000;
/// How often an item is tried. Then it becomes dead letters. The waits take about a minute together, on average.
pub const MAX_ATTEMPTS: u32 = 10;
/// From this attempt on, an item is applied alone, in case that it makes the others of its group fail.
pub(crate) const ALONE_FROM_ATTEMPT: u32 = 4;
/// The longest wait before the second attempt, in milliseconds. Each further wait can be twice as long, up to [`LEASE_MS`].
const FIRST_WAIT_MS: u32 = 500;

/// What a drain did, as numbers of items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// The items that were applied or refused for good.
    pub finished: usize,
    /// The items that are tried again later.
    pub retried: usize,
    /// The items that were given up; they are dead letters.
    pub dead: usize,
}

/// The items of one tenant after an attempt.
#[derive(Debug, Default)]
pub(crate) struct SettledJobs {
    /// The items that leave the queue without dead letters.
    finished: Vec<FinishedItem>,
    /// The items that leave the queue with dead letters, how many of them are given up, and these letters.
    lettered: Vec<FinishedItem>,
    given_up: usize,
    letters: Vec<DeadLetter>,
    /// The items that are tried again after a random wait.
    retried: Vec<ClaimedItem>,
    /// The items that are tried again after a lease, without counting the attempt.
    postponed: Vec<ClaimedItem>,
    /// How many submissions of messages were applied.
    pub applied: usize,
}

impl SettledJobs {
    /// Adds an item that was tried. If the store has no memory, the item waits until the store has some, however long that takes: its
    /// dead letters would need memory, too. While the tenant or its shard is unavailable, the item is tried again for a day
    /// ([`Job::is_doubtful`]), from some attempt on alone. With one shard, a queue that gives items although the shard is unavailable
    /// says that the item is at fault. `shards` is the number of shards.
    pub(crate) fn add(&mut self, mut job: Job, shards: ShardNumber) {
        let is_outage = match job.failure {
            Some(StoreError::TenantUnavailable(_)) => true,
            Some(StoreError::Unavailable(_)) => shards > FIRST_SHARD,
            _ => false,
        };
        if is_outage {
            job.item.attempts = job.item.attempts.min(ALONE_FROM_ATTEMPT);
        }
        match job.why_waiting() {
            Some(_) if matches!(job.failure, Some(StoreError::OutOfMemory(_))) => {
                self.applied += job.count_applied();
                self.postponed.push(uncount(&job.item, 1));
            }
            Some(_) if job.item.attempts < MAX_ATTEMPTS => {
                self.applied += job.count_applied();
                self.retried.push(job.item);
            }
            Some(reason) => self.give_up(job, reason),
            None => {
                self.applied += job.count_applied();
                let letters = job.refused_letters();
                self.finish(job.finish(), letters);
            }
        }
    }

    /// Adds an item of a tenant that is closed for the moment. It was not tried.
    pub(crate) fn postpone(&mut self, job: &Job) {
        self.postponed.push(uncount(&job.item, 0));
    }

    /// Adds an item that is not tried again.
    pub(crate) fn give_up(&mut self, job: Job, reason: String) {
        self.applied += job.count_applied();
        self.given_up += 1;
        let letters = job.given_up_letters(&reason);
        self.lettered.push(job.give_up(reason));
        self.letters.extend(letters);
    }

    fn finish(&mut self, item: FinishedItem, letters: Vec<DeadLetter>) {
        if letters.is_empty() {
            self.finished.push(item);
        } else {
            self.lettered.push(item);
            self.letters.extend(letters);
        }
    }

    /// Writes the dead letters before the items are removed: a drain that ends in between is repeated, and the store keeps equal
    /// letters once. If the store does not take the letters, their items stay in the queue.
    ///
    /// # Errors
    /// [`StoreError`]. The items that were not written are due again after [`LEASE_MS`]. A failure to write the dead letters is an inner
    /// result.
    pub(crate) async fn store<E: ResponseEnvironment>(
        mut self,
        env: &E,
        tenant: &TenantId,
        report: &mut DrainReport,
    ) -> Result<Result<(), StoreError>, StoreError> {
        let pushed = push(env, Some(tenant), &self.letters).await;
        if pushed.is_ok() {
            report.dead += self.given_up;
            self.finished.append(&mut self.lettered);
            report.finished += self.finished.len().saturating_sub(self.given_up);
        } else {
            report.finished += self.finished.len();
            let kept = self.lettered.iter().map(|lettered| uncount(&lettered.item, 1));
            self.postponed.extend(kept);
        }
        report.retried += self.retried.len() + self.postponed.len();
        finish_all(env, tenant, self.finished).await?;
        if let Some(attempts) = self.retried.iter().map(|item| item.attempts).max() {
            let wait_ms = choose_wait(attempts, &env.random()?);
            env.store().retry_items(&self.retried, wait_ms, LEASE_MS).await?;
        }
        if !self.postponed.is_empty() {
            env.store()
                .retry_items(&self.postponed, LEASE_MS, LEASE_MS)
                .await?;
        }
        Ok(pushed)
    }
}

/// Returns an item as [`Queue::retry_items`] needs it, as if this attempt had not been made. It has at least `least` attempts: one if
/// a part of it may have been applied.
pub(crate) fn uncount(item: &ClaimedItem, least: u32) -> ClaimedItem {
    ClaimedItem {
        name: item.name.clone(),
        request: item.request.clone(),
        enqueued_at: item.enqueued_at,
        attempts: item.attempts.saturating_sub(1).max(least),
        payload: Vec::new(),
    }
}

/// Finishes the items of a tenant, and those that backends appended for the tenant.
async fn finish_all<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    items: Vec<FinishedItem>,
) -> Result<(), StoreError> {
    let (requests, messages): (Vec<_>, Vec<_>) = items
        .into_iter()
        .partition(|finished| finished.item.request.is_some());
    if !requests.is_empty() {
        env.store().finish_items(Some(tenant), &requests).await?;
    }
    if !messages.is_empty() {
        env.store().finish_items(None, &messages).await?;
    }
    Ok(())
}

/// Returns the wait before the next attempt in milliseconds: a random part of a time that doubles with each attempt (full jitter), so
/// that items that failed together do not all come back together.
fn choose_wait(attempts: u32, random: &[u8; 32]) -> u32 {
    let doublings = attempts.saturating_sub(1).min(31);
    let longest = FIRST_WAIT_MS.saturating_mul(1 << doublings).min(LEASE_MS);
    let random = random.first_chunk().copied().map(u32::from_be_bytes);
    random.unwrap_or_default() % (longest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_random_and_at_most_doubles_up_to_the_lease() {
        let random = |first: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&first.to_be_bytes());
            bytes
        };
        for (attempts, longest) in [(1, 500), (2, 1_000), (5, 8_000), (7, 30_000), (u32::MAX, 30_000)] {
            assert_eq!(choose_wait(attempts, &random(longest)), longest);
            assert_eq!(choose_wait(attempts, &random(longest + 1)), 0);
        }
    }
}
