//! The metrics of requests.
//!
//! An instance counts its requests and adds the counts to one of 16 slots of the region's key-value store after the response.
//! So metrics cost no call of the store of record.

mod counts;
mod text;

pub use counts::{RequestCounts, SeriesValues, add_to_region, read_region, schedule_flush};
pub use text::{CONTENT_TYPE, format_exposition};
