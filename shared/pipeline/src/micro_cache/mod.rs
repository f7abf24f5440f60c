//! Answers that are given again. A hit of a public view depends on the address, a few headers and the caller's limits, on
//! nothing else; so for the moment in which an instance would not look for a change either, the finished answer is given to
//! everybody who asks the same. Limits are charged and requests are counted as ever. Whatever is not plain (a credential, a
//! limit that is used up, a client met for the first time) goes the whole way of the pipeline.

mod answer;
mod key;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use http::header::HeaderName;
use http::{HeaderValue, StatusCode};

pub use answer::MicroCacheEntry;
pub use key::{MicroCacheKey, RawHeaders};

use crate::PipelineEnvironment;
use crate::endpoint::Endpoint;
use crate::{REQUEST_ID, STRICT_TRANSPORT, client_address, is_secure, trace_id};
use leaderboard_rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use leaderboard_telemetry::metrics;

/// How many answers an instance remembers.
const MAX_ANSWERS: usize = 64;

/// The answers of an instance that may be given again.
#[derive(Debug, Default)]
pub struct MicroCache(RefCell<HashMap<MicroCacheKey, Rc<MicroCacheEntry>>>);

impl MicroCache {
    fn find(&self, key: &MicroCacheKey) -> Option<Rc<MicroCacheEntry>> {
        self.0.borrow().get(key).cloned()
    }

    fn keep(&self, key: MicroCacheKey, answer: Rc<MicroCacheEntry>) {
        let mut answers = self.0.borrow_mut();
        if answers.len() >= MAX_ANSWERS {
            // They last for milliseconds: what is asked for often is back at once.
            answers.clear();
        }
        answers.insert(key, answer);
    }
}

/// An answer that is given again, and the headers that this request's has of its own.
#[derive(Debug)]
pub struct MicroCacheHit {
    /// What all of them have.
    pub answer: Rc<MicroCacheEntry>,
    /// The request's own.
    pub own: Vec<(HeaderName, HeaderValue)>,
}

/// Keeps an answer, to be given again.
pub fn keep<E: PipelineEnvironment>(env: &E, key: MicroCacheKey, answer: MicroCacheEntry) {
    env.pipeline_state().micro_cache.keep(key, Rc::new(answer));
}

/// The answer to a request that asks what was asked just now; `None`: it must go the whole way.
pub fn repeated<P: Endpoint<E>, E: PipelineEnvironment>(
    env: &E,
    key: &MicroCacheKey,
    headers: &RawHeaders,
) -> Option<MicroCacheHit> {
    let answer = env.pipeline_state().micro_cache.find(key)?;
    if env.now() >= answer.until {
        return None;
    }
    let proxies = &env.settings().trusted_proxies;
    let client = client_address(headers, proxies);
    let mut own = Vec::with_capacity(3);
    if is_secure(headers, proxies) {
        own.push(STRICT_TRANSPORT);
    }
    let (policies, rooms) = answer.terms.again(env, P::FUNCTION, client)?;
    if answer.headers().get(RATE_LIMIT_POLICY) != policies.as_ref() {
        // Somebody to whom other limits apply.
        return None;
    }
    if !answer.shared {
        own.extend(rooms.map(|rooms| (RATE_LIMIT, rooms)));
        let id = HeaderValue::from_str(&trace_id(headers, || env.new_trace_id())).ok()?;
        own.push((REQUEST_ID, id));
    }
    env.counts().count_request(answer.status());
    metrics::schedule_flush(env, P::FUNCTION);
    answer.count();
    Some(MicroCacheHit { answer, own })
}

/// Whether an answer of this status may be given again.
pub const fn is_repeatable(status: StatusCode) -> bool {
    matches!(status, StatusCode::OK | StatusCode::NOT_MODIFIED)
}
