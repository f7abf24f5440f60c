//! Replaces different names of the same period, so that they share one cache key (docs/decisions/0027).

use std::rc::Rc;

use leaderboard_core::{Leaderboard, StoreError, Versioned, usecase};

use super::cache_key::CacheKey;
use super::cost::PERIOD_NAME_UNITS;
use super::{build_deps, key_value_tier};
use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker::{self, PATIENCE_MS};
use leaderboard_pipeline::Context;

/// Returns the key with an instant or a date replaced by the id of the period that contains it, so that all these names share one
/// entry. Asks the store about the name only if the leaderboard's configuration does not determine the period.
///
/// If the store does not answer, returns the key as it is. The read then uses the cache's entry under this name, or fails later.
///
/// # Errors
/// 404 if the leaderboard does not exist; 503 if the store does not answer and the cache has no entry under this name.
pub(crate) async fn name_period<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: CacheKey,
) -> Result<CacheKey, Problem> {
    if !key.names_a_period() {
        return Ok(key);
    }
    let Some(board) = find_configuration(context, &key).await? else {
        return Ok(key);
    };
    let deps = context.deps();
    if let Some(selector) = usecase::find_known_name(&deps, &board, key.period()) {
        return Ok(key.with_period(selector));
    }
    if circuit_breaker::is_open(context.env, key.guess_shard(context.env)).await {
        return Ok(key);
    }
    context.charge_more(PERIOD_NAME_UNITS);
    Ok(match usecase::resolve_name(&deps, &board, key.period()).await {
        Ok(selector) => key.with_period(selector),
        Err(_) => key,
    })
}

/// Finds the configuration of the key's leaderboard in a cache, or else in the store. Returns `None` if the store does not
/// answer, or is slow, and the cache has an entry under the key's own name.
async fn find_configuration<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: &CacheKey,
) -> Result<Option<Rc<Versioned<Leaderboard>>>, Problem> {
    let env = context.env;
    let shard = key.guess_shard(env);
    let cached = context.deps().find_cached_leaderboard(&key.leaderboard).await;
    if cached.is_some() {
        return Ok(cached);
    }
    if circuit_breaker::is_open(env, shard).await && has_entry(env, key).await {
        return Ok(None);
    }
    let (own_env, own_key) = (env.clone(), key.clone());
    let mut work = Box::pin(async move { load_configuration(&own_env, &own_key).await });
    let loaded = match circuit_breaker::run_within(env, PATIENCE_MS, work.as_mut()).await {
        Some(loaded) => loaded,
        None if has_entry(env, key).await => {
            circuit_breaker::open_as_slow(env, shard);
            // The work continues after the response, and puts the configuration into the caches.
            env.later(async move {
                let _ = work.await;
            });
            return Ok(None);
        }
        None => work.await,
    };
    match loaded {
        Ok(Some(board)) => Ok(Some(board)),
        Ok(None) => {
            context.charge_more(key.units_of_miss(false));
            Err(Problem::new(ProblemType::LeaderboardNotFound))
        }
        Err(error) => {
            if let StoreError::Unavailable(cause) = &error {
                circuit_breaker::open(env, shard, cause);
            }
            context.charge_more(key.units_of_miss(false));
            if has_entry(env, key).await {
                Ok(None)
            } else {
                Err(error.into())
            }
        }
    }
}

/// Reads the configuration from the store, and puts it into the caches.
async fn load_configuration<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
) -> Result<Option<Rc<Versioned<Leaderboard>>>, StoreError> {
    let deps = build_deps(env, &key.tenant, env.now());
    deps.load_current_leaderboard(&key.leaderboard).await
}

/// Returns whether a tier has an entry under the key's own name. This can only be the case if the name is a period's id.
async fn has_entry<E: ResponseEnvironment>(env: &E, key: &CacheKey) -> bool {
    let key_text = key.to_text();
    env.responses().find_entry(&key_text).is_some()
        || key_value_tier::find_entry(env, key, &key_text).await.is_some()
}
