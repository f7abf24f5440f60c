//! The micro-cache: an instance reuses a finished response for a few milliseconds. The response to a public read depends only on
//! its address, a few headers and the caller's rate limits. Until the instance checks for changes again, every caller with the
//! same request gets the same response. Rate limits are charged and requests are counted as usual. A request goes through the
//! whole pipeline if it has a credential, if its caller has no units left, or if this instance does not know its client.

mod entry;
mod key;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use http::header::HeaderName;
use http::{HeaderValue, StatusCode};

pub use entry::MicroCacheEntry;
pub use key::MicroCacheKey;

use crate::endpoint::Endpoint;
use crate::lines::RawHeaders;
use crate::{PipelineEnvironment, REQUEST_ID, STRICT_TRANSPORT, client_address, is_secure, trace_id};
use leaderboard_rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use leaderboard_telemetry::metrics;

/// The most responses that an instance keeps.
const MAX_ENTRIES: usize = 64;

/// The responses that an instance can reuse.
#[derive(Debug, Default)]
pub struct MicroCache(RefCell<HashMap<MicroCacheKey, Rc<MicroCacheEntry>>>);

impl MicroCache {
    fn find(&self, key: &MicroCacheKey) -> Option<Rc<MicroCacheEntry>> {
        self.0.borrow().get(key).cloned()
    }

    fn insert(&self, key: MicroCacheKey, entry: Rc<MicroCacheEntry>) {
        let mut entries = self.0.borrow_mut();
        if entries.len() >= MAX_ENTRIES {
            // Responses live for milliseconds, so a popular one is back at once.
            entries.clear();
        }
        entries.insert(key, entry);
    }
}

/// A reused response, and the headers that belong to this request alone.
#[derive(Debug)]
pub struct MicroCacheHit {
    /// The response that the micro-cache has.
    pub entry: Rc<MicroCacheEntry>,
    /// The headers that belong to this request alone.
    pub own_headers: Vec<(HeaderName, HeaderValue)>,
}

/// Stores a finished response, so that equal requests can reuse it.
pub fn store_for_reuse<E: PipelineEnvironment>(env: &E, key: MicroCacheKey, entry: MicroCacheEntry) {
    env.pipeline_state().micro_cache.insert(key, Rc::new(entry));
}

/// Returns the response that the same request got a moment ago, or `None` if this request must go through the whole pipeline.
pub fn find_reusable<P: Endpoint<E>, E: PipelineEnvironment>(
    env: &E,
    key: &MicroCacheKey,
    headers: &RawHeaders,
) -> Option<MicroCacheHit> {
    let entry = env.pipeline_state().micro_cache.find(key)?;
    if env.now() >= entry.until {
        return None;
    }
    let proxies = &env.settings().trusted_proxies;
    let client = client_address(headers, proxies);
    let mut own_headers = Vec::with_capacity(3);
    if is_secure(headers, proxies) {
        own_headers.push(STRICT_TRANSPORT);
    }
    let (policies, remaining) = entry.charge.charge_reuse(env, P::FUNCTION, client)?;
    if entry.headers().get(RATE_LIMIT_POLICY) != policies.as_ref() {
        // Other rate limits apply to this caller.
        return None;
    }
    if !entry.shared {
        own_headers.extend(remaining.map(|remaining| (RATE_LIMIT, remaining)));
        let id = HeaderValue::from_str(&trace_id(headers, || env.new_trace_id())).ok()?;
        own_headers.push((REQUEST_ID, id));
    }
    env.counts().count_request(entry.status());
    metrics::schedule_flush(env, P::FUNCTION);
    entry.count();
    Some(MicroCacheHit { entry, own_headers })
}

/// Returns whether a response with this status can be reused.
pub const fn is_reusable(status: StatusCode) -> bool {
    matches!(status, StatusCode::OK | StatusCode::NOT_MODIFIED)
}
