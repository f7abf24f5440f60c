//! The one name of a key that a period's many names share.

use leaderboard_core::usecase;

use super::cache_key::CacheKey;
use super::cost::NAME_UNITS;
use crate::ResponseEnvironment;
use leaderboard_cache::circuit_breaker;
use leaderboard_pipeline::Context;

/// The key with the period's id in place of an instant or a day within it: all of them are one key, and share
/// one answer. The store is request only where a leaderboard had rules that nobody recorded. Where neither it nor the
/// leaderboard's configuration can be had, the key stays as it is and fails later.
pub(crate) async fn with_one_name<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: CacheKey,
) -> CacheKey {
    let (deps, tenant) = (context.deps(), &key.tenant);
    let Ok(Some(board)) = usecase::load_leaderboard(&deps, tenant, &key.leaderboard).await else {
        return key;
    };
    if let Some(known) = usecase::find_known_name(&deps, tenant, &board, key.period()) {
        return key.about(known);
    }
    if circuit_breaker::is_open(context.env).await {
        return key;
    }
    context.charge_more(NAME_UNITS);
    match usecase::resolve_name(&deps, tenant, &board, key.period()).await {
        Ok(found) => key.about(found),
        Err(_) => key,
    }
}
