//! Answers when the store refuses a read or does not answer (RFC 5861, section 4: `stale-if-error`).

use super::CachedRequest;
use crate::fetch::{ANY_AGE, find_in_key_value_tier};
use crate::fetch_outcome::CachedRefusal;
use crate::freshness::classify_freshness;
use crate::response::{CacheStatus, MissReason};
use crate::{ResponseEnvironment, invalidation};
use leaderboard_api::{Problem, ProblemType, Response};
use leaderboard_cache::freshness::Freshness;

impl<E: ResponseEnvironment> CachedRequest<'_, '_, E> {
    /// Answers when a fetch returned a problem instead of an entry.
    pub(super) async fn answer_refusal(
        &self,
        refusal: &CachedRefusal,
        reason: MissReason,
    ) -> Result<Response, Problem> {
        let caller = &self.context.caller;
        match refusal.problem.kind {
            ProblemType::Unavailable => self.answer_store_failure(refusal.problem.clone(), reason).await,
            ProblemType::EntryNotFound
                if self.key.player().is_some_and(|player| caller.sees_banned(player)) =>
            {
                self.answer_as_caller(reason).await
            }
            _ => Err(refusal.problem_for(caller)),
        }
    }

    /// Answers when the store did not answer: with a stale response if there is one, otherwise with the problem.
    pub(super) async fn answer_store_failure(
        &self,
        problem: Problem,
        reason: MissReason,
    ) -> Result<Response, Problem> {
        let env = self.context.env;
        if reason == MissReason::Request {
            return Err(problem);
        }
        if env.responses().find_entry(&self.key_text).is_none() {
            // The first read of the key-value tier may have failed, so read again. This also fills the memory tier.
            let at_least = (self.context.now, ANY_AGE);
            find_in_key_value_tier(env, &self.key, &self.key_text, at_least, true).await;
        }
        self.respond_stale_if_error(true).await.unwrap_or(Err(problem))
    }

    /// Answers from the cache while the circuit breaker is open, without asking the store. Returns `None` if the cache has no
    /// usable entry. The store is probed after the response.
    pub(super) async fn answer_during_outage(&self) -> Option<Result<Response, Problem>> {
        let (env, at_least) = (self.context.env, (self.context.now, ANY_AGE));
        if let Some(entry) = find_in_key_value_tier(env, &self.key, &self.key_text, at_least, true).await {
            return Some(self.respond_from_key_value_tier(&entry, MissReason::Stale).await);
        }
        let answer = self.respond_stale_if_error(false).await?;
        self.refresh_known_later();
        Some(answer)
    }

    /// Fetches the memory tier's entry again after the response ([`Self::refresh_later`]).
    pub(super) fn refresh_known_later(&self) {
        if let Some(entry) = self.context.env.responses().find_entry(&self.key_text) {
            self.refresh_later(&entry);
        }
    }

    /// Responds with the memory tier's entry if it is within its `stale-if-error` time and is not purged. Returns `None` if there
    /// is no such entry, or the caller may not read it. `store_was_asked` says whether the store was asked for this response.
    pub(super) async fn respond_stale_if_error(
        &self,
        store_was_asked: bool,
    ) -> Option<Result<Response, Problem>> {
        let env = self.context.env;
        let entry = env.responses().find_entry(&self.key_text)?;
        // Invalidations do not count here, since nothing newer can be fetched. Purges do count.
        let usable = classify_freshness(&entry.metadata, i64::MAX, env.clock()) != Freshness::Expired
            && self.may_read(&entry);
        let fetched_at = entry.metadata.fetched_at;
        if !usable || invalidation::is_purged(env, &self.key, &self.key_text, fetched_at).await {
            return None;
        }
        let status = CacheStatus::StaleIfError { store_was_asked };
        Some(self.respond(&entry, status, i64::MIN).await)
    }
}
