//! Applies the items of the queue.

use std::collections::BTreeMap;
use std::slice;

use futures::future::join;
use leaderboard_core::ports::{ClaimedItem, Queue, ShardNumber, Shards};
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::TenantConfig;

use crate::apply::{apply_all, count, why_closed};
use crate::job::{Job, UnreadableItem, finish_item};
use crate::result::RequestResult;
use crate::settle::{ALONE_FROM_ATTEMPT, DrainReport, LEASE_MS, MAX_ATTEMPTS, SettledJobs, uncount};

/// The most items that one call claims.
const CLAIMED_AT_ONCE: u32 = 1_000;
/// The most items that one drain claims, so that it ends although new items keep coming.
pub const MAX_DRAINED: u32 = 10_000;
/// A drain begins no further group of items after this time, in milliseconds: a message of the trigger delays the messages behind it.
const MAX_DRAIN_MS: i64 = 5_000;
/// The most leaderboards that the submissions of a group name together, each counted as often as it is named. A single item can name
/// more. A store applies a group in a fraction of a second, and a drain can end after each group.
const MAX_GROUP_TARGETS: usize = 4_000;

/// Applies items of the queue until no item is due, or `max_items` have been claimed, or [`MAX_DRAIN_MS`] have passed. Claimed items
/// that were not tried by then are due again at once. A failure that concerns one tenant does not stop the items of the others, and a
/// shard that does not answer does not stop those of tenants on other shards.
///
/// # Errors
/// The first [`StoreError`] other than that a tenant, or the shard of a tenant, is unavailable while other shards answer. The items that
/// it concerns are due again after [`LEASE_MS`].
pub async fn drain<E: ResponseEnvironment>(env: &E, max_items: u32) -> Result<DrainReport, StoreError> {
    let mut progress = Progress {
        ends_at: env.clock().saturating_add_ms(MAX_DRAIN_MS),
        report: DrainReport::default(),
        failure: None,
        unavailable: Vec::new(),
        shards: env.store().count_shards(),
        untried: Vec::new(),
        waiting: Vec::new(),
    };
    let (mut left, ends_at) = (max_items, progress.ends_at);
    let mut claimed = ClaimedJobs::claim(env, &mut left, ends_at).await?;
    while !claimed.is_empty() {
        // The next items are claimed and read while the store applies these. They are applied afterwards, because the order of the
        // items of a tenant counts.
        let next = ClaimedJobs::claim(env, &mut left, ends_at);
        let ((), next) = join(claimed.apply(env, &mut progress), next).await;
        claimed = next.unwrap_or_else(|error| {
            progress.failure.get_or_insert(error);
            left = 0;
            ClaimedJobs::default()
        });
        if progress.is_store_unavailable() {
            left = 0;
        }
    }
    progress.failure.map_or(Ok(progress.report), Err)
}

/// A drain that is under way.
#[derive(Debug)]
struct Progress {
    ends_at: Timestamp,
    report: DrainReport,
    /// The first failure.
    failure: Option<StoreError>,
    /// The shards that did not answer, so that further calls would fail, too.
    unavailable: Vec<ShardNumber>,
    /// How many shards there are.
    shards: ShardNumber,
    /// The claimed items that are given back, because the drain is over.
    untried: Vec<ClaimedItem>,
    /// The claimed items that wait for another version of the code.
    waiting: Vec<ClaimedItem>,
}

impl Progress {
    /// Records a failure of a call about a tenant; `None` for items of unknown tenants.
    fn fail<E: ResponseEnvironment>(&mut self, env: &E, tenant: Option<&TenantId>, error: &StoreError) {
        self.note_outage(env, tenant, Some(error));
        let concerns_others = match error {
            StoreError::TenantUnavailable(_) => false,
            StoreError::Unavailable(_) => self.is_store_unavailable(),
            StoreError::OutOfMemory(_) | StoreError::Corrupt(_) | StoreError::Rejected(_) => true,
        };
        if concerns_others {
            self.failure.get_or_insert_with(|| error.clone());
        }
    }

    /// Notes that the shard of a tenant does not answer, if this is the failure.
    fn note_outage<E: ResponseEnvironment>(
        &mut self,
        env: &E,
        tenant: Option<&TenantId>,
        failure: Option<&StoreError>,
    ) {
        let shard = env.store().guess_shard(tenant);
        if matches!(failure, Some(StoreError::Unavailable(_))) && !self.unavailable.contains(&shard) {
            self.unavailable.push(shard);
        }
    }

    /// Returns whether no shard has answered.
    fn is_store_unavailable(&self) -> bool {
        self.unavailable.len() >= usize::from(self.shards)
    }

    fn is_over<E: ResponseEnvironment>(&self, env: &E, tenant: Option<&TenantId>) -> bool {
        env.clock() >= self.ends_at || self.unavailable.contains(&env.store().guess_shard(tenant))
    }

    /// Stores what became of items of one tenant.
    async fn settle<E: ResponseEnvironment>(&mut self, env: &E, tenant: &TenantId, settled: SettledJobs) {
        count(env, tenant, settled.applied).await;
        match settled.store(env, tenant, &mut self.report).await {
            Ok(Ok(())) => {}
            // All dead letters are on the shard of the operator.
            Ok(Err(error)) => self.fail(env, None, &error),
            Err(error) => self.fail(env, Some(tenant), &error),
        }
    }

    /// Lets the items that were not tried be claimed again, as if they had not been claimed: at once, or after a lease if they wait for
    /// another version.
    async fn give_back<E: ResponseEnvironment>(&mut self, env: &E) {
        self.report.retried += self.waiting.len();
        let [untried, waiting] = [&mut self.untried, &mut self.waiting].map(std::mem::take);
        for (items, wait_ms) in [(untried, 0), (waiting, LEASE_MS)] {
            let items: Vec<_> = items.iter().map(|item| uncount(item, 0)).collect();
            if items.is_empty() {
                continue;
            }
            // The items of a shard that does not answer are due after their lease.
            let retried = env.store().retry_items(&items, wait_ms, LEASE_MS).await;
            if let Err(error) = retried
                && !matches!(error, StoreError::Unavailable(_))
            {
                self.fail(env, None, &error);
            }
        }
    }
}

/// Items that were claimed together and are not applied yet.
#[derive(Debug, Default)]
struct ClaimedJobs {
    by_tenant: BTreeMap<TenantId, Vec<Job>>,
    unreadable: Vec<UnreadableItem>,
}

impl ClaimedJobs {
    /// Claims and reads at most [`CLAIMED_AT_ONCE`] items, and subtracts them from the items `left`. Claims none after `ends_at`.
    async fn claim<E: ResponseEnvironment>(
        env: &E,
        left: &mut u32,
        ends_at: Timestamp,
    ) -> Result<Self, StoreError> {
        let now = env.clock();
        let mut claimed = Self::default();
        if *left == 0 || now >= ends_at {
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

    async fn apply<E: ResponseEnvironment>(self, env: &E, progress: &mut Progress) {
        for unreadable in self.unreadable {
            let tenant = unreadable.item.request.as_ref().map(|(tenant, _)| tenant.clone());
            if progress.is_over(env, tenant.as_ref()) {
                progress.untried.push(unreadable.item);
                continue;
            }
            if unreadable.waits {
                progress.waiting.push(unreadable.item);
                continue;
            }
            match give_up_unreadable(env, tenant.as_ref(), unreadable).await {
                Ok(()) => progress.report.dead += 1,
                Err(error) => progress.fail(env, tenant.as_ref(), &error),
            }
        }
        for (tenant, jobs) in self.by_tenant {
            apply_jobs(env, &tenant, jobs, progress).await;
        }
        progress.give_back(env).await;
    }
}

/// Stores an item that cannot be read as dead letters.
async fn give_up_unreadable<E: ResponseEnvironment>(
    env: &E,
    tenant: Option<&TenantId>,
    unreadable: UnreadableItem,
) -> Result<(), StoreError> {
    let UnreadableItem {
        item,
        received_at,
        faulty,
        ..
    } = unreadable;
    let reason = faulty.problem.one_line();
    faulty
        .push_all(env, tenant, received_at, &item.payload, &reason)
        .await?;
    let finished = finish_item(item, &RequestResult::Dead { reason });
    env.store().finish_items(tenant, &[finished]).await
}

/// Applies the items of one tenant.
async fn apply_jobs<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    jobs: Vec<Job>,
    progress: &mut Progress,
) {
    if progress.is_over(env, Some(tenant)) {
        progress.untried.extend(jobs.into_iter().map(|job| job.item));
        return;
    }
    let mut settled = SettledJobs::default();
    match TenantConfig::load(env, tenant).await {
        Err(error) => {
            for mut job in jobs {
                job.failure = Some(error.clone());
                settled.add(job, progress.shards);
            }
        }
        Ok(tenant_config) => {
            let Some(problem) = why_closed(env, tenant, &tenant_config) else {
                return apply_open(env, tenant, &tenant_config, jobs, progress).await;
            };
            // A request was acknowledged, so it waits until the tenant is open again. The tenant's requests are bounded, and what
            // backends append is not.
            for job in jobs {
                if job.item.request.is_some() {
                    settled.postpone(&job);
                } else {
                    settled.give_up(job, problem.one_line());
                }
            }
        }
    }
    progress.settle(env, tenant, settled).await;
}

/// Applies the items of a tenant whose writes are on: most of them in groups, those that were tried several times each by itself.
async fn apply_open<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    jobs: Vec<Job>,
    progress: &mut Progress,
) {
    let now = env.clock();
    let (doubtful, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.is_doubtful(now));
    if !doubtful.is_empty() {
        let mut settled = SettledJobs::default();
        for job in doubtful {
            let reason =
                "it was tried before and is older than 24 hours, so it is unknown whether it counted";
            settled.give_up(job, reason.to_owned());
        }
        progress.settle(env, tenant, settled).await;
    }
    let (suspects, jobs): (Vec<_>, Vec<_>) = jobs
        .into_iter()
        .partition(|job| job.item.attempts >= ALONE_FROM_ATTEMPT);
    for group in split_jobs(jobs) {
        apply_group(env, tenant, tenant_config, group, progress).await;
    }
    if let Err(error) = apply_suspects(env, tenant, tenant_config, suspects, progress).await {
        progress.fail(env, Some(tenant), &error);
    }
}

/// Splits items, in their order, into groups with at most [`MAX_GROUP_TARGETS`].
fn split_jobs(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut groups: Vec<Vec<Job>> = Vec::new();
    let mut targets = 0;
    for job in jobs {
        let own = job.count_targets();
        match groups.last_mut() {
            Some(group) if targets + own <= MAX_GROUP_TARGETS => {
                targets += own;
                group.push(job);
            }
            _ => {
                targets = own;
                groups.push(vec![job]);
            }
        }
    }
    groups
}

/// Applies items that were tried several times, each by itself, those with the fewest attempts first. An attempt of such an item is
/// counted when the item is tried and not when it is claimed: if one of them ends the instance each time, only this one is given up.
///
/// # Errors
/// [`StoreError`]. The items that were not tried are due again after [`LEASE_MS`].
async fn apply_suspects<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    mut suspects: Vec<Job>,
    progress: &mut Progress,
) -> Result<(), StoreError> {
    suspects.sort_by_key(|job| job.item.attempts);
    let uncounted: Vec<_> = suspects.iter().map(|job| uncount(&job.item, 0)).collect();
    if !uncounted.is_empty() {
        env.store().retry_items(&uncounted, LEASE_MS, LEASE_MS).await?;
    }
    for job in suspects {
        if progress.is_over(env, Some(tenant)) {
            progress.untried.push(job.item);
            continue;
        }
        // The last attempt can end early although the item is not at fault, so there is one more.
        if job.item.attempts > MAX_ATTEMPTS + 1 {
            let mut settled = SettledJobs::default();
            settled.give_up(job, "each attempt to apply it was cut short".to_owned());
            progress.settle(env, tenant, settled).await;
            continue;
        }
        let counted = slice::from_ref(&job.item);
        env.store().retry_items(counted, LEASE_MS, LEASE_MS).await?;
        apply_group(env, tenant, tenant_config, vec![job], progress).await;
    }
    Ok(())
}

/// Applies items in as few calls as the store takes.
async fn apply_group<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    mut group: Vec<Job>,
    progress: &mut Progress,
) {
    if progress.is_over(env, Some(tenant)) {
        progress.untried.extend(group.into_iter().map(|job| job.item));
        return;
    }
    let failure = apply_together(env, tenant, tenant_config, &mut group).await;
    progress.note_outage(env, Some(tenant), failure.as_ref());
    // The data of one item can be at fault.
    if matches!(failure, Some(StoreError::Corrupt(_) | StoreError::Rejected(_))) && group.len() > 1 {
        for job in &mut group {
            if !progress.is_over(env, Some(tenant)) {
                let failure = apply_together(env, tenant, tenant_config, slice::from_mut(job)).await;
                progress.note_outage(env, Some(tenant), failure.as_ref());
            }
        }
    }
    let mut settled = SettledJobs::default();
    group
        .into_iter()
        .for_each(|job| settled.add(job, progress.shards));
    progress.settle(env, tenant, settled).await;
}

/// Applies items in one call. Returns the failure of the store.
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
        job.failure.clone_from(&applied.failure);
    }
    applied.failure
}
