//! The way of a question: instance memory, the region, the store.

use std::pin::Pin;
use std::rc::Rc;

use leaderboard_core::access::Caller;

use super::answer::{Told, Why, response};
use super::fetch::{ANY_AGE, Fetched, Urgency, fetch, is_good, made, nearby};
use super::flight::{Ended, Flight, Refusal};
use super::known::can_be_named;
use super::name::with_one_name;
use super::question::{Question, Subject, place_of};
use super::request_directives::wants_the_truth;
use super::standing::{Standing, is_due_early, standing};
use super::view::View;
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

/// Answers a question.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    question: Question,
) -> Result<Response, Problem> {
    context.charge_more(question.units_of_size());
    let question = if question.names_a_period() && can_be_named(context, &question).await? {
        with_one_name(context, question).await
    } else {
        question
    };
    let asked = Asked {
        name: question.name(),
        question: Rc::new(question),
        context,
    };
    if asked.is_of_banned() {
        return asked.picture_of_banned().await;
    }
    if wants_the_truth(context.headers) {
        return asked.missed(Why::Request).await;
    }
    let changed_until = changes::changed_until(
        context.env,
        &asked.question,
        &asked.name,
        context.now.as_unix_ms(),
    )
    .await;
    let Some(view) = context.env.responses().find(&asked.name) else {
        return asked.missed(Why::Miss).await;
    };
    let told = match standing(&view.facts, changed_until, context.now) {
        Standing::Fresh(left_ms) => {
            if is_due_early(&view.facts, left_ms, || chance(context.env)) {
                asked.refresh_later(&view);
            }
            Told::Hit { left_ms }
        }
        Standing::Stale(over_ms) => {
            asked.refresh_later(&view);
            Told::Stale { over_ms }
        }
        Standing::Spent => return asked.missed(Why::Stale).await,
        Standing::Gone => {
            context.env.responses().forget(&asked.name);
            return asked.missed(Why::Stale).await;
        }
    };
    asked.given(&view, told, changed_until).await
}

/// A number from 0 to 1.
fn chance<E: ResponseEnvironment>(env: &E) -> f64 {
    let [.., a, b, c, d] = env.new_trace_id();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

/// A question and who asks it.
struct Asked<'c, 'a, E> {
    context: &'c Context<'a, E>,
    question: Rc<Question>,
    name: String,
}

impl<E: ResponseEnvironment> Asked<'_, '_, E> {
    fn may_have(&self, view: &View) -> bool {
        view.facts.public || self.context.caller != Caller::Anonymous
    }

    /// Charges the caller for whom the store was asked. `is_kept`: whether its answer is one for everybody now.
    fn charge_miss(&self, why: Why, is_kept: bool) {
        let fills_its_place = is_kept && why != Why::Request;
        self.context
            .charge_more(self.question.units_of_a_miss(fills_its_place));
    }

    /// There is nothing good in memory.
    async fn missed(&self, why: Why) -> Result<Response, Problem> {
        let env = self.context.env;
        let memory = env.responses();
        let flights = &memory.flights;
        if memory.is_uncached(place_of(&self.name), self.context.now, UNCACHED_MS) {
            return self.alone(why).await;
        }
        if why != Why::Request
            && circuit_breaker::is_open(env).await
            && let Some(answer) = self.in_an_outage().await
        {
            return answer;
        }
        let mut at_most_ms = if why == Why::Request {
            MAX_WAIT_MS
        } else {
            PATIENCE_MS
        };
        loop {
            if let Some(flight) = flights.begin(&self.name) {
                return self.fly(flight, why).await;
            }
            match flights.wait(env, &self.name, at_most_ms).await {
                Ended::Landed => {
                    if let Some(answer) = self.landed(why).await {
                        return answer;
                    }
                }
                Ended::Refused(refusal) => return self.refused(&refusal, why).await,
                Ended::Unshared => return self.alone(why).await,
                Ended::Late if at_most_ms < MAX_WAIT_MS => {
                    if let Some(answer) = self.without_store(false).await {
                        circuit_breaker::open_as_late(env);
                        return answer;
                    }
                    at_most_ms = MAX_WAIT_MS;
                }
                Ended::Late => return self.alone(why).await,
                // One of those who wait takes over, unless the store is the reason.
                Ended::Failed => {
                    if let Some(error) = env.cache_state().breaker.recent_failure(env.clock()) {
                        return self.failed(Problem::from(error), why).await;
                    }
                }
            }
        }
    }

    /// What another request has fetched, if it is good for this one.
    async fn landed(&self, why: Why) -> Option<Result<Response, Problem>> {
        let (env, now) = (self.context.env, self.context.now);
        let view = env.responses().find(&self.name)?;
        let good = view.facts.made_at.as_unix_ms() >= self.not_before(why)
            && is_good(env, &self.question, &view, now, true).await;
        if good {
            Some(self.given_now(&view, Told::Collapsed { why }).await)
        } else {
            None
        }
    }

    /// When the answer must have been made at the earliest, in milliseconds since the epoch.
    fn not_before(&self, why: Why) -> i64 {
        match why {
            // Within the same millisecond it may have been made before the request came in.
            Why::Request => self.context.now.as_unix_ms() + 1,
            Why::Miss | Why::Stale => ANY_AGE,
        }
    }

    /// Fetches it for all who wait.
    async fn fly(&self, flight: Flight, why: Why) -> Result<Response, Problem> {
        let env = self.context.env;
        let (own, question, name) = (env.clone(), Rc::clone(&self.question), self.name.clone());
        let not_before = self.not_before(why);
        let mut work = Box::pin(async move { fetch(&own, &question, &name, Urgency::Now, not_before).await });
        let fetched = match self.within_patience(work.as_mut(), why).await {
            Ok(fetched) => fetched,
            Err(None) => work.await,
            Err(Some(answer)) => {
                env.later(async move { land(flight, &work.await) });
                return answer;
            }
        };
        if !matches!(fetched, Ok(Fetched::Found(_) | Fetched::Nothing)) {
            self.charge_miss(why, matches!(fetched, Ok(Fetched::Shared(_))));
        }
        match fetched {
            Ok(Fetched::Shared(view)) => {
                flight.end(Ended::Landed);
                self.given_now(&view, Told::Made { why, stored: true }).await
            }
            Ok(Fetched::Found(view)) => {
                flight.end(Ended::Landed);
                self.found(&view, why).await
            }
            Ok(Fetched::Uncached(view)) => {
                flight.end(Ended::Unshared);
                self.given_now(&view, Told::Made { why, stored: false }).await
            }
            Ok(Fetched::Nothing) => {
                drop(flight);
                self.alone(why).await
            }
            Err(refusal) => {
                if refusal.problem.kind == ProblemType::Unavailable {
                    drop(flight);
                } else {
                    flight.end(Ended::Refused(refusal.clone()));
                }
                self.refused(&refusal, why).await
            }
        }
    }

    /// What was fetched while somebody waits who can be given an older answer; else that answer, if there is one.
    async fn within_patience<T>(
        &self,
        work: Pin<&mut impl Future<Output = T>>,
        why: Why,
    ) -> Result<T, Option<Result<Response, Problem>>> {
        let env = self.context.env;
        if why == Why::Request {
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
    async fn alone(&self, why: Why) -> Result<Response, Problem> {
        let env = self.context.env;
        let fetched = made(env, &self.question, &self.name, (None, Urgency::Now)).await;
        self.charge_miss(why, matches!(fetched, Ok(Fetched::Shared(_))));
        match fetched {
            Ok(Fetched::Uncached(view)) => self.given_now(&view, Told::Made { why, stored: false }).await,
            Ok(Fetched::Shared(view) | Fetched::Found(view)) => {
                self.given_now(&view, Told::Made { why, stored: true }).await
            }
            Ok(Fetched::Nothing) => Err(Problem::internal("a view that was made is missing")),
            Err(refusal) => self.refused(&refusal, why).await,
        }
    }

    /// The region's answer.
    async fn found(&self, view: &Rc<View>, why: Why) -> Result<Response, Problem> {
        let env = self.context.env;
        let now = env.clock();
        let changed_until = changes::changed_until(env, &self.question, &self.name, now.as_unix_ms()).await;
        let told = match standing(&view.facts, changed_until, now) {
            Standing::Stale(over_ms) => {
                self.refresh_later(view);
                Told::Stale { over_ms }
            }
            Standing::Fresh(left_ms) => Told::Nearby { left_ms },
            Standing::Spent | Standing::Gone => Told::Collapsed { why },
        };
        self.given(view, told, changed_until).await
    }

    /// An answer, if the caller may have it.
    async fn given(&self, view: &Rc<View>, told: Told, changed_until: i64) -> Result<Response, Problem> {
        if !self.may_have(view) {
            // Whoever made it has just asked the store.
            return Err(match told {
                Told::Made { .. } => Problem::unreadable(&self.context.caller),
                _ => hidden::refusal(self.context, &self.question.leaderboard).await,
            });
        }
        let changing = view.facts.made_at.as_unix_ms() < changed_until;
        response(self.context, &self.question, view, told, changing)
    }

    async fn given_now(&self, view: &Rc<View>, told: Told) -> Result<Response, Problem> {
        let env = self.context.env;
        let now = env.clock().as_unix_ms();
        let changed_until = changes::changed_until(env, &self.question, &self.name, now).await;
        self.given(view, told, changed_until).await
    }

    /// Whether the player who asks may be banned, and so sees another list than everybody else. How scores are spread is
    /// the same for all.
    fn is_of_banned(&self) -> bool {
        let banned = &self.context.knowledge.banned;
        let asks = self.context.caller.own_player();
        !matches!(self.question.subject, Subject::Distribution(_))
            && asks.is_some_and(|own| banned.may_have(own))
    }

    /// The answer for a player who may be banned. It is charged as everybody's first one is: what is left of a limit does not
    /// tell of a ban.
    async fn picture_of_banned(&self) -> Result<Response, Problem> {
        let own = make::view(self.context.env, &self.question, &self.name, &self.context.caller).await;
        let why = if wants_the_truth(self.context.headers) {
            Why::Request
        } else {
            Why::Miss
        };
        self.charge_miss(why, own.as_ref().is_ok_and(|own| own.facts.lifetime_ms > 0));
        self.own(own?, Why::Miss).await
    }

    /// The answer for the one who asks alone: no cache has it.
    async fn own_picture(&self, why: Why) -> Result<Response, Problem> {
        let own = make::view(self.context.env, &self.question, &self.name, &self.context.caller).await?;
        self.own(own, why).await
    }

    /// An answer for the one who asks alone, told like any other.
    async fn own(&self, own: View, why: Why) -> Result<Response, Problem> {
        // It looks like any other: a banned player is not told.
        self.given_now(&Rc::new(own), Told::Made { why, stored: true })
            .await
    }

    /// The store did not answer, or not with an answer.
    async fn refused(&self, refusal: &Refusal, why: Why) -> Result<Response, Problem> {
        let caller = &self.context.caller;
        match refusal.problem.kind {
            ProblemType::Unavailable => self.failed(refusal.problem.clone(), why).await,
            ProblemType::EntryNotFound
                if self
                    .question
                    .player()
                    .is_some_and(|player| caller.sees_banned(player)) =>
            {
                self.own_picture(why).await
            }
            _ => Err(refusal.told(caller)),
        }
    }

    /// The store cannot be reached.
    async fn failed(&self, problem: Problem, why: Why) -> Result<Response, Problem> {
        let env = self.context.env;
        if why == Why::Request {
            return Err(problem);
        }
        if env.responses().find(&self.name).is_none() {
            // The region may have failed to answer when it was asked first.
            let since = (self.context.now, ANY_AGE);
            nearby(env, &self.question, &self.name, since, true).await;
        }
        self.without_store(true).await.unwrap_or(Err(problem))
    }

    /// The store could not be reached a moment ago: what there is to answer with at once. Whether it is back is found out after
    /// the response.
    async fn in_an_outage(&self) -> Option<Result<Response, Problem>> {
        let (env, now) = (self.context.env, self.context.now);
        if let Some(view) = nearby(env, &self.question, &self.name, (now, ANY_AGE), true).await {
            return Some(self.found(&view, Why::Stale).await);
        }
        let answer = self.without_store(false).await?;
        if let Some(view) = env.responses().find(&self.name) {
            self.refresh_later(&view);
        }
        Some(answer)
    }

    /// What there is to answer with when the store cannot be reached.
    async fn without_store(&self, asked: bool) -> Option<Result<Response, Problem>> {
        let env = self.context.env;
        let view = env.responses().find(&self.name)?;
        // Scores that were taken in since do not matter here: nothing newer can be had.
        let usable = standing(&view.facts, i64::MAX, env.clock()) != Standing::Gone && self.may_have(&view);
        if !usable || changes::is_void(env, &self.question, &self.name, view.facts.made_at).await {
            return None;
        }
        Some(self.given(&view, Told::WithoutStore { asked }, i64::MIN).await)
    }

    /// Makes a view anew after the response, unless that is under way; while the breaker is open, once the store has given a sign
    /// of life.
    fn refresh_later(&self, known: &View) {
        let env = self.context.env;
        let Some(flight) = env.responses().flights.begin(&self.name) else {
            return;
        };
        let (own, question, name) = (env.clone(), Rc::clone(&self.question), self.name.clone());
        let not_before = known.facts.made_at.as_unix_ms() + 1;
        env.later(async move {
            if !circuit_breaker::is_open(&own).await || circuit_breaker::probe(&own).await {
                land(
                    flight,
                    &fetch(&own, &question, &name, Urgency::Ahead, not_before).await,
                );
            }
        });
    }
}

/// Tells those who wait how a fetch ended that no request waits for.
fn land(flight: Flight, fetched: &Result<Fetched, Refusal>) {
    match fetched {
        Ok(Fetched::Shared(_) | Fetched::Found(_)) => flight.end(Ended::Landed),
        Ok(Fetched::Uncached(_)) => flight.end(Ended::Unshared),
        Ok(Fetched::Nothing) | Err(_) => drop(flight),
    }
}
