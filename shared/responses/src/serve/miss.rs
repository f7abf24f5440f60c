//! A miss: one request becomes the leader and fetches the entry; the others follow it.

use std::pin::Pin;
use std::rc::Rc;

use super::{CachedRequest, end_leader};
use crate::ResponseEnvironment;
use crate::cache_entry::CacheEntry;
use crate::cache_key::leaderboard_scope;
use crate::fetch::{ANY_AGE, Fetched, Urgency, fetch_entry, is_usable, store_answer};
use crate::fetch_outcome::{CachedRefusal, FetchOutcome};
use crate::response::{CacheStatus, MissReason};
use crate::store_fetch::{Servers, fetch_from_store};
use leaderboard_api::{Problem, ProblemType, Response};
use leaderboard_cache::circuit_breaker::{self, PATIENCE_MS};
use leaderboard_cache::single_flight::{Leader, LeaderResult};
use leaderboard_core::access::Caller;

/// How long an instance remembers that a leaderboard's responses may not be stored, in milliseconds.
const UNCACHED_MS: i64 = 1_000;
/// How long a follower waits for its leader before it asks the store itself, in milliseconds.
const MAX_WAIT_MS: i64 = 4_000;

impl<E: ResponseEnvironment> CachedRequest<'_, '_, E> {
    /// Waits until this request is the leader of its key. Returns the answer as the error if the request gets one without
    /// being the leader: from another leader, from the key-value tier during an outage, or from the store for this request only.
    pub(super) async fn await_leadership(
        &self,
        reason: MissReason,
    ) -> Result<Leader<FetchOutcome>, Result<Response, Problem>> {
        let env = self.context.env;
        let memory_tier = env.responses();
        let (scope, now) = (leaderboard_scope(&self.key_text), self.context.now.as_unix_ms());
        if memory_tier.uncached.find(scope, UNCACHED_MS, now).is_some() {
            return Err(self.fetch_alone(reason).await);
        }
        if reason != MissReason::Request
            && memory_tier.find_entry(&self.key_text).is_some()
            && circuit_breaker::is_open(env, self.key.guess_shard(env)).await
            && let Some(answer) = self.answer_during_outage().await
        {
            return Err(answer);
        }
        let mut at_most_ms = if reason == MissReason::Request {
            MAX_WAIT_MS
        } else {
            PATIENCE_MS
        };
        loop {
            if let Some(leader) = memory_tier.single_flight.become_leader(&self.key_text) {
                return Ok(leader);
            }
            if let Some(answer) = self.follow_leader(reason, &mut at_most_ms).await {
                return Err(answer);
            }
        }
    }

    /// Waits at most `at_most_ms` for the leader of this key and responds with the leader's result. Returns `None` if the caller
    /// must try again: this request may become the leader, or it may wait longer because there is no older entry, and
    /// `at_most_ms` is raised.
    async fn follow_leader(
        &self,
        reason: MissReason,
        at_most_ms: &mut i64,
    ) -> Option<Result<Response, Problem>> {
        let env = self.context.env;
        let single_flight = &env.responses().single_flight;
        match single_flight
            .wait_for_leader(env, &self.key_text, *at_most_ms)
            .await
        {
            LeaderResult::NoLeader | LeaderResult::Ended(FetchOutcome::Stored) => {
                self.respond_as_follower(reason).await
            }
            LeaderResult::Ended(FetchOutcome::Refused(refusal)) => {
                Some(self.answer_refusal(&refusal, reason).await)
            }
            LeaderResult::TimedOut if *at_most_ms < MAX_WAIT_MS => {
                let answer = self.respond_stale_if_error(false).await;
                if answer.is_some() {
                    circuit_breaker::open_as_slow(env, self.key.guess_shard(env));
                }
                *at_most_ms = MAX_WAIT_MS;
                answer
            }
            LeaderResult::Ended(FetchOutcome::NotCacheable) | LeaderResult::TimedOut => {
                Some(self.fetch_alone(reason).await)
            }
            LeaderResult::Failed => {
                // A store that has just failed would fail for this request as well. Otherwise this request may be the leader.
                let error = env
                    .cache_state()
                    .breakers
                    .of_shard(self.key.guess_shard(env))
                    .recent_failure(env.clock())?;
                Some(self.answer_store_failure(Problem::from(error), reason).await)
            }
        }
    }

    /// Responds with the leader's entry, or returns `None` if that entry is not usable for this request.
    async fn respond_as_follower(&self, reason: MissReason) -> Option<Result<Response, Problem>> {
        let (env, now) = (self.context.env, self.context.now);
        let entry = env.responses().find_entry(&self.key_text)?;
        let usable = entry.metadata.fetched_at.as_unix_ms() >= self.not_before(reason)
            && is_usable(env, &self.key, &entry, now, true).await;
        if !usable {
            return None;
        }
        let status = CacheStatus::Collapsed { reason };
        Some(self.respond_after_fetch(&entry, status).await)
    }

    /// Returns the instant before which the entry must not have been fetched, in milliseconds since the epoch.
    fn not_before(&self, reason: MissReason) -> i64 {
        match reason {
            // An entry of the same millisecond may have been fetched before this request arrived.
            MissReason::Request => self.context.now.as_unix_ms() + 1,
            MissReason::Miss | MissReason::Stale => ANY_AGE,
        }
    }

    /// Fetches the entry for this request and its followers.
    pub(super) async fn fetch_as_leader(
        &self,
        leader: Leader<FetchOutcome>,
        reason: MissReason,
    ) -> Result<Response, Problem> {
        let env = self.context.env;
        let (own_env, key, key_text) = (env.clone(), Rc::clone(&self.key), self.key_text.clone());
        let not_before = self.not_before(reason);
        let mut work =
            Box::pin(async move { fetch_entry(&own_env, &key, &key_text, Urgency::Now, not_before).await });
        let mut fetched = match self.run_within_patience(work.as_mut(), reason).await {
            Ok(fetched) => fetched,
            Err(None) => work.await,
            Err(Some(answer)) => {
                env.later(async move { end_leader(leader, &work.await) });
                return answer;
            }
        };
        if matches!(fetched, Ok(Fetched::BreakerOpen)) {
            if let Some(answer) = self.respond_stale_if_error(false).await {
                // A refresh begins only if the key has no leader.
                drop(leader);
                self.refresh_known_later();
                return answer;
            }
            // The older entry is purged or expired, so the store is asked all the same, once for all followers.
            fetched = self.fetch_without_lease(reason).await;
        }
        if !matches!(fetched, Ok(Fetched::FromKeyValueTier(_) | Fetched::InProgress)) {
            self.charge_miss(reason, matches!(fetched, Ok(Fetched::Cached(_))));
        }
        match &fetched {
            Err(refusal) if refusal.problem.kind != ProblemType::Unavailable => {
                leader.end(FetchOutcome::Refused(refusal.clone()));
            }
            _ => end_leader(leader, &fetched),
        }
        if let Ok(Fetched::InProgress) = fetched {
            return self.fetch_alone(reason).await;
        }
        self.respond_with_fetched(fetched, reason).await
    }

    /// Runs `work` for at most [`PATIENCE_MS`]. If the work takes longer, returns a stale response as the error, if there is one;
    /// the caller may continue the work. A request with `no-cache` does not accept a stale response, so this method does not
    /// start its work.
    async fn run_within_patience<T>(
        &self,
        work: Pin<&mut impl Future<Output = T>>,
        reason: MissReason,
    ) -> Result<T, Option<Result<Response, Problem>>> {
        let env = self.context.env;
        if reason == MissReason::Request {
            return Err(None);
        }
        if let Some(done) = circuit_breaker::run_within(env, PATIENCE_MS, work).await {
            return Ok(done);
        }
        let answer = self.respond_stale_if_error(false).await;
        if answer.is_some() {
            circuit_breaker::open_as_slow(env, self.key.guess_shard(env));
        }
        Err(answer)
    }

    /// Asks the store for this request only.
    async fn fetch_alone(&self, reason: MissReason) -> Result<Response, Problem> {
        let fetched = self.fetch_without_lease(reason).await;
        self.charge_miss(reason, matches!(fetched, Ok(Fetched::Cached(_))));
        self.respond_with_fetched(fetched, reason).await
    }

    /// Asks the store, whether or not another instance asks it, too.
    async fn fetch_without_lease(&self, reason: MissReason) -> Result<Fetched, CachedRefusal> {
        let (env, key) = (self.context.env, &self.key);
        let servers = Servers::for_reason(reason);
        let answer = fetch_from_store(env, key, &self.key_text, &Caller::Reader, servers).await;
        store_answer(env, key, &self.key_text, (None, Urgency::Now), answer).await
    }

    /// Responds with what a fetch returned.
    async fn respond_with_fetched(
        &self,
        fetched: Result<Fetched, CachedRefusal>,
        reason: MissReason,
    ) -> Result<Response, Problem> {
        let respond = async |entry: &Rc<CacheEntry>, stored| {
            self.respond_after_fetch(entry, CacheStatus::Fetched { reason, stored })
                .await
        };
        match fetched {
            Ok(Fetched::Cached(entry)) => respond(&entry, true).await,
            Ok(Fetched::NotCacheable(entry)) => respond(&entry, false).await,
            Ok(Fetched::FromKeyValueTier(entry)) => self.respond_from_key_value_tier(&entry, reason).await,
            // A fetch in the background returns the first, and a fetch as leader has handled the second.
            Ok(Fetched::InProgress | Fetched::BreakerOpen) => {
                Err(Problem::internal("a fetch for a client returned no entry"))
            }
            Err(refusal) => self.answer_refusal(&refusal, reason).await,
        }
    }
}
