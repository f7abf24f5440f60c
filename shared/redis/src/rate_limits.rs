//! The [`RateLimits`] port: rate limits, daily usage, and how much of its quotas a tenant uses.

use std::collections::BTreeMap;

use leaderboard_core::ports::{
    ChargeRequest, DayUsage, EntryQuota, IDEMPOTENCY_MS, MAX_OVERDRAFT_BURSTS, Overdraft, RateLimitDecision,
    RateLimits, USAGE_DAYS, Usage,
};
use leaderboard_core::{SORTABLE_BYTES, StoreError, TenantId};

use crate::connection::Connection;
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{CHARGE, READ_USAGE};
use crate::server::Server;
use crate::{RedisStore, entry_counts, keys};

impl<C: Connection> RateLimits for RedisStore<C> {
    async fn take(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        apply_charges(&self.server, tenant, charge_request, Overdraft::ByTake).await
    }

    async fn report(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        apply_charges(&self.server, tenant, charge_request, Overdraft::ByReport).await
    }

    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError> {
        let mut call = ScriptCall::with_packed_arguments(keys::entry_counts(tenant));
        entry_counts::add_leaderboard_keys(&mut call, tenant);
        call.add_keys([keys::usage(tenant), keys::log_sizes(tenant)]);
        call.add_text(&IDEMPOTENCY_MS);
        let mut reply = READ_USAGE.run(&self.server, &call).await?;
        let mut leaderboards = reply.read_count()?;
        if reply.read_count()? == 0 {
            entry_counts::complete_count(&self.server, tenant).await?;
            reply = READ_USAGE.run(&self.server, &call).await?;
            leaderboards = reply.read_count()?;
            // Ignore this flag: entries that have expired since then make the count a little too high, which is no reason to wait.
            reply.read_count()?;
        }
        let entry_quota = EntryQuota {
            leaderboards,
            entries: reply.read_count()?,
            log_bytes: reply.read_count()?,
        };
        let mut used = read_usage(&mut reply)?;
        used.truncate(usize::try_from(days).map_err(corrupt)?);
        Ok((used, entry_quota))
    }
}

/// Charges a request and returns the decision. A refused request is not charged; a report is never refused.
pub(crate) async fn apply_charges<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    charge_request: &ChargeRequest,
    overdraft: Overdraft,
) -> Result<RateLimitDecision, StoreError> {
    let mut call = ScriptCall::with_packed_arguments([]);
    call.add_flag(overdraft == Overdraft::ByTake);
    add_charges(&mut call, tenant, charge_request, overdraft);
    let mut reply = CHARGE.run(server, &call).await?;
    read_decision(&reply.read_bytes()?)
}

/// Adds the keys and arguments of `read_charges` in `rate_limits.lua`.
pub(crate) fn add_charges(
    call: &mut ScriptCall,
    tenant: &TenantId,
    charge_request: &ChargeRequest,
    overdraft: Overdraft,
) {
    call.add_keys([keys::usage(tenant)]);
    call.add_text(&charge_request.usage.requests);
    call.add_text(&charge_request.usage.scores);
    call.add_option(charge_request.max_requests_per_day);
    call.add_text(&MAX_OVERDRAFT_BURSTS);
    call.add_text(&overdraft.least_us());
    call.add_text(&USAGE_DAYS);
    call.add_text(&charge_request.charges.len());
    for charge in &charge_request.charges {
        call.add_keys([keys::bucket(tenant, &charge.bucket)]);
        call.add_text(&charge.interval_us);
        call.add_text(&charge.burst);
        call.add_option(charge.needs);
        call.add_text(&charge.cost);
    }
}

/// Decodes the result of `encode_decision` in `rate_limits.lua`.
pub(crate) fn read_decision(bytes: &[u8]) -> Result<RateLimitDecision, StoreError> {
    let short = || corrupt("reply to a charge");
    let (&[refused], rest) = bytes.split_first_chunk().ok_or_else(short)?;
    let (numbers, []) = rest.as_chunks::<SORTABLE_BYTES>() else {
        return Err(short());
    };
    let (requests_today, ahead_us) = numbers.split_first().ok_or_else(short)?;
    Ok(RateLimitDecision {
        ahead_us: ahead_us.iter().map(|ahead| u64::from_be_bytes(*ahead)).collect(),
        requests_today: u64::from_be_bytes(*requests_today),
        refused: refused == 1,
    })
}

/// Reads the days of a usage hash. Returns the newest day first.
fn read_usage(reply: &mut ReplyReader) -> Result<Vec<DayUsage>, StoreError> {
    let mut days: BTreeMap<u64, Usage> = BTreeMap::new();
    while !reply.is_empty() {
        let (field, count) = (reply.read_bytes()?, reply.read_number()?);
        let (kind, day) = field.split_first().ok_or_else(|| corrupt("usage"))?;
        let usage = days.entry(parse_decimal(day)?).or_default();
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
