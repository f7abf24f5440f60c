//! The micro-cache: an instance reuses a finished response for a few milliseconds. The response to a public read depends only on
//! its address, a few headers and the caller's rate limits. Until the instance checks for changes again, every caller with the
//! same request gets the same response. Rate limits are charged and requests are counted as usual. A request goes through the
//! whole pipeline if it has a credential, if its caller has no units left, or if this instance does not know its client.

mod answer;
mod key;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use http::header::HeaderName;
use http::{HeaderValue, StatusCode};

pub use answer::MicroCacheEntry;
pub use key::MicroCacheKey;

use crate::endpoint::Endpoint;
use crate::lines::RawHeaders;
use crate::{PipelineEnvironment, REQUEST_ID, STRICT_TRANSPORT, client_address, is_secure, trace_id};
use leaderboard_rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use leaderboard_telemetry::metrics;

/// The most responses that an instance keeps.
const MAX_ANSWERS: usize = 64;

/// The responses that an instance can reuse.
#[derive(Debug, Default)]
pub struct MicroCache(RefCell<HashMap<MicroCacheKey, Rc<MicroCacheEntry>>>);

impl MicroCache {
    fn find(&self, key: &MicroCacheKey) -> Option<Rc<MicroCacheEntry>> {
        self.0.borrow().get(key).cloned()
    }

    fn keep(&self, key: MicroCacheKey, answer: Rc<MicroCacheEntry>) {
        let mut answers = self.0.borrow_mut();
        if answers.len() >= MAX_ANSWERS {
            // Responses live for milliseconds, so a popular one is back at once.
            answers.clear();
        }
        answers.insert(key, answer);
    }
}

/// A reused response, and the headers that belong to this request alone.
#[derive(Debug)]
pub struct MicroCacheHit {
    /// The shared response.
    pub answer: Rc<MicroCacheEntry>,
    /// The headers of this request alone.
    pub own: Vec<(HeaderName, HeaderValue)>,
}

/// Keeps a response for reuse.
pub fn keep<E: PipelineEnvironment>(env: &E, key: MicroCacheKey, answer: MicroCacheEntry) {
    env.pipeline_state().micro_cache.keep(key, Rc::new(answer));
}

/// Returns the response that the same request got a moment ago, or `None` if this request must go through the whole pipeline.
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
    let (policies, remaining) = answer.charge.charge_again(env, P::FUNCTION, client)?;
    if answer.headers().get(RATE_LIMIT_POLICY) != policies.as_ref() {
        // Other rate limits apply to this caller.
        return None;
    }
    if !answer.shared {
        own.extend(remaining.map(|remaining| (RATE_LIMIT, remaining)));
        let id = HeaderValue::from_str(&trace_id(headers, || env.new_trace_id())).ok()?;
        own.push((REQUEST_ID, id));
    }
    env.counts().count_request(answer.status());
    metrics::schedule_flush(env, P::FUNCTION);
    answer.count();
    Some(MicroCacheHit { answer, own })
}

/// Returns whether a response with this status can be reused.
pub const fn is_repeatable(status: StatusCode) -> bool {
    matches!(status, StatusCode::OK | StatusCode::NOT_MODIFIED)
}
