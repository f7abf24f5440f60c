//! Answers a read: from the memory tier, the key-value tier, or the store.

mod miss;
mod outage;

use std::rc::Rc;

use leaderboard_core::LeaderboardId;
use leaderboard_core::access::Caller;

use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, CachedRead};
use super::cost::PERIOD_NAME_UNITS;
use super::fetch::{Fetched, Urgency, fetch_entry};
use super::fetch_outcome::{CachedRefusal, FetchOutcome};
use super::freshness::{classify_freshness, is_refresh_ahead_due};
use super::period_names::name_period;
use super::request_directives::has_no_cache_directive;
use super::response::{CacheStatus, MissReason, build_response};
use super::store_fetch::{Servers, fetch_from_store};
use super::{invalidation, private_leaderboards};
use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType, Response};
use leaderboard_cache::circuit_breaker;
use leaderboard_cache::freshness::Freshness;
use leaderboard_cache::single_flight::Leader;
use leaderboard_pipeline::Context;

/// Answers a read of a leaderboard from the cache or the store. If the read fails, a caller without a credential pays as much as
/// for a leaderboard that does not exist.
///
/// # Errors
/// The problem to answer with.
pub async fn answer_read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    read: CachedRead,
) -> Result<Response, Problem> {
    let key = CacheKey {
        tenant: context.tenant.clone(),
        leaderboard,
        read,
        version: context.version,
        integers: context.accepted.integers,
    };
    let units_of_failure = units_of_failure(&key);
    let units_before = context.rate_limiter.units();
    let answer = async {
        let request = CachedRequest::start(context, key).await?;
        let reason = match request.look_up().await {
            Ok(reason) => reason,
            Err(answer) => return answer,
        };
        match request.await_leadership(reason).await {
            Ok(leader) => request.fetch_as_leader(leader, reason).await,
            Err(answer) => answer,
        }
    }
    .await;
    if context.caller == Caller::Anonymous
        && let Err(problem) = &answer
        && matches!(
            problem.kind,
            ProblemType::LeaderboardNotFound | ProblemType::Unavailable
        )
    {
        // Each way to fail charges something else; charge the rest, so that the total is always the same.
        let charged = context.rate_limiter.units().saturating_sub(units_before);
        context.charge_more(units_of_failure.saturating_sub(charged));
    }
    answer
}

/// Returns the units that a failed read costs a caller without a credential.
fn units_of_failure(key: &CacheKey) -> u64 {
    let units_of_name = if key.names_a_period() {
        PERIOD_NAME_UNITS
    } else {
        0
    };
    key.units_of_miss(false)
        .saturating_add(key.units_of_size())
        .saturating_add(units_of_name)
}

/// Returns a random number from 0 to 1.
fn random_fraction<E: ResponseEnvironment>(env: &E) -> f64 {
    let [.., a, b, c, d] = env.new_trace_id();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

/// A cache key, and the request that reads it.
struct CachedRequest<'c, 'a, E> {
    context: &'c Context<'a, E>,
    key: Rc<CacheKey>,
    key_text: String,
}

impl<'c, 'a, E: ResponseEnvironment> CachedRequest<'c, 'a, E> {
    /// Charges the size of the response, and names the period in the cache key.
    ///
    /// # Errors
    /// The problem to answer with.
    async fn start(context: &'c Context<'a, E>, key: CacheKey) -> Result<Self, Problem> {
        context.charge_more(key.units_of_size());
        let key = name_period(context, key).await?;
        Ok(Self {
            key_text: key.to_text(),
            key: Rc::new(key),
            context,
        })
    }
}

impl<E: ResponseEnvironment> CachedRequest<'_, '_, E> {
    /// Looks into the memory tier. Returns why the key-value tier or the store must be asked, or the answer as the error if the
    /// request has one: from the memory tier, or from the store for a player who may be banned.
    async fn look_up(&self) -> Result<MissReason, Result<Response, Problem>> {
        let context = self.context;
        if self.may_be_banned() {
            return Err(self.answer_banned_player().await);
        }
        if has_no_cache_directive(context.headers) {
            return Ok(MissReason::Request);
        }
        let Some(entry) = context.env.responses().find_entry(&self.key_text) else {
            return Ok(MissReason::Miss);
        };
        let changing_until = self.find_changing_until(context.now.as_unix_ms()).await;
        let status = match classify_freshness(&entry.metadata, changing_until, context.now) {
            Freshness::Fresh(left_ms) => {
                if is_refresh_ahead_due(&entry.metadata, left_ms, || random_fraction(context.env)) {
                    self.refresh_later(&entry);
                }
                CacheStatus::Hit { left_ms }
            }
            Freshness::StaleWhileRevalidate(over_ms) => {
                self.refresh_later(&entry);
                CacheStatus::Stale { over_ms }
            }
            Freshness::StaleIfError => return Ok(MissReason::Stale),
            Freshness::Expired => {
                // Another request may have stored a later entry while this one read the tombstones.
                let memory_tier = context.env.responses();
                let known = memory_tier.find_entry(&self.key_text);
                if known.is_some_and(|known| Rc::ptr_eq(&known, &entry)) {
                    memory_tier.delete_entry(&self.key_text);
                }
                return Ok(MissReason::Stale);
            }
        };
        Err(self.respond(&entry, status, changing_until).await)
    }

    async fn find_changing_until(&self, now: i64) -> i64 {
        invalidation::find_changing_until(self.context.env, &self.key, &self.key_text, now).await
    }

    /// Returns whether the caller may read the entry: the leaderboard is public, or the caller has a credential.
    fn may_read(&self, entry: &CacheEntry) -> bool {
        entry.metadata.public || self.context.caller != Caller::Anonymous
    }

    /// Charges the caller because the store was asked. `is_stored`: whether the entry is in the cache now, for all readers.
    fn charge_miss(&self, reason: MissReason, is_stored: bool) {
        let fills_own_slot = is_stored && reason != MissReason::Request;
        self.context.charge_more(self.key.units_of_miss(fills_own_slot));
    }

    /// Responds with an entry of the key-value tier, with its freshness now.
    async fn respond_from_key_value_tier(
        &self,
        entry: &Rc<CacheEntry>,
        reason: MissReason,
    ) -> Result<Response, Problem> {
        let now = self.context.env.clock();
        let changing_until = self.find_changing_until(now.as_unix_ms()).await;
        let status = match classify_freshness(&entry.metadata, changing_until, now) {
            Freshness::StaleWhileRevalidate(over_ms) => {
                self.refresh_later(entry);
                CacheStatus::Stale { over_ms }
            }
            Freshness::Fresh(left_ms) => CacheStatus::KeyValueHit { left_ms },
            Freshness::StaleIfError | Freshness::Expired => CacheStatus::Collapsed { reason },
        };
        self.respond(entry, status, changing_until).await
    }

    /// Responds with an entry that has just been fetched. Reads no tombstone for an entry that no cache stores, because only the
    /// headers for caches depend on whether its leaderboard is changing.
    async fn respond_after_fetch(
        &self,
        entry: &Rc<CacheEntry>,
        status: CacheStatus,
    ) -> Result<Response, Problem> {
        let changing_until = match status {
            CacheStatus::Fetched { stored: false, .. } => i64::MIN,
            _ => {
                self.find_changing_until(self.context.env.clock().as_unix_ms())
                    .await
            }
        };
        self.respond(entry, status, changing_until).await
    }

    /// Responds with an entry if the caller may read it.
    async fn respond(
        &self,
        entry: &Rc<CacheEntry>,
        status: CacheStatus,
        changing_until: i64,
    ) -> Result<Response, Problem> {
        if !self.may_read(entry) {
            return Err(match status {
                // The store has just answered, so it need not be asked whether the leaderboard exists.
                CacheStatus::Fetched { .. } => Problem::unreadable(&self.context.caller),
                _ => private_leaderboards::refuse_read(self.context, &self.key.leaderboard).await,
            });
        }
        let changing = entry.metadata.fetched_at.as_unix_ms() < changing_until;
        build_response(self.context, &self.key, entry, status, changing)
    }

    /// Returns whether the caller may be a banned player, who sees another list than other readers. A distribution is the same
    /// for all callers, so the result is then false.
    fn may_be_banned(&self) -> bool {
        let banned = &self.context.tenant_config.banned;
        let player = self.context.caller.own_player();
        !matches!(self.key.read, CachedRead::Distribution(_))
            && player.is_some_and(|player| banned.may_have(player))
    }

    /// Answers a player who may be banned. The player pays what other readers pay for the first response, so that the remaining
    /// units do not reveal the ban.
    async fn answer_banned_player(&self) -> Result<Response, Problem> {
        let (env, caller) = (self.context.env, &self.context.caller);
        let reason = if has_no_cache_directive(self.context.headers) {
            MissReason::Request
        } else {
            MissReason::Miss
        };
        let servers = Servers::for_reason(reason);
        let own = fetch_from_store(env, &self.key, &self.key_text, caller, servers).await;
        self.charge_miss(reason, own.as_ref().is_ok_and(|own| own.metadata.lifetime_ms > 0));
        self.respond_uncached(own?, MissReason::Miss).await
    }

    /// Fetches the response for this caller alone and does not cache it: a banned player sees their own entry, which other
    /// readers do not see.
    async fn answer_as_caller(&self, reason: MissReason) -> Result<Response, Problem> {
        let (env, caller) = (self.context.env, &self.context.caller);
        let servers = Servers::for_reason(reason);
        let own = fetch_from_store(env, &self.key, &self.key_text, caller, servers).await?;
        self.respond_uncached(own, reason).await
    }

    /// Responds with an entry that is only for this caller and is not cached. `Cache-Status` says `stored` where other readers'
    /// responses are stored: if the headers differed from those of other responses, they would reveal a ban.
    async fn respond_uncached(&self, own: CacheEntry, reason: MissReason) -> Result<Response, Problem> {
        let stored = own.metadata.lifetime_ms > 0;
        self.respond_after_fetch(&Rc::new(own), CacheStatus::Fetched { reason, stored })
            .await
    }

    /// Fetches the entry again after the response, unless the key has a leader. While the circuit breaker is open, the fetch
    /// begins only if a probe of the store succeeds.
    fn refresh_later(&self, known: &CacheEntry) {
        let env = self.context.env;
        let Some(leader) = env.responses().single_flight.become_leader(&self.key_text) else {
            return;
        };
        let (own_env, key, key_text) = (env.clone(), Rc::clone(&self.key), self.key_text.clone());
        let not_before = known.metadata.fetched_at.as_unix_ms() + 1;
        env.later(async move {
            let shard = key.guess_shard(&own_env);
            if !circuit_breaker::is_open(&own_env, shard).await
                || circuit_breaker::probe(&own_env, shard).await
            {
                let fetched = fetch_entry(&own_env, &key, &key_text, Urgency::Background, not_before).await;
                end_leader(leader, &fetched);
            }
        });
    }
}

/// Gives the followers the result of a background fetch, which no client waits for.
fn end_leader(leader: Leader<FetchOutcome>, fetched: &Result<Fetched, CachedRefusal>) {
    match fetched {
        Ok(Fetched::Cached(_) | Fetched::FromKeyValueTier(_)) => leader.end(FetchOutcome::Stored),
        Ok(Fetched::NotCacheable(_)) => leader.end(FetchOutcome::NotCacheable),
        Ok(Fetched::InProgress | Fetched::BreakerOpen) | Err(_) => drop(leader),
    }
}
