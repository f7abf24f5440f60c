//! One answer that may be given again.

use std::any::Any;
use std::cell::{Cell, OnceCell};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use leaderboard_core::Timestamp;

use super::is_repeatable;
use crate::{AnonymousCharge, CDN_CACHE_CONTROL, REQUEST_ID, STRICT_TRANSPORT};
use leaderboard_rate_limit::RATE_LIMIT;
use leaderboard_telemetry::LogRecord;

/// A finished answer, without what each request has of its own.
#[derive(Debug)]
pub struct MicroCacheEntry {
    response: Response<Bytes>,
    /// Whether a shared cache may store it: then nobody is told anything of their own.
    pub shared: bool,
    /// When it must be looked at again.
    pub until: Timestamp,
    /// What those are charged with to whom it is given.
    pub terms: AnonymousCharge,
    log: LogRecord,
    /// How often it was given since it was last asked.
    times: Cell<u64>,
    prepared: OnceCell<Box<dyn Any>>,
}

impl MicroCacheEntry {
    /// What of an answer may be given again; `None` when it may not.
    pub fn new(
        (until, terms): (Timestamp, AnonymousCharge),
        response: &Response<Bytes>,
        log: &LogRecord,
    ) -> Option<Self> {
        if !is_repeatable(response.status()) {
            return None;
        }
        let mut response = response.clone();
        let shared = response.headers().contains_key(CDN_CACHE_CONTROL);
        for own in [RATE_LIMIT, REQUEST_ID, STRICT_TRANSPORT.0] {
            response.headers_mut().remove(own);
        }
        Some(Self {
            response,
            shared,
            until,
            terms,
            log: LogRecord {
                trace_id: String::new(),
                request_id: None,
                ..log.clone()
            },
            times: Cell::default(),
            prepared: OnceCell::new(),
        })
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers that all requests are answered with.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.response.body()
    }

    /// What the host has made of the headers; made by `make` the first time. `None` where somebody else has made something else
    /// of them.
    ///
    /// # Errors
    /// What `make` says.
    pub fn prepared<T: 'static, X>(
        &self,
        make: impl FnOnce(&HeaderMap) -> Result<T, X>,
    ) -> Result<Option<&T>, X> {
        if self.prepared.get().is_none() {
            let made = make(self.headers())?;
            // It is empty: nobody else runs.
            let _ = self.prepared.set(Box::new(made));
        }
        Ok(self.prepared.get().and_then(|made| made.downcast_ref()))
    }

    pub fn count(&self) {
        self.times.set(self.times.get().saturating_add(1));
    }

    /// One line for all the times that it was given since the last line; `None` when it was not.
    #[must_use]
    pub fn take_log(&self) -> Option<LogRecord> {
        let times = self.times.take();
        (times > 0).then(|| LogRecord {
            repeated: Some(times),
            ..self.log.clone()
        })
    }
}
