//! How long finished answers about a leaderboard may be used again.

use crate::Invalid;

/// The longest lifetime of a finished answer, in milliseconds: an hour. A change that nobody heard of shows after that.
pub const MAX_LIFETIME_MS: u32 = 60 * 60 * 1000;
/// The longest time that an answer past its lifetime is used while it is made anew, in milliseconds: an hour.
pub const MAX_STALE_MS: u32 = 60 * 60 * 1000;
/// The longest time that an answer is used because the store cannot be reached, in milliseconds: a day.
pub const MAX_STALE_IF_ERROR_MS: u32 = 24 * 60 * 60 * 1000;
/// The most answers that are made before anybody asks.
pub const MAX_WARM_VIEWS: usize = 8;
/// The most entries of a warm page.
pub const MAX_WARM_LIMIT: u16 = 1000;
/// The most buckets of a warm distribution.
pub const MAX_WARM_BUCKETS: u16 = 100;

/// Who makes an answer anew, and when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheStrategy {
    /// Whoever asks when there is none that is good.
    #[default]
    Aside,
    /// Also the writer, right after its write: the warm ones.
    WriteThrough,
    /// Also a reader shortly before the end, by chance the sooner the longer it takes (`XFetch`), and every region that
    /// hears of a change: the warm ones.
    RefreshAhead,
}

/// An answer about the current period that is worth making before anybody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarmView {
    /// The list from the top.
    List {
        /// How many entries, 1 to [`MAX_WARM_LIMIT`].
        limit: u16,
    },
    /// How scores are spread.
    Distribution {
        /// How many buckets, 1 to [`MAX_WARM_BUCKETS`].
        buckets: u16,
    },
}

/// How long finished answers about a leaderboard may be used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    /// How long an answer is fresh while no change is known, in milliseconds; 0: none is kept.
    pub lifetime_ms: u32,
    /// How much longer one is used, while no change is known, as it is made anew, in milliseconds.
    pub stale_ms: u32,
    /// How much longer than its lifetime one is used, marked as stale, while the store cannot be reached, in
    /// milliseconds.
    pub stale_if_error_ms: u32,
    /// Who makes one anew.
    pub strategy: CacheStrategy,
    /// What is made before anybody asks; at most [`MAX_WARM_VIEWS`].
    pub warm: Vec<WarmView>,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            lifetime_ms: 5_000,
            stale_ms: 5_000,
            stale_if_error_ms: 300_000,
            strategy: CacheStrategy::Aside,
            warm: vec![WarmView::List { limit: 10 }],
        }
    }
}

impl CachePolicy {
    /// Every field that is out of its bounds.
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
        if self.warm.len() > MAX_WARM_VIEWS {
            faults.push(Invalid::new(
                "/warm",
                format!("must name at most {MAX_WARM_VIEWS} views"),
            ));
        }
        for (at, view) in self.warm.iter().enumerate() {
            let (field, value, max) = match view {
                WarmView::List { limit } => ("limit", *limit, MAX_WARM_LIMIT),
                WarmView::Distribution { buckets } => ("buckets", *buckets, MAX_WARM_BUCKETS),
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
