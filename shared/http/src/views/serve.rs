//! The way of a question: instance memory, the region, the store.

use std::rc::Rc;

use http::HeaderMap;
use http::header::CACHE_CONTROL;
use leaderboard_core::Timestamp;
use leaderboard_core::access::Caller;

use super::answer::{Told, Why, response, response_to_one};
use super::flight::{Flight, Waited};
use super::lease::Lease;
use super::question::{Question, place_of};
use super::standing::{Standing, is_due_early, standing};
use super::view::View;
use super::{changes, make, region};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::pipeline::list_header;
use crate::problem::{Problem, ProblemType};
use crate::response::Response;

/// How long an instance takes it that a leaderboard's answers are not kept, in milliseconds.
const UNCACHED_MS: i64 = 1_000;
/// How long those that wait for another instance pause at first, in milliseconds; each pause is twice the one before.
const FIRST_PAUSE_MS: u64 = 4;
/// The longest such pause.
const MAX_PAUSE_MS: u64 = 16;
/// How long they wait in all, in milliseconds.
const MAX_WAIT_MS: i64 = 3_000;

/// Answers a question.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn answer<E: Environment>(
    context: &Context<'_, E>,
    question: Question,
) -> Result<Response, Problem> {
    let asked = Asked {
        name: question.name(),
        question: Rc::new(question),
        context,
    };
    if wants_the_truth(context.headers) {
        return asked.alone(Why::Request).await;
    }
    let changed_until = changes::changed_until(
        context.env,
        &asked.question,
        &asked.name,
        context.now.as_unix_ms(),
    )
    .await;
    let known = context.env.memory().shelf.find(&asked.name);
    if let Some(view) = &known
        && asked.may_have(view)
    {
        match standing(&view.facts, changed_until, context.now) {
            Standing::Fresh(left_ms) => {
                if is_due_early(&view.facts, left_ms, || chance(context.env)) {
                    asked.refresh_later();
                }
                return response(context, view, Told::Hit { left_ms });
            }
            Standing::Stale(over_ms) => {
                asked.refresh_later();
                return response(context, view, Told::Stale { over_ms });
            }
            Standing::Spent | Standing::Gone => {}
        }
    }
    asked.missed(known).await
}

/// Whether a client asks for the store's own answer (RFC 9111, section 5.2.1.4).
fn wants_the_truth(headers: &HeaderMap) -> bool {
    headers.contains_key(CACHE_CONTROL)
        && list_header(headers, CACHE_CONTROL.as_str()).is_some_and(|list| {
            list.split(',')
                .any(|item| item.trim().eq_ignore_ascii_case("no-cache"))
        })
}

/// A number from 0 to 1.
fn chance<E: Environment>(env: &E) -> f64 {
    let [.., a, b, c, d] = env.new_trace_id();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

/// A question and who asks it.
struct Asked<'c, 'a, E> {
    context: &'c Context<'a, E>,
    question: Rc<Question>,
    name: String,
}

impl<E: Environment> Asked<'_, '_, E> {
    fn may_have(&self, view: &View) -> bool {
        view.facts.public || self.context.caller != Caller::Anonymous
    }

    /// There is nothing good in memory.
    async fn missed(&self, known: Option<Rc<View>>) -> Result<Response, Problem> {
        let (env, now) = (self.context.env, self.context.now);
        let shelf = &env.memory().shelf;
        let why = if known.is_some() { Why::Stale } else { Why::Miss };
        let refused = known.as_ref().is_some_and(|view| !self.may_have(view));
        if refused || shelf.is_uncached(place_of(&self.name), now, UNCACHED_MS) {
            return self.alone(why).await;
        }
        if env.memory().outage.known(env.clock()).is_some()
            && let Some(answer) = self.without_store()
        {
            return answer;
        }
        loop {
            if let Some(flight) = shelf.flights.begin(&self.name) {
                return self.fly(flight, why).await;
            }
            if shelf.flights.wait(env, &self.name).await == Waited::InVain {
                return self.alone(why).await;
            }
            if let Some(view) = shelf.find(&self.name)
                && self.may_have(&view)
                && is_good(env, &self.question, &view, now, true).await
            {
                return response(self.context, &view, Told::Collapsed { why });
            }
        }
    }

    /// Fetches it for all who wait.
    async fn fly(&self, flight: Flight, why: Why) -> Result<Response, Problem> {
        let env = self.context.env;
        match fetch(
            env,
            &self.question,
            &self.name,
            &self.context.caller,
            Urgency::Now,
        )
        .await
        {
            Ok(Fetched::Shared(view)) => {
                flight.land();
                response(self.context, &view, Told::Made { why, stored: true })
            }
            Ok(Fetched::Found(view)) => {
                flight.land();
                if !self.may_have(&view) {
                    return self.alone(why).await;
                }
                let now = env.clock();
                let changed_until =
                    changes::changed_until(env, &self.question, &self.name, now.as_unix_ms()).await;
                match standing(&view.facts, changed_until, now) {
                    Standing::Stale(over_ms) => {
                        self.refresh_later();
                        response(self.context, &view, Told::Stale { over_ms })
                    }
                    Standing::Fresh(left_ms) => response(self.context, &view, Told::Nearby { left_ms }),
                    Standing::Spent | Standing::Gone => {
                        response(self.context, &view, Told::Collapsed { why })
                    }
                }
            }
            Ok(Fetched::Own(view, keep)) => self.own(&view, keep, why),
            Ok(Fetched::Nothing) => {
                drop(flight);
                self.alone(why).await
            }
            Err(problem) => {
                drop(flight);
                self.failed(problem)
            }
        }
    }

    /// Asks the store for this request alone.
    async fn alone(&self, why: Why) -> Result<Response, Problem> {
        let env = self.context.env;
        match made(
            env,
            &self.question,
            &self.name,
            &self.context.caller,
            (None, Urgency::Now),
        )
        .await
        {
            Ok(Fetched::Own(view, keep)) => self.own(&view, keep, why),
            Ok(Fetched::Shared(view) | Fetched::Found(view)) => {
                response(self.context, &view, Told::Made { why, stored: true })
            }
            Ok(Fetched::Nothing) => Err(Problem::internal("a view that was made is missing")),
            Err(problem) if why == Why::Request => Err(problem),
            Err(problem) => self.failed(problem),
        }
    }

    /// An answer that nobody else is given.
    fn own(&self, view: &View, keep: Keep, why: Why) -> Result<Response, Problem> {
        match keep {
            Keep::ForNobody => response_to_one(self.context, view),
            Keep::Not => response(self.context, view, Told::Made { why, stored: false }),
        }
    }

    /// The store did not answer, or not with an answer.
    fn failed(&self, problem: Problem) -> Result<Response, Problem> {
        if problem.kind != ProblemType::Unavailable {
            return Err(problem);
        }
        self.without_store().unwrap_or(Err(problem))
    }

    /// What there is to answer with when the store cannot be reached.
    fn without_store(&self) -> Option<Result<Response, Problem>> {
        let env = self.context.env;
        let view = env.memory().shelf.find(&self.name)?;
        // Known changes do not matter here: nothing newer can be had.
        let usable = standing(&view.facts, i64::MAX, env.clock()) != Standing::Gone;
        (usable && self.may_have(&view)).then(|| response(self.context, &view, Told::WithoutStore))
    }

    /// Makes it anew after the response, unless that is under way.
    fn refresh_later(&self) {
        let env = self.context.env;
        if env.memory().outage.known(env.clock()).is_some() {
            return;
        }
        let Some(flight) = env.memory().shelf.flights.begin(&self.name) else {
            return;
        };
        let (own, question, name) = (env.clone(), Rc::clone(&self.question), self.name.clone());
        env.later(async move {
            if let Ok(Fetched::Shared(_) | Fetched::Found(_)) =
                fetch(&own, &question, &name, &Caller::Reader, Urgency::Ahead).await
            {
                flight.land();
            }
        });
    }
}

/// Whether somebody waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A client does.
    Now,
    /// Nobody: when another instance is at it, that is good.
    Ahead,
}

/// Whether an answer is kept for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The leaderboard's answers are not kept.
    Not,
    /// It shows what only this caller sees.
    ForNobody,
}

/// What was fetched.
pub(super) enum Fetched {
    /// Made now, for everybody.
    Shared(Rc<View>),
    /// Made by another instance of the region.
    Found(Rc<View>),
    /// Made now, for this caller.
    Own(Box<View>, Keep),
    /// Another instance is at it.
    Nothing,
}

/// Fetches an answer: the region's, where it is good, or a new one.
pub(super) async fn fetch<E: Environment>(
    env: &E,
    question: &Rc<Question>,
    name: &str,
    caller: &Caller,
    urgency: Urgency,
) -> Result<Fetched, Problem> {
    let began = env.clock();
    if let Some(view) = nearby(env, question, name, began, urgency == Urgency::Now).await {
        return Ok(Fetched::Found(view));
    }
    let give_up_at = began.as_unix_ms() + MAX_WAIT_MS;
    let mut lease = None;
    while question.is_common() && env.clock().as_unix_ms() < give_up_at {
        lease = Lease::take(env, question, name).await;
        if lease.is_none() {
            if urgency == Urgency::Ahead {
                return Ok(Fetched::Nothing);
            }
            wait_for_another(env, question, name).await;
        }
        // Another instance may have finished meanwhile.
        if let Some(view) = nearby(env, question, name, began, false).await {
            if let Some(lease) = lease {
                lease.give_back(env).await;
            }
            return Ok(Fetched::Found(view));
        }
        if lease.is_some() {
            break;
        }
    }
    made(env, question, name, caller, (lease, urgency)).await
}

/// Waits until the instance that has the lease gives it back, or has lost it.
async fn wait_for_another<E: Environment>(env: &E, question: &Question, name: &str) {
    let mut pause_ms = FIRST_PAUSE_MS;
    loop {
        env.pause(pause_ms).await;
        if !Lease::is_taken(env, question, name).await {
            return;
        }
        pause_ms = (2 * pause_ms).min(MAX_PAUSE_MS);
    }
}

/// The region's answer, if it is good.
async fn nearby<E: Environment>(
    env: &E,
    question: &Question,
    name: &str,
    since: Timestamp,
    even_stale: bool,
) -> Option<Rc<View>> {
    let view = Rc::new(region::find(env, question, name).await?);
    env.memory().shelf.remember(Rc::clone(&view));
    is_good(env, question, &view, since, even_stale)
        .await
        .then_some(view)
}

/// Whether an answer is good for a request that came in at `since`: made after that, or still fresh.
async fn is_good<E: Environment>(
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
pub(super) async fn made<E: Environment>(
    env: &E,
    question: &Rc<Question>,
    name: &str,
    caller: &Caller,
    (lease, urgency): (Option<Lease>, Urgency),
) -> Result<Fetched, Problem> {
    let shelf = &env.memory().shelf;
    let asked = match caller {
        Caller::Anonymous => Caller::Anonymous,
        _ => Caller::Reader,
    };
    let view = match make::view(env, question, name, &asked).await {
        Ok(view) => view,
        Err(problem) => {
            if let Some(lease) = lease {
                lease.give_back(env).await;
            }
            if problem.kind == ProblemType::Unavailable {
                let cause = problem.cause.as_deref().unwrap_or_default();
                env.memory().outage.began(env.clock(), cause);
            }
            let hidden = problem.kind == ProblemType::EntryNotFound
                && question.player().is_some_and(|player| caller.sees_hidden(player));
            if !hidden {
                return Err(problem);
            }
            let own = make::view(env, question, name, caller).await?;
            return Ok(Fetched::Own(Box::new(own), Keep::ForNobody));
        }
    };
    env.memory().outage.is_over();
    let uncached = view.facts.lifetime_ms == 0;
    shelf.set_uncached(place_of(name), view.facts.made_at, uncached);
    if uncached {
        if let Some(lease) = lease {
            lease.give_back(env).await;
        }
        return Ok(Fetched::Own(Box::new(view), Keep::Not));
    }
    let view = Rc::new(view);
    shelf.remember(Rc::clone(&view));
    let (own, question, kept) = (env.clone(), Rc::clone(question), Rc::clone(&view));
    let keep = async move {
        region::keep(&own, &question, &kept).await;
        if let Some(lease) = lease {
            lease.give_back(&own).await;
        }
    };
    match urgency {
        Urgency::Now => env.later(keep),
        Urgency::Ahead => keep.await,
    }
    Ok(Fetched::Shared(view))
}
