//! The metrics of requests.
//!
//! An instance counts its requests. After the response, it adds the counts to one of 16 slots of the region's key-value store. So
//! metrics do not need a call of the leaderboard store.

mod counts;
mod text;

pub use counts::{RequestCounts, SeriesValues, add_to_region, read_region, schedule_flush};
pub use text::{CONTENT_TYPE, format_exposition};
