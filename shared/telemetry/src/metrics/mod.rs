//! What is counted of requests, and how metrics are shown.
//!
//! Counts are of the region: they are gathered in the instance, added to one of a few slots of the region's key-value store
//! after the response, and never cost a call of the store.

mod counts;
mod text;

pub use counts::{Counted, Counts, keep, pass_on, region};
pub use text::{CONTENT_TYPE, exposition};
