//! Finished answers that are used again: instance memory, then the region's key-value store, then the store.
//!
//! A view is the whole answer to one question in one representation, as an ordinary reader sees it. It carries all that a hit
//! needs to know, so a hit asks nobody for the leaderboard's configuration. Whoever changes a leaderboard marks it in the
//! region ([`changes`]); the mark is looked at every [`MEMORY_TRUST_MS`], and what was made before it is not taken for fresh
//! any more. docs/decisions/0016 tells why.

mod answer;
mod changes;
mod coding;
mod cost;
mod fetch;
mod flight;
mod hidden;
mod known;
mod lease;
mod make;
mod message;
mod name;
mod question;
mod region;
mod request_directives;
mod serve;
mod shelf;
mod standing;
mod view;
mod warm;
mod writers;

pub(crate) use coding::accepts_gzip;
pub(crate) use cost::{units_made_alone, units_of_listed};
pub(crate) use hidden::{answer, refusal};
pub use message::{ChangesError, heard};
pub(crate) use question::{Question, Subject};
pub(crate) use shelf::Shelf;
pub(crate) use writers::{
    changed, deleted, exists, invalidating, made_private, perhaps_submitted, submitted,
};

/// How long an instance uses what it remembers without looking for a change in the region, in milliseconds.
const MEMORY_TRUST_MS: i64 = 20;
