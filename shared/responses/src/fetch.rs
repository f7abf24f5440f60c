//! An answer from the region, or from the store.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::usecase::{self, Deps};
use leaderboard_core::{ReadAccess, Timestamp};

use super::flight::Refusal;
use super::lease::Lease;
use super::question::{Question, place_of};
use super::standing::{Standing, standing};
use super::view::View;
use super::{changes, make, region};
use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;

/// How long those that wait for another instance pause at first, in milliseconds; each pause is twice the one before.
const FIRST_PAUSE_MS: u64 = 4;
/// The longest such pause.
const MAX_PAUSE_MS: u64 = 16;
/// How long they wait in all, in milliseconds.
const MAX_WAIT_MS: i64 = 3_000;
/// An answer of any age is good enough, if it is fresh.
pub(crate) const ANY_AGE: i64 = i64::MIN;

/// Whether somebody waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A client does.
    Now,
    /// Nobody: when another instance is at it, that is good.
    Ahead,
}

/// What was fetched.
pub(crate) enum Fetched {
    /// Made now, and kept for everybody.
    Shared(Rc<View>),
    /// Made by another instance of the region.
    Found(Rc<View>),
    /// Made now, of a leaderboard whose answers are not kept.
    Uncached(Rc<View>),
    /// Another instance is at it.
    Nothing,
}

/// Fetches an answer, as an ordinary reader sees it: the region's, where it is good and was made at `not_before` (in milliseconds
/// since the epoch) or later; or a new one.
///
/// # Errors
/// Why there is none.
pub(crate) async fn fetch<E: ResponseEnvironment>(
    env: &E,
    question: &Rc<Question>,
    name: &str,
    urgency: Urgency,
    not_before: i64,
) -> Result<Fetched, Refusal> {
    let began = env.clock();
    let even_stale = urgency == Urgency::Now;
    if let Some(view) = nearby(env, question, name, (began, not_before), even_stale).await {
        return Ok(Fetched::Found(view));
    }
    let shared = question.is_common() && is_kept(env, question, name).await?;
    let give_up_at = began.as_unix_ms() + MAX_WAIT_MS;
    let mut lease = None;
    while shared && env.clock().as_unix_ms() < give_up_at {
        lease = Lease::take(env, question, name).await;
        if lease.is_none() {
            if urgency == Urgency::Ahead {
                return Ok(Fetched::Nothing);
            }
            wait_for_another(env, question, name).await;
        }
        // Another instance may have finished meanwhile.
        if let Some(view) = nearby(env, question, name, (began, not_before), false).await {
            if let Some(lease) = lease {
                lease.give_back(env).await;
            }
            return Ok(Fetched::Found(view));
        }
        if lease.is_some() {
            break;
        }
    }
    made(env, question, name, (lease, urgency)).await
}

/// Whether answers about the leaderboard are kept, by the nearest copy of its configuration. One that does not exist is found out
/// before anything is put into the region for it.
async fn is_kept<E: ResponseEnvironment>(
    env: &E,
    question: &Rc<Question>,
    name: &str,
) -> Result<bool, Refusal> {
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        boards: env.boards(),
        now: env.clock(),
    };
    match usecase::load_leaderboard(&deps, &question.tenant, &question.leaderboard).await {
        Ok(Some(board)) => Ok(board.value.cache.lifetime_ms > 0),
        Ok(None) => {
            let unknown = Problem::new(ProblemType::LeaderboardNotFound);
            Err(refused(env, question, name, unknown))
        }
        Err(error) => Err(refused(env, question, name, error.into())),
    }
}

/// Waits until the instance that has the lease gives it back, or has lost it.
async fn wait_for_another<E: ResponseEnvironment>(env: &E, question: &Question, name: &str) {
    let give_up_at = env.clock().as_unix_ms() + MAX_WAIT_MS;
    let mut pause_ms = FIRST_PAUSE_MS;
    loop {
        env.pause(pause_ms).await;
        if env.clock().as_unix_ms() >= give_up_at || !Lease::is_taken(env, question, name).await {
            return;
        }
        pause_ms = (2 * pause_ms).min(MAX_PAUSE_MS);
    }
}

/// The region's answer, if it is good for a request that came in at `since`, and was made at `not_before` or later.
pub(crate) async fn nearby<E: ResponseEnvironment>(
    env: &E,
    question: &Question,
    name: &str,
    (since, not_before): (Timestamp, i64),
    even_stale: bool,
) -> Option<Rc<View>> {
    let view = Rc::new(region::find(env, question, name).await?);
    env.responses().remember(Rc::clone(&view), env.clock());
    let new_enough = view.facts.made_at.as_unix_ms() >= not_before;
    (new_enough && is_good(env, question, &view, since, even_stale).await).then_some(view)
}

/// Whether an answer is good for a request that came in at `since`: made after that, or still fresh.
pub(crate) async fn is_good<E: ResponseEnvironment>(
    env: &E,
    question: &Question,
    view: &View,
    since: Timestamp,
    even_stale: bool,
) -> bool {
    let now = env.clock();
    let changed_until = changes::changed_until(env, question, &view.facts.name, now.as_unix_ms()).await;
    match standing(&view.facts, changed_until, now) {
        Standing::Fresh(_) => true,
        Standing::Stale(_) => even_stale || view.facts.made_at > since,
        Standing::Spent => view.facts.made_at > since,
        Standing::Gone => false,
    }
}

/// Asks the store, and keeps the answer where it may be kept: after the response, if a client waits for one.
///
/// # Errors
/// Why there is none.
pub(crate) async fn made<E: ResponseEnvironment>(
    env: &E,
    question: &Rc<Question>,
    name: &str,
    (lease, urgency): (Option<Lease>, Urgency),
) -> Result<Fetched, Refusal> {
    let view = match make::view(env, question, name, &Caller::Reader).await {
        Ok(view) => Rc::new(view),
        Err(problem) => {
            if let Some(lease) = lease {
                lease.give_back(env).await;
            }
            return Err(refused(env, question, name, problem));
        }
    };
    let shelf = &env.responses();
    circuit_breaker::close(env);
    let uncached = view.facts.lifetime_ms == 0;
    shelf.set_uncached(place_of(name), view.facts.made_at, uncached);
    if uncached {
        if let Some(lease) = lease {
            lease.give_back(env).await;
        }
        return Ok(Fetched::Uncached(view));
    }
    // An outage may begin before a response is out: what is to be there then is kept first.
    let is_first_warm = shelf.find(name).is_none() && is_warm(env, question, name);
    shelf.remember(Rc::clone(&view), env.clock());
    let (own, question, kept) = (env.clone(), Rc::clone(question), Rc::clone(&view));
    let keep = async move {
        region::keep(&own, &question, &kept).await;
        if let Some(lease) = lease {
            lease.give_back(&own).await;
        }
    };
    if urgency == Urgency::Ahead || is_first_warm {
        keep.await;
    } else {
        env.later(keep);
    }
    Ok(Fetched::Shared(view))
}

/// Whether an answer is one of those that are made before anybody asks.
fn is_warm<E: ResponseEnvironment>(env: &E, question: &Question, name: &str) -> bool {
    let (tenant, leaderboard) = (&question.tenant, &question.leaderboard);
    let Some(board) = env.boards().find(tenant, leaderboard) else {
        return false;
    };
    let mut warm = board.value.cache.warm.iter();
    warm.any(|view| Question::warm(tenant, leaderboard, *view, question.version).name() == name)
}

/// Notes that the store did not answer, or that what there is of its answers is none any more.
fn refused<E: ResponseEnvironment>(
    env: &E,
    question: &Rc<Question>,
    name: &str,
    problem: Problem,
) -> Refusal {
    if problem.kind == ProblemType::Unavailable {
        let cause = problem.cause.as_deref().unwrap_or_default();
        circuit_breaker::open(env, cause);
    } else if problem.kind != ProblemType::Internal {
        env.responses().forget(name);
        let (own, question, name) = (env.clone(), Rc::clone(question), name.to_owned());
        env.later(async move {
            region::forget(&own, &question, &name).await;
        });
    }
    // The configuration that the store was asked with, if there is one.
    let board = env.boards().find(&question.tenant, &question.leaderboard);
    let public = board.is_none_or(|board| board.value.access.read == ReadAccess::Public);
    Refusal { problem, public }
}
