//! How long responses about a leaderboard may be cached.

use crate::Invalid;

/// The longest lifetime of a response, in milliseconds: an hour. A change whose announcement was lost is visible after this time.
pub const MAX_LIFETIME_MS: u32 = 60 * 60 * 1000;
/// The longest time for which a response is used after its lifetime while it is fetched again, in milliseconds: an hour.
pub const MAX_STALE_MS: u32 = 60 * 60 * 1000;
/// The longest time for which a response is used while the store is unreachable, in milliseconds: a day.
pub const MAX_STALE_IF_ERROR_MS: u32 = 24 * 60 * 60 * 1000;
/// The most warm responses of a leaderboard.
pub const MAX_WARM_RESPONSES: usize = 8;
/// The most entries of a warm page.
pub const MAX_WARM_LIMIT: u16 = 1000;
/// The most buckets of a warm distribution.
pub const MAX_WARM_BUCKETS: u16 = 100;

/// Which callers fetch a response again, and when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheStrategy {
    /// A reader fetches a response if the cache has no usable one.
    #[default]
    Aside,
    /// As [`Self::Aside`]; a write also fetches the warm responses, right after it.
    WriteThrough,
    /// As [`Self::Aside`]; a reader also fetches a response shortly before the end of its lifetime, at a random time that is
    /// earlier for expensive responses (`XFetch`), and every region fetches the warm responses when it receives an announcement.
    RefreshAhead,
}

/// A response about the current period that is made before it is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarmResponse {
    /// The first page of the list.
    List {
        /// The number of entries, 1 to [`MAX_WARM_LIMIT`].
        limit: u16,
    },
    /// The distribution of scores.
    Distribution {
        /// The number of buckets, 1 to [`MAX_WARM_BUCKETS`].
        buckets: u16,
    },
}

/// How long responses about a leaderboard may be cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    /// How long a response is fresh unless a change is announced, in milliseconds; 0 disables caching.
    pub lifetime_ms: u32,
    /// How long after its lifetime a response is used while it is fetched again, unless a change is announced, in milliseconds.
    pub stale_ms: u32,
    /// How long after its lifetime a response is used, marked as stale, while the store is unreachable, in milliseconds.
    pub stale_if_error_ms: u32,
    /// Which callers fetch a response again, and when.
    pub strategy: CacheStrategy,
    /// The responses that are made before a reader asks for them; at most [`MAX_WARM_RESPONSES`].
    pub warm: Vec<WarmResponse>,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            lifetime_ms: 5_000,
            stale_ms: 5_000,
            stale_if_error_ms: 300_000,
            strategy: CacheStrategy::Aside,
            warm: vec![WarmResponse::List { limit: 10 }],
        }
    }
}

impl CachePolicy {
    /// Returns a fault for each field that is out of its bounds.
    #[must_use]
    pub fn find_faults(&self) -> Vec<Invalid> {
        let mut faults = Vec::new();
        for (pointer, value, max) in [
            ("/lifetime_ms", self.lifetime_ms, MAX_LIFETIME_MS),
            ("/stale_ms", self.stale_ms, MAX_STALE_MS),
            (
                "/stale_if_error_ms",
                self.stale_if_error_ms,
                MAX_STALE_IF_ERROR_MS,
            ),
        ] {
            if value > max {
                faults.push(Invalid::new(pointer, format!("must be at most {max}")));
            }
        }
        if self.warm.len() > MAX_WARM_RESPONSES {
            faults.push(Invalid::new(
                "/warm",
                format!("must name at most {MAX_WARM_RESPONSES} responses"),
            ));
        }
        for (at, response) in self.warm.iter().enumerate() {
            let (field, value, max) = match response {
                WarmResponse::List { limit } => ("limit", *limit, MAX_WARM_LIMIT),
                WarmResponse::Distribution { buckets } => ("buckets", *buckets, MAX_WARM_BUCKETS),
            };
            if value == 0 || value > max {
                faults.push(Invalid::new(
                    format!("/warm/{at}/{field}"),
                    format!("must be 1 to {max}"),
                ));
            }
        }
        faults
    }
}
