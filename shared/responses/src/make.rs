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

use super::question::{Question, Subject};
use super::view::{Facts, View};
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
struct Made {
    body: Vec<u8>,
    board: Rc<Versioned<Leaderboard>>,
    period: Period,
    version: u64,
}

/// Asks the store, as `caller`.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn view<E: ResponseEnvironment>(
    env: &E,
    question: &Question,
    name: &str,
    caller: &Caller,
) -> Result<View, Problem> {
    let made_at = env.clock();
    let made = ask(env, question, caller, made_at).await?;
    let cost = env.clock().as_unix_ms() - made_at.as_unix_ms();
    let board = &made.board.value;
    let digest = Sha256::digest(&made.body);
    let digest = digest.get(..TAG_DIGEST_BYTES).unwrap_or_default();
    let facts = Facts {
        name: name.into(),
        made_at,
        cost_ms: u32::try_from(cost.max(0)).unwrap_or(u32::MAX),
        lifetime_ms: board.cache.lifetime_ms,
        stale_ms: board.cache.stale_ms,
        stale_if_error_ms: board.cache.stale_if_error_ms,
        refresh_ahead: board.cache.strategy == CacheStrategy::RefreshAhead,
        until: until(board, question.period(), &made.period, made_at),
        public: board.access.read == ReadAccess::Public,
        etag: format!("{}-{}", made.version, hex(digest)).into(),
    };
    View::new(facts, Bytes::from(made.body)).ok_or_else(|| Problem::internal("a view's name is no header"))
}

/// When the answer is none to its question any more.
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
    question: &Question,
    caller: &Caller,
    now: Timestamp,
) -> Result<Made, Problem> {
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now,
    };
    let (tenant, id) = (&question.tenant, &question.leaderboard);
    let refused = |error| Problem::of_query(error, caller);
    match &question.subject {
        Subject::List(query) => {
            let found = usecase::read_page(&deps, tenant, caller, id, query)
                .await
                .map_err(refused)?;
            let drift = match question.version {
                ApiVersion::V1 => None,
                ApiVersion::V2 => usecase::find_drift(&deps, tenant, caller, &found).await?,
            };
            let body = written(&wire::page(question.version, &found, drift)?, question.integers)?;
            Ok(Made {
                body,
                board: Rc::clone(&found.board),
                version: found.page.version,
                period: found.period,
            })
        }
        Subject::Distribution(query) => {
            let found = usecase::read_distribution(&deps, tenant, caller, id, query)
                .await
                .map_err(refused)?;
            Ok(Made {
                body: written(&DistributionBody::new(id.as_str(), &found), question.integers)?,
                board: Rc::clone(&found.board),
                version: found.version,
                period: found.period,
            })
        }
        Subject::Leaderboard => {
            let board = usecase::load_readable_leaderboard(&deps, tenant, caller, id)
                .await
                .map_err(refused)?;
            let period = board.value.schedule.period_at(now);
            Ok(Made {
                body: written(&PublicBody::new(&board.value, &period), question.integers)?,
                version: board.version,
                board,
                period,
            })
        }
        Subject::Periods(before, limit) => {
            let found = usecase::list_periods(&deps, tenant, caller, id, *before, *limit).await;
            let (board, page) = found.map_err(refused)?;
            let period = board.value.schedule.period_at(now);
            Ok(Made {
                body: written(&wire::periods(question.version, id, &page), question.integers)?,
                version: board.version,
                board,
                period,
            })
        }
        Subject::Entry(player, period) => {
            let found = usecase::read_player(&deps, tenant, caller, id, player, period)
                .await
                .map_err(refused)?;
            let body = written(&wire::standing(question.version, id, &found)?, question.integers)?;
            Ok(Made {
                body,
                board: Rc::clone(&found.board),
                version: found.version,
                period: found.period,
            })
        }
        Subject::Around(player, period, limit) => {
            let found = usecase::read_around(&deps, tenant, caller, id, player, period, *limit)
                .await
                .map_err(refused)?;
            let body = written(&wire::window(question.version, &found)?, question.integers)?;
            Ok(Made {
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
