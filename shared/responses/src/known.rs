//! The configuration that names a key's period, while the store may be out of reach.

use std::pin::Pin;

use leaderboard_core::StoreError;
use leaderboard_core::usecase::{self, Deps};

use super::cache_key::CacheKey;
use super::region;
use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;
use leaderboard_cache::circuit_breaker::PATIENCE_MS;
use leaderboard_pipeline::Context;

/// Whether the period that a key names can be found by the leaderboard's configuration, which is brought from the store where there
/// is no copy of it. `false`: the key keeps the name that it has, because the store does not answer and there is a response
/// under that name already.
///
/// # Errors
/// 404 when there is no such leaderboard; 503 when the store does not answer and there is no such response.
pub(crate) async fn can_be_named<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: &CacheKey,
) -> Result<bool, Problem> {
    let env = context.env;
    let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
    if usecase::find_cached_leaderboard(&context.deps(), tenant, leaderboard)
        .await
        .is_some()
    {
        return Ok(true);
    }
    if circuit_breaker::is_open(env).await && is_answered(env, key).await {
        return Ok(false);
    }
    let mut request = Box::pin(exists(env.clone(), key.clone()));
    let answer = match circuit_breaker::within(env, PATIENCE_MS, request.as_mut()).await {
        Some(answer) => answer,
        None if is_answered(env, key).await => {
            circuit_breaker::open_as_late(env);
            go_on_later(env, request);
            return Ok(false);
        }
        None => request.await,
    };
    match answer {
        Ok(true) => Ok(true),
        Ok(false) => {
            context.charge_more(key.units_of_a_miss(false));
            Err(Problem::new(ProblemType::LeaderboardNotFound))
        }
        Err(error) => {
            if let StoreError::Unavailable(cause) = &error {
                circuit_breaker::open(env, cause);
            }
            context.charge_more(key.units_of_a_miss(false));
            if is_answered(env, key).await {
                Ok(false)
            } else {
                Err(error.into())
            }
        }
    }
}

/// Whether the store has the key's leaderboard; its configuration is remembered then.
async fn exists<E: ResponseEnvironment>(env: E, key: CacheKey) -> Result<bool, StoreError> {
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now: env.now(),
    };
    let found = usecase::load_current_leaderboard(&deps, &key.tenant, &key.leaderboard).await?;
    Ok(found.is_some())
}

/// Goes on after the response with a key that nobody waits for any more: its answer is remembered.
fn go_on_later<E: ResponseEnvironment>(
    env: &E,
    request: Pin<Box<impl Future<Output = Result<bool, StoreError>> + 'static>>,
) {
    env.later(async move {
        // It fails with the store, which the breaker knows already.
        let _ = request.await;
    });
}

/// Whether there is a response to a key under the name that it has: its period's id, if it is one.
async fn is_answered<E: ResponseEnvironment>(env: &E, key: &CacheKey) -> bool {
    let name = key.name();
    env.responses().find(&name).is_some() || region::find(env, key, &name).await.is_some()
}
