//! Makes an answer of the store's.

use std::rc::Rc;

use bytes::Bytes;
use leaderboard_core::access::Caller;
use leaderboard_core::usecase::{self, Deps};
use leaderboard_core::{
    CacheStrategy, Leaderboard, Period, PeriodSelector, ReadAccess, Timestamp, Versioned,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::cache_entry::{CacheEntry, CacheMetadata};
use super::cache_key::{CacheKey, CachedRead};
use crate::ResponseEnvironment;
use leaderboard_api::ApiVersion;
use leaderboard_api::Problem;
use leaderboard_api::wire::entries::DistributionBody;
use leaderboard_api::wire::leaderboard::PublicBody;
use leaderboard_api::wire::ranks as wire;
use leaderboard_api::{IntegerFormat, json};
use leaderboard_identity::hex::encode as hex;

/// How many bytes of a body's digest its tag has.
const TAG_DIGEST_BYTES: usize = 12;

/// An answer and what it was made with.
struct FetchedBody {
    body: Vec<u8>,
    board: Rc<Versioned<Leaderboard>>,
    period: Period,
    version: u64,
}

/// Asks the store, as `caller`.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn entry<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    name: &str,
    caller: &Caller,
) -> Result<CacheEntry, Problem> {
    let made_at = env.clock();
    let made = ask(env, key, caller, made_at).await?;
    let cost = env.clock().as_unix_ms() - made_at.as_unix_ms();
    let board = &made.board.value;
    let digest = Sha256::digest(&made.body);
    let digest = digest.get(..TAG_DIGEST_BYTES).unwrap_or_default();
    let metadata = CacheMetadata {
        name: name.into(),
        made_at,
        cost_ms: u32::try_from(cost.max(0)).unwrap_or(u32::MAX),
        lifetime_ms: board.cache.lifetime_ms,
        stale_ms: board.cache.stale_ms,
        stale_if_error_ms: board.cache.stale_if_error_ms,
        refresh_ahead: board.cache.strategy == CacheStrategy::RefreshAhead,
        until: until(board, key.period(), &made.period, made_at),
        public: board.access.read == ReadAccess::Public,
        etag: format!("{}-{}", made.version, hex(digest)).into(),
    };
    CacheEntry::new(metadata, Bytes::from(made.body))
        .ok_or_else(|| Problem::internal("a entry's name is no header"))
}

/// When the answer is none to its key any more.
fn until(
    board: &Leaderboard,
    selector: &PeriodSelector,
    period: &Period,
    made_at: Timestamp,
) -> Option<Timestamp> {
    let next = match selector {
        // The end of the current period moves what is previous, too.
        PeriodSelector::Current | PeriodSelector::Previous => board.schedule.period_at(made_at).ends_at,
        PeriodSelector::Named(_) | PeriodSelector::On(_) => None,
    };
    let expiry = board.schedule.expires_at(period, board.keep_periods);
    next.into_iter().chain(expiry).min()
}

async fn ask<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    caller: &Caller,
    now: Timestamp,
) -> Result<FetchedBody, Problem> {
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now,
    };
    let (tenant, id) = (&key.tenant, &key.leaderboard);
    let refused = |error| Problem::of_query(error, caller);
    match &key.read {
        CachedRead::List(query) => {
            let found = usecase::read_page(&deps, tenant, caller, id, query)
                .await
                .map_err(refused)?;
            let drift = match key.version {
                ApiVersion::V1 => None,
                ApiVersion::V2 => usecase::find_drift(&deps, tenant, caller, &found).await?,
            };
            let body = written(&wire::page(key.version, &found, drift)?, key.integers)?;
            Ok(FetchedBody {
                body,
                board: Rc::clone(&found.board),
                version: found.page.version,
                period: found.period,
            })
        }
        CachedRead::Distribution(query) => {
            let found = usecase::read_distribution(&deps, tenant, caller, id, query)
                .await
                .map_err(refused)?;
            Ok(FetchedBody {
                body: written(&DistributionBody::new(id.as_str(), &found), key.integers)?,
                board: Rc::clone(&found.board),
                version: found.version,
                period: found.period,
            })
        }
        CachedRead::Leaderboard => {
            let board = usecase::load_readable_leaderboard(&deps, tenant, caller, id)
                .await
                .map_err(refused)?;
            let period = board.value.schedule.period_at(now);
            Ok(FetchedBody {
                body: written(&PublicBody::new(&board.value, &period), key.integers)?,
                version: board.version,
                board,
                period,
            })
        }
        CachedRead::Periods(before, limit) => {
            let found = usecase::list_periods(&deps, tenant, caller, id, *before, *limit).await;
            let (board, page) = found.map_err(refused)?;
            let period = board.value.schedule.period_at(now);
            Ok(FetchedBody {
                body: written(&wire::periods(key.version, id, &page), key.integers)?,
                version: board.version,
                board,
                period,
            })
        }
        CachedRead::Entry(player, period) => {
            let found = usecase::read_player(&deps, tenant, caller, id, player, period)
                .await
                .map_err(refused)?;
            let body = written(&wire::standing(key.version, id, &found)?, key.integers)?;
            Ok(FetchedBody {
                body,
                board: Rc::clone(&found.board),
                version: found.version,
                period: found.period,
            })
        }
        CachedRead::Around(player, period, limit) => {
            let found = usecase::read_around(&deps, tenant, caller, id, player, period, *limit)
                .await
                .map_err(refused)?;
            let body = written(&wire::window(key.version, &found)?, key.integers)?;
            Ok(FetchedBody {
                body,
                board: Rc::clone(&found.board),
                version: found.page.version,
                period: found.period,
            })
        }
    }
}

fn written(body: &impl Serialize, integers: IntegerFormat) -> Result<Vec<u8>, Problem> {
    json::write(body, integers)
        .map_err(|error| Problem::internal(format!("an answer cannot be written: {error}")))
}
