//! Rate limits, usage and what a tenant holds: the [`RateLimits`] port.

use std::collections::BTreeMap;

use leaderboard_core::ports::{
    DayUsage, Holdings, IDEMPOTENCY_MS, MAX_OVERDRAFT_BURSTS, Metered, Metering, Overdraft, RateLimits,
    USAGE_DAYS, Usage,
};
use leaderboard_core::{StoreError, TenantId, WORD_BYTES};

use crate::RedisStore;
use crate::answer::{Answer, corrupt, decimal};
use crate::connection::Connection;
use crate::script::{Call, METER, USAGE};
use crate::{entry_counts, keys};

impl<C: Connection> RateLimits for RedisStore<C> {
    async fn take(&self, tenant: &TenantId, metering: &Metering) -> Result<Metered, StoreError> {
        charge(&self.connection, tenant, metering, Overdraft::OfTake).await
    }

    async fn report(&self, tenant: &TenantId, metering: &Metering) -> Result<Metered, StoreError> {
        charge(&self.connection, tenant, metering, Overdraft::OfReport).await
    }

    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, Holdings), StoreError> {
        let mut call = Call::taking(keys::held_entries(tenant));
        add_boards(&mut call, tenant);
        call.keys([keys::usage(tenant), keys::log_weights(tenant)]);
        call.text(&IDEMPOTENCY_MS);
        let mut answer = Answer::new(USAGE.run(&self.connection, &call).await?);
        let mut leaderboards = answer.count()?;
        if answer.count()? == 0 {
            entry_counts::complete(&self.connection, tenant).await?;
            answer = Answer::new(USAGE.run(&self.connection, &call).await?);
            leaderboards = answer.count()?;
            // What has expired since then is a little too much, and no reason to wait.
            answer.count()?;
        }
        let holdings = Holdings {
            leaderboards,
            entries: answer.count()?,
            log_bytes: answer.count()?,
        };
        let mut used = read_usage(&mut answer)?;
        used.truncate(usize::try_from(days).map_err(corrupt)?);
        Ok((used, holdings))
    }
}

/// Charges a call, unless it is no report and is refused.
pub(crate) async fn charge<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    metering: &Metering,
    overdraft: Overdraft,
) -> Result<Metered, StoreError> {
    let mut call = Call::taking([]);
    call.flag(overdraft == Overdraft::OfTake);
    add_metering(&mut call, tenant, metering, overdraft);
    let mut answer = Answer::new(METER.run(connection, &call).await?);
    read_metered(&answer.bytes()?)
}

/// Adds what `take_meter` in `metering.lua` takes.
pub(crate) fn add_metering(call: &mut Call, tenant: &TenantId, metering: &Metering, overdraft: Overdraft) {
    call.keys([keys::usage(tenant)]);
    call.text(&metering.usage.requests);
    call.text(&metering.usage.scores);
    call.option(metering.max_requests_per_day);
    call.text(&MAX_OVERDRAFT_BURSTS);
    call.text(&overdraft.least_us());
    call.text(&USAGE_DAYS);
    call.text(&metering.charges.len());
    for charge in &metering.charges {
        call.keys([keys::bucket(tenant, &charge.bucket)]);
        call.text(&charge.interval_us);
        call.text(&charge.burst);
        call.option(charge.needs);
        call.text(&charge.cost);
    }
}

/// Adds what `take_boards` in `held.lua` takes.
pub(crate) fn add_boards(call: &mut Call, tenant: &TenantId) {
    call.keys([keys::boards(tenant)]);
    for part in keys::around_boards(tenant) {
        call.bytes(part);
    }
}

/// What `metered` in `metering.lua` answers.
pub(crate) fn read_metered(bytes: &[u8]) -> Result<Metered, StoreError> {
    let short = || corrupt("answer to a charge");
    let (&[refused], rest) = bytes.split_first_chunk().ok_or_else(short)?;
    let (words, []) = rest.as_chunks::<WORD_BYTES>() else {
        return Err(short());
    };
    let (requests_today, ahead_us) = words.split_first().ok_or_else(short)?;
    Ok(Metered {
        ahead_us: ahead_us.iter().map(|word| u64::from_be_bytes(*word)).collect(),
        requests_today: u64::from_be_bytes(*requests_today),
        refused: refused == 1,
    })
}

/// The days of a usage hash, newest first.
fn read_usage(answer: &mut Answer) -> Result<Vec<DayUsage>, StoreError> {
    let mut days: BTreeMap<u64, Usage> = BTreeMap::new();
    while !answer.is_empty() {
        let (field, count) = (answer.bytes()?, answer.number()?);
        let (kind, day) = field.split_first().ok_or_else(|| corrupt("usage"))?;
        let usage = days.entry(decimal(day)?).or_default();
        match kind {
            b'r' => usage.requests = count,
            b's' => usage.scores = count,
            _ => return Err(corrupt("usage")),
        }
    }
    let days = days.into_iter().rev().map(|(day, usage)| {
        let day = u32::try_from(day).map_err(corrupt)?;
        Ok(DayUsage { day, usage })
    });
    days.collect()
}
