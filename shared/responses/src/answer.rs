//! An answer as HTTP: what of it is sent, and what caches on the way are told.

use std::rc::Rc;

use http::header::{self, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue, StatusCode};

use leaderboard_core::access::Caller;

use super::cache_entry::CacheEntry;
use super::cache_key::CacheKey;
use super::changes;
use super::region;
use crate::ResponseEnvironment;
use leaderboard_api::Problem;
use leaderboard_api::Response;
use leaderboard_api::{IF_MATCH, Preconditions, precondition_failed};
use leaderboard_pipeline::CDN_CACHE_CONTROL;
use leaderboard_pipeline::Coding;
use leaderboard_pipeline::Context;

/// RFC 9211: what this cache did.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// RFC 9875: what an answer is dropped together with.
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");

/// By which a request without a credential says whose leaderboards it means.
const TENANT_HEADER: &str = "x-tenant-id";

/// MissReason the store was request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissReason {
    /// There was no answer.
    Miss,
    /// There was none that was good.
    Stale,
    /// The client wanted it so.
    Request,
}

impl MissReason {
    const fn forwarded(self) -> &'static str {
        match self {
            Self::Miss => "uri-miss",
            Self::Stale => "stale",
            Self::Request => "request",
        }
    }
}

/// What is told of how an answer came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheStatus {
    /// It was in memory, and is good for so long.
    Hit {
        /// In milliseconds.
        left_ms: i64,
    },
    /// It was in the region, and is good for so long.
    RegionHit {
        /// In milliseconds.
        left_ms: i64,
    },
    /// It is being made anew.
    Stale {
        /// For how long it has not been fresh, in milliseconds.
        over_ms: i64,
    },
    /// The store was request.
    Fetched {
        /// MissReason.
        reason: MissReason,
        /// Whether the answer was kept.
        stored: bool,
    },
    /// Another request request the store.
    Collapsed {
        /// MissReason this one would have.
        reason: MissReason,
    },
    /// The store cannot be reached.
    StaleIfError {
        /// Whether the store was asked for this response.
        store_was_asked: bool,
    },
}

impl CacheStatus {
    /// As in `Cache-Status`, of an answer that is so old.
    fn status(self, age_ms: i64, lifetime_ms: u32) -> Option<HeaderValue> {
        let text = match self {
            Self::Hit { left_ms } => format!("edgeboard; hit; ttl={}", left_ms / 1000),
            Self::RegionHit { left_ms } => format!("edgeboard; hit; ttl={}; detail=region", left_ms / 1000),
            Self::Stale { over_ms } => {
                format!(
                    "edgeboard; hit; ttl={}; detail=stale-while-revalidate",
                    -(over_ms / 1000) - 1
                )
            }
            Self::Fetched { reason, stored } => {
                let stored = if stored { "; stored" } else { "" };
                format!("edgeboard; fwd={}{stored}", reason.forwarded())
            }
            Self::Collapsed { reason } => format!("edgeboard; fwd={}; collapsed", reason.forwarded()),
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

/// The answer to a request, or 304 when the client has it already. `changing`: the leaderboard changed since it was made, or may
/// have.
///
/// # Errors
/// 400 for headers that cannot be read, 406 for codings that are not there, 412 for `If-Match`.
pub(crate) fn response<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: &Rc<CacheKey>,
    entry: &Rc<CacheEntry>,
    told: CacheStatus,
    changing: bool,
) -> Result<Response, Problem> {
    let (mut response, coded) = represented(context, entry)?;
    let headers = &mut response.headers;
    let anybodys = entry.metadata.public && key.is_the_same_for_all();
    let public = anybodys && may_be_shared(context);
    let control = if public { "no-cache" } else { "private, no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(control));
    if public {
        let cdn = match told {
            CacheStatus::StaleIfError { .. } | CacheStatus::Fetched { stored: false, .. } => {
                HeaderValue::from_static("no-store")
            }
            _ if changing => entry.cdn_changing.clone(),
            _ => entry.cdn.clone(),
        };
        headers.insert(CDN_CACHE_CONTROL, cdn);
        headers.insert(CACHE_GROUPS, entry.groups.clone());
    }
    let age_ms = (context.env.clock().as_unix_ms() - entry.metadata.made_at.as_unix_ms()).max(0);
    if !matches!(told, CacheStatus::Fetched { .. }) {
        // A part of a second counts as one: no cache may take it for younger than it is.
        headers.insert(AGE, HeaderValue::from(age_ms.unsigned_abs().div_ceil(1000)));
        if coded {
            complete_later(context.env, key, entry);
        }
    }
    // What is given again costs one unit, so a large page is not.
    let micro_cache = anybodys && is_told_by_the_address(context) && key.units_of_size() == 0;
    if let (CacheStatus::Hit { left_ms }, true) = (told, micro_cache) {
        // Not beyond the second that its age is told in.
        let left_ms = left_ms.min(1000 - age_ms % 1000);
        response.reuse_until = changes::trusted_until(context.env, entry, left_ms);
    }
    if let Some(status) = told.status(age_ms, entry.metadata.lifetime_ms) {
        headers.insert(CACHE_STATUS, status);
    }
    Ok(response)
}

/// Whether the cache key of a shared cache tells what is answered.
fn may_be_shared<E: ResponseEnvironment>(context: &Context<'_, E>) -> bool {
    let settings = context.env.settings();
    let apart = settings.cdn_key_headers.tell_apart(
        context.tenant_in_address,
        &settings.cors_origins,
        context.accepted.integers,
    );
    apart && context.version_in_path && context.caller == Caller::Anonymous
}

/// Whether the address tells this instance what is answered.
fn is_told_by_the_address<E: ResponseEnvironment>(context: &Context<'_, E>) -> bool {
    context.version_in_path
        && context.caller == Caller::Anonymous
        && !context.headers.contains_key(TENANT_HEADER)
}

/// Gives the region a body in a coding that it does not have. One that is just being kept has it.
fn complete_later<E: ResponseEnvironment>(env: &E, key: &Rc<CacheKey>, entry: &Rc<CacheEntry>) {
    let (own, key, entry) = (env.clone(), Rc::clone(key), Rc::clone(entry));
    env.later(async move {
        region::complete(&own, &key, &entry).await;
    });
}

/// The body in the coding that the client likes best, with its tag; and whether it was coded just now.
fn represented<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    entry: &CacheEntry,
) -> Result<(Response, bool), Problem> {
    let coding = Coding::accepted(context.headers, entry.body.len())?;
    let tag = entry.tag(coding);
    if context.headers.contains_key(IF_NONE_MATCH) || context.headers.contains_key(header::IF_MATCH) {
        let preconditions = Preconditions::of(context.headers)?;
        let own = tag.to_str().unwrap_or_default().trim_matches('"');
        if !preconditions.match_holds_for(Some(own)) {
            return Err(precondition_failed(IF_MATCH, Some(own)));
        }
        if !preconditions.none_match_holds_for(Some(own)) {
            let mut response = Response::empty(StatusCode::NOT_MODIFIED);
            response.headers.insert(ETAG, tag.clone());
            return Ok((response, false));
        }
    }
    let mut response = Response::empty(StatusCode::OK);
    response.headers.reserve(16);
    let (body, coded) = entry.body(coding);
    response.body = body;
    response.headers.insert(ETAG, tag.clone());
    let media = HeaderValue::from_static(context.accepted.media_type.as_str());
    response.headers.insert(CONTENT_TYPE, media);
    if let Some(coding) = coding.name() {
        response
            .headers
            .insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Ok((response, coded))
}
