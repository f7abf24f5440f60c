//! The way of a key: instance memory, the region, the store.

use std::pin::Pin;
use std::rc::Rc;

use leaderboard_core::access::Caller;

use super::answer::{CacheStatus, MissReason, response};
use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, CachedRead, place_of};
use super::fetch::{ANY_AGE, Fetched, Urgency, fetch, find_in_region, is_good, made};
use super::freshness::{Freshness, classify_freshness, is_due_early};
use super::known::can_be_named;
use super::name::with_one_name;
use super::request_directives::wants_the_truth;
use super::single_flight::{CachedRefusal, FlightResult, Leader};
use super::{changes, hidden, make};
use crate::ResponseEnvironment;
use leaderboard_api::Response;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;
use leaderboard_cache::circuit_breaker::PATIENCE_MS;
use leaderboard_pipeline::Context;

/// How long an instance takes it that a leaderboard's answers are not kept, in milliseconds.
const UNCACHED_MS: i64 = 1_000;
/// How long one waits for another request of the instance, in milliseconds; after that it goes by itself.
const MAX_WAIT_MS: i64 = 4_000;

/// Answers a key.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: CacheKey,
) -> Result<Response, Problem> {
    context.charge_more(key.units_of_size());
    let key = if key.names_a_period() && can_be_named(context, &key).await? {
        with_one_name(context, key).await
    } else {
        key
    };
    let request = CachedRequest {
        name: key.name(),
        key: Rc::new(key),
        context,
    };
    if request.is_of_banned() {
        return request.picture_of_banned().await;
    }
    if wants_the_truth(context.headers) {
        return request.missed(MissReason::Request).await;
    }
    let changed_until =
        changes::changed_until(context.env, &request.key, &request.name, context.now.as_unix_ms()).await;
    let Some(entry) = context.env.responses().find(&request.name) else {
        return request.missed(MissReason::Miss).await;
    };
    let told = match classify_freshness(&entry.metadata, changed_until, context.now) {
        Freshness::Fresh(left_ms) => {
            if is_due_early(&entry.metadata, left_ms, || chance(context.env)) {
                request.refresh_later(&entry);
            }
            CacheStatus::Hit { left_ms }
        }
        Freshness::StaleWhileRevalidate(over_ms) => {
            request.refresh_later(&entry);
            CacheStatus::Stale { over_ms }
        }
        Freshness::StaleIfError => return request.missed(MissReason::Stale).await,
        Freshness::Expired => {
            context.env.responses().forget(&request.name);
            return request.missed(MissReason::Stale).await;
        }
    };
    request.given(&entry, told, changed_until).await
}

/// A number from 0 to 1.
fn chance<E: ResponseEnvironment>(env: &E) -> f64 {
    let [.., a, b, c, d] = env.new_trace_id();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

/// A key and who asks it.
struct CachedRequest<'c, 'a, E> {
    context: &'c Context<'a, E>,
    key: Rc<CacheKey>,
    name: String,
}

impl<E: ResponseEnvironment> CachedRequest<'_, '_, E> {
    fn may_have(&self, entry: &CacheEntry) -> bool {
        entry.metadata.public || self.context.caller != Caller::Anonymous
    }

    /// Charges the caller for whom the store was request. `is_kept`: whether its answer is one for everybody now.
    fn charge_miss(&self, reason: MissReason, is_kept: bool) {
        let fills_its_place = is_kept && reason != MissReason::Request;
        self.context
            .charge_more(self.key.units_of_a_miss(fills_its_place));
    }

    /// There is nothing good in memory.
    async fn missed(&self, reason: MissReason) -> Result<Response, Problem> {
        let env = self.context.env;
        let memory = env.responses();
        let single_flight = &memory.single_flight;
        if memory.is_uncached(place_of(&self.name), self.context.now, UNCACHED_MS) {
            return self.alone(reason).await;
        }
        if reason != MissReason::Request
            && circuit_breaker::is_open(env).await
            && let Some(answer) = self.in_an_outage().await
        {
            return answer;
        }
        let mut at_most_ms = if reason == MissReason::Request {
            MAX_WAIT_MS
        } else {
            PATIENCE_MS
        };
        loop {
            if let Some(leader) = single_flight.begin(&self.name) {
                return self.fly(leader, reason).await;
            }
            match single_flight.wait(env, &self.name, at_most_ms).await {
                FlightResult::Stored => {
                    if let Some(answer) = self.landed(reason).await {
                        return answer;
                    }
                }
                FlightResult::Refused(refusal) => return self.refused(&refusal, reason).await,
                FlightResult::NotCacheable => return self.alone(reason).await,
                FlightResult::TimedOut if at_most_ms < MAX_WAIT_MS => {
                    if let Some(answer) = self.without_store(false).await {
                        circuit_breaker::open_as_late(env);
                        return answer;
                    }
                    at_most_ms = MAX_WAIT_MS;
                }
                FlightResult::TimedOut => return self.alone(reason).await,
                // One of those who wait takes over, unless the store is the reason.
                FlightResult::Failed => {
                    if let Some(error) = env.cache_state().breaker.recent_failure(env.clock()) {
                        return self.failed(Problem::from(error), reason).await;
                    }
                }
            }
        }
    }

    /// What another request has fetched, if it is good for this one.
    async fn landed(&self, reason: MissReason) -> Option<Result<Response, Problem>> {
        let (env, now) = (self.context.env, self.context.now);
        let entry = env.responses().find(&self.name)?;
        let good = entry.metadata.made_at.as_unix_ms() >= self.not_before(reason)
            && is_good(env, &self.key, &entry, now, true).await;
        if good {
            Some(self.given_now(&entry, CacheStatus::Collapsed { reason }).await)
        } else {
            None
        }
    }

    /// When the answer must have been made at the earliest, in milliseconds since the epoch.
    fn not_before(&self, reason: MissReason) -> i64 {
        match reason {
            // Within the same millisecond it may have been made before the request came in.
            MissReason::Request => self.context.now.as_unix_ms() + 1,
            MissReason::Miss | MissReason::Stale => ANY_AGE,
        }
    }

    /// Fetches it for all who wait.
    async fn fly(&self, leader: Leader, reason: MissReason) -> Result<Response, Problem> {
        let env = self.context.env;
        let (own, key, name) = (env.clone(), Rc::clone(&self.key), self.name.clone());
        let not_before = self.not_before(reason);
        let mut work = Box::pin(async move { fetch(&own, &key, &name, Urgency::Now, not_before).await });
        let fetched = match self.within_patience(work.as_mut(), reason).await {
            Ok(fetched) => fetched,
            Err(None) => work.await,
            Err(Some(answer)) => {
                env.later(async move { land(leader, &work.await) });
                return answer;
            }
        };
        if !matches!(fetched, Ok(Fetched::FromRegion(_) | Fetched::InProgress)) {
            self.charge_miss(reason, matches!(fetched, Ok(Fetched::Cached(_))));
        }
        match fetched {
            Ok(Fetched::Cached(entry)) => {
                leader.end(FlightResult::Stored);
                self.given_now(&entry, CacheStatus::Fetched { reason, stored: true })
                    .await
            }
            Ok(Fetched::FromRegion(entry)) => {
                leader.end(FlightResult::Stored);
                self.found(&entry, reason).await
            }
            Ok(Fetched::NotCacheable(entry)) => {
                leader.end(FlightResult::NotCacheable);
                self.given_now(
                    &entry,
                    CacheStatus::Fetched {
                        reason,
                        stored: false,
                    },
                )
                .await
            }
            Ok(Fetched::InProgress) => {
                drop(leader);
                self.alone(reason).await
            }
            Err(refusal) => {
                if refusal.problem.kind == ProblemType::Unavailable {
                    drop(leader);
                } else {
                    leader.end(FlightResult::Refused(refusal.clone()));
                }
                self.refused(&refusal, reason).await
            }
        }
    }

    /// What was fetched while somebody waits who can be given an older answer; else that answer, if there is one.
    async fn within_patience<T>(
        &self,
        work: Pin<&mut impl Future<Output = T>>,
        reason: MissReason,
    ) -> Result<T, Option<Result<Response, Problem>>> {
        let env = self.context.env;
        if reason == MissReason::Request {
            return Err(None);
        }
        if let Some(done) = circuit_breaker::within(env, PATIENCE_MS, work).await {
            return Ok(done);
        }
        let answer = self.without_store(false).await;
        if answer.is_some() {
            circuit_breaker::open_as_late(env);
        }
        Err(answer)
    }

    /// Asks the store for this request alone.
    async fn alone(&self, reason: MissReason) -> Result<Response, Problem> {
        let env = self.context.env;
        let fetched = made(env, &self.key, &self.name, (None, Urgency::Now)).await;
        self.charge_miss(reason, matches!(fetched, Ok(Fetched::Cached(_))));
        match fetched {
            Ok(Fetched::NotCacheable(entry)) => {
                self.given_now(
                    &entry,
                    CacheStatus::Fetched {
                        reason,
                        stored: false,
                    },
                )
                .await
            }
            Ok(Fetched::Cached(entry) | Fetched::FromRegion(entry)) => {
                self.given_now(&entry, CacheStatus::Fetched { reason, stored: true })
                    .await
            }
            Ok(Fetched::InProgress) => Err(Problem::internal("a entry that was made is missing")),
            Err(refusal) => self.refused(&refusal, reason).await,
        }
    }

    /// The region's answer.
    async fn found(&self, entry: &Rc<CacheEntry>, reason: MissReason) -> Result<Response, Problem> {
        let env = self.context.env;
        let now = env.clock();
        let changed_until = changes::changed_until(env, &self.key, &self.name, now.as_unix_ms()).await;
        let told = match classify_freshness(&entry.metadata, changed_until, now) {
            Freshness::StaleWhileRevalidate(over_ms) => {
                self.refresh_later(entry);
                CacheStatus::Stale { over_ms }
            }
            Freshness::Fresh(left_ms) => CacheStatus::RegionHit { left_ms },
            Freshness::StaleIfError | Freshness::Expired => CacheStatus::Collapsed { reason },
        };
        self.given(entry, told, changed_until).await
    }

    /// An answer, if the caller may have it.
    async fn given(
        &self,
        entry: &Rc<CacheEntry>,
        told: CacheStatus,
        changed_until: i64,
    ) -> Result<Response, Problem> {
        if !self.may_have(entry) {
            // Whoever made it has just request the store.
            return Err(match told {
                CacheStatus::Fetched { .. } => Problem::unreadable(&self.context.caller),
                _ => hidden::refusal(self.context, &self.key.leaderboard).await,
            });
        }
        let changing = entry.metadata.made_at.as_unix_ms() < changed_until;
        response(self.context, &self.key, entry, told, changing)
    }

    async fn given_now(&self, entry: &Rc<CacheEntry>, told: CacheStatus) -> Result<Response, Problem> {
        let env = self.context.env;
        let now = env.clock().as_unix_ms();
        let changed_until = changes::changed_until(env, &self.key, &self.name, now).await;
        self.given(entry, told, changed_until).await
    }

    /// Whether the player who asks may be banned, and so sees another list than everybody else. How scores are spread is
    /// the same for all.
    fn is_of_banned(&self) -> bool {
        let banned = &self.context.tenant_config.banned;
        let asks = self.context.caller.own_player();
        !matches!(self.key.read, CachedRead::Distribution(_)) && asks.is_some_and(|own| banned.may_have(own))
    }

    /// The answer for a player who may be banned. It is charged as everybody's first one is: what is left of a limit does not
    /// tell of a ban.
    async fn picture_of_banned(&self) -> Result<Response, Problem> {
        let own = make::entry(self.context.env, &self.key, &self.name, &self.context.caller).await;
        let reason = if wants_the_truth(self.context.headers) {
            MissReason::Request
        } else {
            MissReason::Miss
        };
        self.charge_miss(reason, own.as_ref().is_ok_and(|own| own.metadata.lifetime_ms > 0));
        self.own(own?, MissReason::Miss).await
    }

    /// The answer for the one who asks alone: no cache has it.
    async fn own_picture(&self, reason: MissReason) -> Result<Response, Problem> {
        let own = make::entry(self.context.env, &self.key, &self.name, &self.context.caller).await?;
        self.own(own, reason).await
    }

    /// An answer for the one who asks alone, told like any other.
    async fn own(&self, own: CacheEntry, reason: MissReason) -> Result<Response, Problem> {
        // It looks like any other: a banned player is not told.
        self.given_now(&Rc::new(own), CacheStatus::Fetched { reason, stored: true })
            .await
    }

    /// The store did not answer, or not with an answer.
    async fn refused(&self, refusal: &CachedRefusal, reason: MissReason) -> Result<Response, Problem> {
        let caller = &self.context.caller;
        match refusal.problem.kind {
            ProblemType::Unavailable => self.failed(refusal.problem.clone(), reason).await,
            ProblemType::EntryNotFound
                if self.key.player().is_some_and(|player| caller.sees_banned(player)) =>
            {
                self.own_picture(reason).await
            }
            _ => Err(refusal.told(caller)),
        }
    }

    /// The store cannot be reached.
    async fn failed(&self, problem: Problem, reason: MissReason) -> Result<Response, Problem> {
        let env = self.context.env;
        if reason == MissReason::Request {
            return Err(problem);
        }
        if env.responses().find(&self.name).is_none() {
            // The region may have failed to answer when it was request first.
            let since = (self.context.now, ANY_AGE);
            find_in_region(env, &self.key, &self.name, since, true).await;
        }
        self.without_store(true).await.unwrap_or(Err(problem))
    }

    /// The store could not be reached a moment ago: what there is to answer with at once. Whether it is back is found out after
    /// the response.
    async fn in_an_outage(&self) -> Option<Result<Response, Problem>> {
        let (env, now) = (self.context.env, self.context.now);
        if let Some(entry) = find_in_region(env, &self.key, &self.name, (now, ANY_AGE), true).await {
            return Some(self.found(&entry, MissReason::Stale).await);
        }
        let answer = self.without_store(false).await?;
        if let Some(entry) = env.responses().find(&self.name) {
            self.refresh_later(&entry);
        }
        Some(answer)
    }

    /// What there is to answer with when the store cannot be reached.
    async fn without_store(&self, request: bool) -> Option<Result<Response, Problem>> {
        let env = self.context.env;
        let entry = env.responses().find(&self.name)?;
        // Scores that were taken in since do not matter here: nothing newer can be had.
        let usable = classify_freshness(&entry.metadata, i64::MAX, env.clock()) != Freshness::Expired
            && self.may_have(&entry);
        if !usable || changes::is_void(env, &self.key, &self.name, entry.metadata.made_at).await {
            return None;
        }
        Some(
            self.given(
                &entry,
                CacheStatus::StaleIfError {
                    store_was_asked: request,
                },
                i64::MIN,
            )
            .await,
        )
    }

    /// Makes a entry anew after the response, unless that is under way; while the breaker is open, once the store has given a sign
    /// of life.
    fn refresh_later(&self, known: &CacheEntry) {
        let env = self.context.env;
        let Some(leader) = env.responses().single_flight.begin(&self.name) else {
            return;
        };
        let (own, key, name) = (env.clone(), Rc::clone(&self.key), self.name.clone());
        let not_before = known.metadata.made_at.as_unix_ms() + 1;
        env.later(async move {
            if !circuit_breaker::is_open(&own).await || circuit_breaker::probe(&own).await {
                land(
                    leader,
                    &fetch(&own, &key, &name, Urgency::Ahead, not_before).await,
                );
            }
        });
    }
}

/// Tells those who wait how a fetch ended that no request waits for.
fn land(leader: Leader, fetched: &Result<Fetched, CachedRefusal>) {
    match fetched {
        Ok(Fetched::Cached(_) | Fetched::FromRegion(_)) => leader.end(FlightResult::Stored),
        Ok(Fetched::NotCacheable(_)) => leader.end(FlightResult::NotCacheable),
        Ok(Fetched::InProgress) | Err(_) => drop(leader),
    }
}
