//! Applies the items of the queue.

use std::collections::BTreeMap;

use futures::future::join;
use leaderboard_core::ports::{ClaimedItem, DeadLetter, FinishedItem, Queue};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::TenantConfig;

use crate::apply::{apply_all, count, why_closed};
use crate::job::{Job, UnreadableItem, finish_item};
use crate::letters::push;
use crate::result::RequestResult;

/// How long a claimed item belongs to the drain that claimed it, in milliseconds. It is longer than a batch takes, also if the store
/// is slow, and it is the longest wait before another attempt.
pub const LEASE_MS: u32 = 30_000;
/// The most items that one call claims. Their submissions are applied together.
const CLAIMED_AT_ONCE: u32 = 1_000;
/// The most items that one drain applies, so that it ends although new items keep coming.
pub const MAX_DRAINED: u32 = 10_000;
/// A drain claims no further items after this time, in milliseconds: a message of the trigger delays the messages behind it.
const MAX_DRAIN_MS: i64 = 5_000;
/// How often an item is tried. Then it becomes dead letters. The waits take about a minute together, on average.
pub const MAX_ATTEMPTS: u32 = 10;
/// From this attempt on, an item is applied alone, in case that it makes the others of its batch fail.
const ALONE_FROM_ATTEMPT: u32 = 4;
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

/// Applies items of the queue until no item is due, or `max_items` have been claimed, or [`MAX_DRAIN_MS`] have passed.
///
/// # Errors
/// [`StoreError`]. The claimed items are due again after [`LEASE_MS`].
pub async fn drain<E: ResponseEnvironment>(env: &E, max_items: u32) -> Result<DrainReport, StoreError> {
    let mut report = DrainReport::default();
    let mut left = max_items;
    let ends_at_ms = env.clock().as_unix_ms().saturating_add(MAX_DRAIN_MS);
    let mut claimed = ClaimedJobs::claim(env, &mut left, ends_at_ms).await?;
    while !claimed.is_empty() {
        // The next items are claimed and read while the store applies these. They are applied afterwards, because the order of the
        // items of a tenant counts.
        let next = ClaimedJobs::claim(env, &mut left, ends_at_ms);
        let (applied, next) = join(claimed.apply(env, &mut report), next).await;
        applied?;
        claimed = next?;
    }
    Ok(report)
}

/// Items that were claimed together and are not applied yet.
#[derive(Debug, Default)]
struct ClaimedJobs {
    by_tenant: BTreeMap<TenantId, Vec<Job>>,
    unreadable: Vec<UnreadableItem>,
}

impl ClaimedJobs {
    /// Claims and reads at most [`CLAIMED_AT_ONCE`] items, and subtracts them from the items `left`. Claims none after `ends_at_ms`.
    async fn claim<E: ResponseEnvironment>(
        env: &E,
        left: &mut u32,
        ends_at_ms: i64,
    ) -> Result<Self, StoreError> {
        let now = env.clock();
        let mut claimed = Self::default();
        if *left == 0 || now.as_unix_ms() >= ends_at_ms {
            return Ok(claimed);
        }
        let limit = CLAIMED_AT_ONCE.min(*left);
        for item in env.store().claim_items(limit, LEASE_MS).await? {
            *left = left.saturating_sub(1);
            match Job::read(item, now) {
                Ok(job) => claimed
                    .by_tenant
                    .entry(job.tenant().clone())
                    .or_default()
                    .push(job),
                Err(unreadable) => claimed.unreadable.push(*unreadable),
            }
        }
        Ok(claimed)
    }

    fn is_empty(&self) -> bool {
        self.by_tenant.is_empty() && self.unreadable.is_empty()
    }

    async fn apply<E: ResponseEnvironment>(
        self,
        env: &E,
        report: &mut DrainReport,
    ) -> Result<(), StoreError> {
        for unreadable in self.unreadable {
            bury_unreadable(env, unreadable).await?;
            report.dead += 1;
        }
        for (tenant, jobs) in self.by_tenant {
            apply_jobs(env, &tenant, jobs, report).await?;
        }
        Ok(())
    }
}

/// Stores an item that cannot be read as dead letters.
async fn bury_unreadable<E: ResponseEnvironment>(
    env: &E,
    unreadable: UnreadableItem,
) -> Result<(), StoreError> {
    let UnreadableItem { item, faulty } = unreadable;
    let reason = faulty.problem.one_line();
    faulty.push_all(env, &item.payload, &reason).await?;
    let tenant = item.request.as_ref().map(|(tenant, _)| tenant.clone());
    let finished = finish_item(item, &RequestResult::Dead { reason });
    env.store().finish_items(tenant.as_ref(), &[finished]).await
}

/// Applies the items of one tenant.
async fn apply_jobs<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    jobs: Vec<Job>,
    report: &mut DrainReport,
) -> Result<(), StoreError> {
    let mut settled = SettledJobs::default();
    match TenantConfig::load(env, tenant).await {
        Err(error) => jobs.into_iter().for_each(|mut job| {
            job.failure = Some(reason_of(&error));
            settled.add(env, job);
        }),
        Ok(tenant_config) => {
            if let Some(problem) = why_closed(env, tenant, &tenant_config) {
                jobs.into_iter()
                    .for_each(|job| settled.bury(env, job, problem.one_line()));
            } else {
                apply_open(env, tenant, &tenant_config, jobs, &mut settled).await;
            }
        }
    }
    count(env, tenant, settled.applied).await;
    settled.store(env, tenant, report).await
}

/// Applies the items of a tenant whose writes are on: most of them in one call, those that were tried several times each by itself.
async fn apply_open<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    jobs: Vec<Job>,
    settled: &mut SettledJobs,
) {
    // An item that ended the drains that claimed it has no attempt left.
    let (spent, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.item.attempts > MAX_ATTEMPTS);
    for job in spent {
        settled.bury(env, job, "each attempt to apply it was cut short".to_owned());
    }
    let (alone, mut together): (Vec<_>, Vec<_>) = jobs
        .into_iter()
        .partition(|job| job.item.attempts >= ALONE_FROM_ATTEMPT);
    let failure = apply_together(env, tenant, tenant_config, &mut together).await;
    let mut alone = alone;
    // The data of one item can be at fault. If the store is unavailable, the others would fail too.
    if matches!(failure, Some(StoreError::Corrupt(_) | StoreError::Rejected(_))) && together.len() > 1 {
        alone.append(&mut together);
    }
    for job in together {
        settled.add(env, job);
    }
    for mut job in alone {
        apply_together(env, tenant, tenant_config, std::slice::from_mut(&mut job)).await;
        settled.add(env, job);
    }
}

/// Applies items in as few calls as the store takes. Returns the failure of the store.
async fn apply_together<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    jobs: &mut [Job],
) -> Option<StoreError> {
    let sent: Vec<_> = jobs.iter().flat_map(Job::sent).collect();
    let applied = apply_all(env, tenant, tenant_config, &sent).await;
    let mut answers = applied.answers.into_iter();
    for job in jobs {
        job.take_answers(&mut answers);
        job.failure = applied.failure.as_ref().map(reason_of);
    }
    applied.failure
}

/// Returns the reason of a dead letter that the store could not apply. It does not show the cause.
fn reason_of(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable(_) => "the store was unavailable",
        StoreError::OutOfMemory(_) => "the store had no memory for it",
        StoreError::Corrupt(_) | StoreError::Rejected(_) => "the store could not apply it",
    }
    .to_owned()
}

/// The items of one tenant after an attempt.
#[derive(Debug, Default)]
struct SettledJobs {
    finished: Vec<FinishedItem>,
    dead: Vec<FinishedItem>,
    retried: Vec<ClaimedItem>,
    letters: Vec<DeadLetter>,
    applied: usize,
}

impl SettledJobs {
    /// Adds an item: it is finished, tried again, or given up.
    fn add<E: ResponseEnvironment>(&mut self, env: &E, job: Job) {
        match job.why_waiting() {
            Some(_) if job.item.attempts < MAX_ATTEMPTS => {
                self.applied += job.count_applied();
                self.retried.push(job.item);
            }
            Some(reason) => self.bury(env, job, reason),
            None => {
                self.applied += job.count_applied();
                self.letters.extend(job.refused_letters(env.clock()));
                self.finished.push(job.finish());
            }
        }
    }

    /// Adds an item that is given up.
    fn bury<E: ResponseEnvironment>(&mut self, env: &E, job: Job, reason: String) {
        self.applied += job.count_applied();
        self.letters.extend(job.buried_letters(env.clock(), &reason));
        self.dead.push(job.bury(reason));
    }

    /// Writes the dead letters before the items are removed: a drain that ends in between is repeated, and the store keeps equal
    /// letters once.
    async fn store<E: ResponseEnvironment>(
        mut self,
        env: &E,
        tenant: &TenantId,
        report: &mut DrainReport,
    ) -> Result<(), StoreError> {
        push(env, Some(tenant), &self.letters).await?;
        report.finished += self.finished.len();
        report.dead += self.dead.len();
        report.retried += self.retried.len();
        self.finished.append(&mut self.dead);
        finish_all(env, tenant, self.finished).await?;
        let attempts = self.retried.iter().map(|item| item.attempts).max();
        match attempts {
            Some(attempts) => {
                let wait_ms = choose_wait(attempts, &env.random()?);
                env.store().retry_items(&self.retried, wait_ms, LEASE_MS).await
            }
            None => Ok(()),
        }
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
