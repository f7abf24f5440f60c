//! Asks the store, and makes a cache entry of its answer.

use std::rc::Rc;

use bytes::Bytes;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{ReadSource, ReplicaRefusal};
use leaderboard_core::usecase::{self, Deps, DistributionQuery, ListQuery, QueryError};
use leaderboard_core::{
    CacheStrategy, Leaderboard, Period, PeriodSelector, PlayerId, ReadAccess, StoreError, Timestamp,
    Versioned,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::build_deps;
use super::cache_entry::{CacheEntry, CacheMetadata};
use super::cache_key::{CacheKey, CachedRead};
use super::replica::{ReplicaError, read_entries};
use super::response::MissReason;
use crate::ResponseEnvironment;
use leaderboard_api::wire::entries::DistributionBody;
use leaderboard_api::wire::leaderboard::PublicBody;
use leaderboard_api::wire::ranks as wire;
use leaderboard_api::{ApiVersion, Problem, json};
use leaderboard_cache::circuit_breaker;
use leaderboard_identity::hex::encode as hex;

/// How many bytes of the body's SHA-256 digest are in its ETag.
const ETAG_DIGEST_BYTES: usize = 12;

/// A body, and the data of the store that its metadata depends on.
struct FetchedBody {
    body: Vec<u8>,
    board: Rc<Versioned<Leaderboard>>,
    period: Period,
    /// The version that the ETag begins with.
    version: u64,
}

/// Which servers of the store may answer a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Servers {
    /// The primary, and the region's replica if it has every change that the region knows of.
    All,
    /// Only the primary: the client asks for a response that is newer than its request.
    Primary,
}

impl Servers {
    /// Returns which servers may answer a read that missed the cache for this reason.
    pub(crate) const fn for_reason(reason: MissReason) -> Self {
        match reason {
            MissReason::Request => Self::Primary,
            MissReason::Miss | MissReason::Stale => Self::All,
        }
    }
}

/// Why a fetch made no entry.
enum FetchError {
    Query(QueryError),
    Problem(Problem),
}

impl From<QueryError> for FetchError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<StoreError> for FetchError {
    fn from(error: StoreError) -> Self {
        Self::Query(error.into())
    }
}

impl From<Problem> for FetchError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl ReplicaError for FetchError {
    fn replica_refusal(&self) -> Option<&ReplicaRefusal> {
        match self {
            Self::Query(error) => error.replica_refusal(),
            Self::Problem(_) => None,
        }
    }
}

/// Reads from the store as `caller`, and returns the entry. Closes the circuit breaker if the primary has answered.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn fetch_from_store<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    key_text: &str,
    caller: &Caller,
    servers: Servers,
) -> Result<CacheEntry, Problem> {
    let fetch = async |source| StoreRead::fetch(env, key, caller, source).await;
    let fetched = if servers == Servers::All && key.read.is_about_entries() {
        read_entries(env, &key.tenant, &key.leaderboard, fetch).await
    } else {
        fetch(ReadSource::Primary).await
    };
    let (fetched_at, fetched) = fetched.map_err(|error| match error {
        FetchError::Query(error) => Problem::of_query(error, caller),
        FetchError::Problem(problem) => problem,
    })?;
    let cost = env.clock().as_unix_ms() - fetched_at.as_unix_ms();
    let board = &fetched.board.value;
    let digest = Sha256::digest(&fetched.body);
    let digest = digest.get(..ETAG_DIGEST_BYTES).unwrap_or_default();
    let metadata = CacheMetadata {
        key_text: key_text.into(),
        fetched_at,
        cost_ms: u32::try_from(cost.max(0)).unwrap_or(u32::MAX),
        lifetime_ms: board.cache.lifetime_ms,
        stale_ms: board.cache.stale_ms,
        stale_if_error_ms: board.cache.stale_if_error_ms,
        refresh_ahead: board.cache.strategy == CacheStrategy::RefreshAhead,
        expires_at: find_expiry(board, key.period(), &fetched.period, fetched_at),
        public: board.access.read == ReadAccess::Public,
        etag: format!("{}-{}", fetched.version, hex(digest)).into(),
    };
    CacheEntry::new(metadata, Bytes::from(fetched.body))
        .ok_or_else(|| Problem::internal("a cache key is not a valid header value"))
}

/// Returns when the body stops being correct for the key, even within its lifetime: the current period ends, or the period is
/// deleted.
fn find_expiry(
    board: &Leaderboard,
    selector: &PeriodSelector,
    period: &Period,
    fetched_at: Timestamp,
) -> Option<Timestamp> {
    let current_ends_at = match selector {
        // When the current period ends, another period becomes the previous one, too.
        PeriodSelector::Current | PeriodSelector::Previous => board.schedule.period_at(fetched_at).ends_at,
        PeriodSelector::Named(_) | PeriodSelector::On(_) => None,
    };
    let deleted_at = board.schedule.expires_at(period, board.keep_periods);
    current_ends_at.into_iter().chain(deleted_at).min()
}

/// A read of the store.
struct StoreRead<'a, E: ResponseEnvironment> {
    deps: Deps<'a, E::Store, E::Cache>,
    key: &'a CacheKey,
    caller: &'a Caller,
}

impl<E: ResponseEnvironment> StoreRead<'_, E> {
    /// Reads what a key names, and returns it with the instant at which the read began.
    async fn fetch(
        env: &E,
        key: &CacheKey,
        caller: &Caller,
        source: ReadSource,
    ) -> Result<(Timestamp, FetchedBody), FetchError> {
        let fetched_at = env.clock();
        let deps = Deps {
            source,
            ..build_deps(env, &key.tenant, fetched_at)
        };
        let read: StoreRead<'_, E> = StoreRead { deps, key, caller };
        let fetched = match &key.read {
            CachedRead::List(query) => read.fetch_list(query).await,
            CachedRead::Distribution(query) => read.fetch_distribution(query).await,
            CachedRead::Leaderboard => read.fetch_leaderboard().await,
            CachedRead::Periods(before, limit) => read.fetch_periods(*before, *limit).await,
            CachedRead::Entry(player, period) => read.fetch_entry(player, period).await,
            CachedRead::Around(player, period, limit) => read.fetch_window(player, period, *limit).await,
        }?;
        if source == ReadSource::Primary {
            circuit_breaker::close(env, key.guess_shard(env));
        }
        Ok((fetched_at, fetched))
    }

    async fn fetch_list(&self, query: &ListQuery) -> Result<FetchedBody, FetchError> {
        let (deps, key, caller) = (&self.deps, self.key, self.caller);
        let found = usecase::read_page(deps, caller, &key.leaderboard, query).await?;
        let drift = match key.version {
            ApiVersion::V1 => None,
            ApiVersion::V2 => usecase::find_drift(deps, caller, &found).await?,
        };
        let body = self.write_body(&wire::page(key.version, &found, drift)?)?;
        Ok(FetchedBody {
            body,
            board: Rc::clone(&found.leaderboard),
            version: found.page.version,
            period: found.period,
        })
    }

    async fn fetch_distribution(&self, query: &DistributionQuery) -> Result<FetchedBody, FetchError> {
        let id = &self.key.leaderboard;
        let found = usecase::read_distribution(&self.deps, self.caller, id, query).await?;
        Ok(FetchedBody {
            body: self.write_body(&DistributionBody::new(id.as_str(), &found))?,
            board: Rc::clone(&found.leaderboard),
            version: found.version,
            period: found.period,
        })
    }

    async fn fetch_leaderboard(&self) -> Result<FetchedBody, FetchError> {
        let id = &self.key.leaderboard;
        let board = usecase::load_readable_leaderboard(&self.deps, self.caller, id).await?;
        let period = board.value.schedule.period_at(self.deps.now);
        Ok(FetchedBody {
            body: self.write_body(&PublicBody::new(&board.value, &period))?,
            version: board.version,
            board,
            period,
        })
    }

    async fn fetch_periods(&self, before: Option<Timestamp>, limit: u32) -> Result<FetchedBody, FetchError> {
        let (key, id) = (self.key, &self.key.leaderboard);
        let (board, page) = usecase::list_periods(&self.deps, self.caller, id, before, limit).await?;
        let period = board.value.schedule.period_at(self.deps.now);
        Ok(FetchedBody {
            body: self.write_body(&wire::periods(key.version, id, &page))?,
            version: board.version,
            board,
            period,
        })
    }

    async fn fetch_entry(
        &self,
        player: &PlayerId,
        period: &PeriodSelector,
    ) -> Result<FetchedBody, FetchError> {
        let (key, id) = (self.key, &self.key.leaderboard);
        let found = usecase::read_entry(&self.deps, self.caller, id, player, period).await?;
        let body = self.write_body(&wire::player_entry(key.version, id, &found)?)?;
        Ok(FetchedBody {
            body,
            board: Rc::clone(&found.leaderboard),
            version: found.version,
            period: found.period,
        })
    }

    async fn fetch_window(
        &self,
        player: &PlayerId,
        period: &PeriodSelector,
        limit: u32,
    ) -> Result<FetchedBody, FetchError> {
        let (key, id) = (self.key, &self.key.leaderboard);
        let found = usecase::read_around(&self.deps, self.caller, id, player, period, limit).await?;
        let body = self.write_body(&wire::window(key.version, &found)?)?;
        Ok(FetchedBody {
            body,
            board: Rc::clone(&found.leaderboard),
            version: found.page.version,
            period: found.period,
        })
    }

    fn write_body(&self, body: &impl Serialize) -> Result<Vec<u8>, Problem> {
        json::write(body, self.key.integers)
            .map_err(|error| Problem::internal(format!("a response body cannot be written: {error}")))
    }
}
