//! One response in the micro-cache.

use std::any::Any;
use std::cell::{Cell, OnceCell};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use leaderboard_core::Timestamp;

use super::is_reusable;
use crate::{AnonymousCharge, CDN_CACHE_CONTROL, REQUEST_ID, STRICT_TRANSPORT};
use leaderboard_rate_limit::RATE_LIMIT;
use leaderboard_telemetry::LogRecord;

/// A finished response, without the headers that belong to one request.
#[derive(Debug)]
pub struct MicroCacheEntry {
    response: Response<Bytes>,
    /// Whether a shared cache can store the response. If so, the response has no headers about one caller.
    pub shared: bool,
    /// When the response can no longer be reused.
    pub until: Timestamp,
    /// The charge for each caller that gets the response.
    pub charge: AnonymousCharge,
    log: LogRecord,
    /// How often the response was reused since the last log record.
    times: Cell<u64>,
    prepared: OnceCell<Box<dyn Any>>,
}

impl MicroCacheEntry {
    /// Returns the reusable part of a response, or `None` if the response cannot be reused.
    pub fn new(
        (until, charge): (Timestamp, AnonymousCharge),
        response: &Response<Bytes>,
        log: &LogRecord,
    ) -> Option<Self> {
        if !is_reusable(response.status()) {
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
            charge,
            log: LogRecord {
                trace_id: String::new(),
                request_id: None,
                ..log.clone()
            },
            times: Cell::default(),
            prepared: OnceCell::new(),
        })
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the headers that every caller gets.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.response.body()
    }

    /// Returns the headers in the host's form. The first call creates them with `make`. Returns `None` if an earlier call stored
    /// a value of another type.
    ///
    /// # Errors
    /// The error of `make`.
    pub fn prepared<T: 'static, X>(
        &self,
        make: impl FnOnce(&HeaderMap) -> Result<T, X>,
    ) -> Result<Option<&T>, X> {
        if self.prepared.get().is_none() {
            let made = make(self.headers())?;
            // The cell is empty, because nothing else runs between the look and this call.
            let _ = self.prepared.set(Box::new(made));
        }
        Ok(self.prepared.get().and_then(|made| made.downcast_ref()))
    }

    /// Counts a reuse.
    pub fn count(&self) {
        self.times.set(self.times.get().saturating_add(1));
    }

    /// Returns one log line for all reuses since the last line, or `None` if there were no reuses.
    #[must_use]
    pub fn take_log(&self) -> Option<LogRecord> {
        let times = self.times.take();
        (times > 0).then(|| LogRecord {
            reused: Some(times),
            ..self.log.clone()
        })
    }
}
