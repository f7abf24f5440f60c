//! Makes an HTTP response of a cache entry: selects the coding, checks preconditions, and sets the headers for caches.

use std::rc::Rc;

use http::header::{self, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue, StatusCode};

use leaderboard_core::access::Caller;

use super::cache_entry::CacheEntry;
use super::cache_key::CacheKey;
use super::{invalidation, key_value_tier};
use crate::ResponseEnvironment;
use leaderboard_api::{IF_MATCH, Preconditions, Problem, Response, precondition_failed};
use leaderboard_pipeline::{CDN_CACHE_CONTROL, Coding, Context};

/// The header that says what this cache did for the request (RFC 9211).
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// The header that names the groups of this response, by which a cache invalidates it (RFC 9875).
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");

/// The header by which a request without a credential names its tenant.
const TENANT_HEADER: &str = "x-tenant-id";

/// Why the cache did not answer (RFC 9211, section 2.2: the values of `fwd`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissReason {
    /// The cache has no entry.
    Miss,
    /// The cache has an entry, and the entry is not usable.
    Stale,
    /// The request has `Cache-Control: no-cache`.
    Request,
}

impl MissReason {
    const fn as_fwd_value(self) -> &'static str {
        match self {
            Self::Miss => "uri-miss",
            Self::Stale => "stale",
            Self::Request => "request",
        }
    }
}

/// What the cache did for a request; the content of `Cache-Status` (RFC 9211).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheStatus {
    /// The entry was in the memory tier.
    Hit {
        /// How long the entry stays fresh, in milliseconds.
        left_ms: i64,
    },
    /// The entry was in the key-value tier.
    KeyValueHit {
        /// How long the entry stays fresh, in milliseconds.
        left_ms: i64,
    },
    /// The entry is stale and is fetched again after the response (RFC 5861, `stale-while-revalidate`).
    Stale {
        /// How long the entry has been stale, in milliseconds.
        over_ms: i64,
    },
    /// The store was asked for this request.
    Fetched {
        /// Why the cache did not answer.
        reason: MissReason,
        /// Whether the cache stored the entry.
        stored: bool,
    },
    /// Another request asked the store, and this one waited for it.
    Collapsed {
        /// Why the cache did not answer.
        reason: MissReason,
    },
    /// The entry is stale, and the store is out of reach (RFC 5861, `stale-if-error`).
    StaleIfError {
        /// Whether the store was asked for this response.
        store_was_asked: bool,
    },
}

impl CacheStatus {
    /// Returns the value of `Cache-Status` for an entry of this age and lifetime, both in milliseconds.
    fn format_header(self, age_ms: i64, lifetime_ms: u32) -> Option<HeaderValue> {
        let text = match self {
            Self::Hit { left_ms } => format!("edgeboard; hit; ttl={}", left_ms / 1000),
            Self::KeyValueHit { left_ms } => format!("edgeboard; hit; ttl={}; detail=region", left_ms / 1000),
            Self::Stale { over_ms } => {
                format!(
                    "edgeboard; hit; ttl={}; detail=stale-while-revalidate",
                    -(over_ms / 1000) - 1
                )
            }
            Self::Fetched { reason, stored } => {
                let stored = if stored { "; stored" } else { "" };
                format!("edgeboard; fwd={}{stored}", reason.as_fwd_value())
            }
            Self::Collapsed { reason } => format!("edgeboard; fwd={}; collapsed", reason.as_fwd_value()),
            Self::StaleIfError {
                store_was_asked: true,
            } => "edgeboard; fwd=stale; fwd-status=503; detail=stale-if-error".to_owned(),
            Self::StaleIfError {
                store_was_asked: false,
            } => {
                let left_ms = (i64::from(lifetime_ms) - age_ms).min(0);
                format!("edgeboard; hit; ttl={}; detail=stale-if-error", left_ms / 1000)
            }
        };
        HeaderValue::try_from(text).ok()
    }
}

/// Returns the response to a request: 200 with the entry's body, or 304 if the client has that body. `changing` says whether the
/// leaderboard has changed, or may have changed, since the entry was fetched.
///
/// # Errors
/// 400 for a malformed header, 406 if the client accepts no available coding, 412 if `If-Match` does not match.
pub(crate) fn build_response<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: &Rc<CacheKey>,
    entry: &Rc<CacheEntry>,
    status: CacheStatus,
    changing: bool,
) -> Result<Response, Problem> {
    let (mut response, newly_encoded) = select_representation(context, entry)?;
    let headers = &mut response.headers;
    let same_for_all = entry.metadata.public && key.is_same_for_all_callers();
    let public = same_for_all && is_storable_by_cdn(context);
    let control = if public { "no-cache" } else { "private, no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(control));
    if public {
        let cdn = match status {
            CacheStatus::StaleIfError { .. } | CacheStatus::Fetched { stored: false, .. } => {
                HeaderValue::from_static("no-store")
            }
            _ if changing => entry.cdn_cache_control_while_changing.clone(),
            _ => entry.cdn_cache_control.clone(),
        };
        headers.insert(CDN_CACHE_CONTROL, cdn);
        headers.insert(CACHE_GROUPS, entry.cache_groups.clone());
    }
    let age_ms = (context.env.clock().as_unix_ms() - entry.metadata.fetched_at.as_unix_ms()).max(0);
    if !matches!(status, CacheStatus::Fetched { .. }) {
        // Rounded up, so that no cache assumes that the response is younger than it is.
        headers.insert(AGE, HeaderValue::from(age_ms.unsigned_abs().div_ceil(1000)));
        if newly_encoded {
            store_encoded_body_later(context.env, key, entry);
        }
    }
    // The micro-cache charges one unit for a response, so it must not hold a page that costs more.
    let may_reuse = same_for_all && is_identified_by_url(context) && key.units_of_size() == 0;
    if let (CacheStatus::Hit { left_ms }, true) = (status, may_reuse) {
        // `Age` must stay true, so the reuse ends when the age reaches the next second.
        let left_ms = left_ms.min(1000 - age_ms % 1000);
        response.reuse_until = invalidation::find_reuse_end(context.env, entry, left_ms);
    }
    if let Some(value) = status.format_header(age_ms, entry.metadata.lifetime_ms) {
        headers.insert(CACHE_STATUS, value);
    }
    Ok(response)
}

/// Returns whether a CDN may store the response. It may if its cache key contains everything that the response depends on.
fn is_storable_by_cdn<E: ResponseEnvironment>(context: &Context<'_, E>) -> bool {
    let settings = context.env.settings();
    let in_cache_key = settings.cdn_key_headers.tell_apart(
        context.tenant_in_address,
        &settings.cors_origins,
        context.accepted.integers,
    );
    in_cache_key && context.version_in_path && context.caller == Caller::Anonymous
}

/// Returns whether the response depends only on the URL.
fn is_identified_by_url<E: ResponseEnvironment>(context: &Context<'_, E>) -> bool {
    context.version_in_path
        && context.caller == Caller::Anonymous
        && !context.headers.contains_key(TENANT_HEADER)
}

/// Stores an entry with a newly encoded body in the key-value tier, after the response. An entry that has just been fetched is
/// stored after the response anyway, with this body.
fn store_encoded_body_later<E: ResponseEnvironment>(env: &E, key: &Rc<CacheKey>, entry: &Rc<CacheEntry>) {
    let (own_env, key, entry) = (env.clone(), Rc::clone(key), Rc::clone(entry));
    env.later(async move {
        key_value_tier::store_encoded_body(&own_env, &key, &entry).await;
    });
}

/// Returns the body in the coding that the client prefers, with its ETag, and whether the body was encoded for this request.
fn select_representation<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    entry: &CacheEntry,
) -> Result<(Response, bool), Problem> {
    let coding = Coding::accepted(context.headers, entry.body.len())?;
    let etag = entry.etag(coding);
    if context.headers.contains_key(IF_NONE_MATCH) || context.headers.contains_key(header::IF_MATCH) {
        let preconditions = Preconditions::of(context.headers)?;
        let current = etag.to_str().unwrap_or_default().trim_matches('"');
        if !preconditions.match_holds_for(Some(current)) {
            return Err(precondition_failed(IF_MATCH, Some(current)));
        }
        if !preconditions.none_match_holds_for(Some(current)) {
            let mut response = Response::empty(StatusCode::NOT_MODIFIED);
            response.headers.insert(ETAG, etag.clone());
            return Ok((response, false));
        }
    }
    let mut response = Response::empty(StatusCode::OK);
    response.headers.reserve(16);
    let (body, newly_encoded) = entry.encode_body(coding);
    response.body = body;
    response.headers.insert(ETAG, etag.clone());
    let media = HeaderValue::from_static(context.accepted.media_type.as_str());
    response.headers.insert(CONTENT_TYPE, media);
    if let Some(coding) = coding.name() {
        response
            .headers
            .insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Ok((response, newly_encoded))
}
