//! Finished answers that are used again: instance memory, then the region's key-value store, then the store.
//!
//! A view is the whole answer to one question in one representation, as an ordinary reader sees it. It carries all that a hit
//! needs to know, so a hit asks nobody for the leaderboard's configuration. Whoever changes a leaderboard marks it in the
//! region ([`changes`]); the mark is looked at every [`MEMORY_TRUST_MS`], and what was made before it is not taken for fresh
//! any more. docs/decisions/0016 tells why.

mod answer;
mod changes;
mod cost;
mod fetch;
mod flight;
mod hidden;
mod instance_state;
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

use leaderboard_environment::Environment;
use leaderboard_pipeline::PipelineEnvironment;

pub use cost::{units_made_alone, units_of_listed};
pub use hidden::{answer, refusal, respond};
pub use instance_state::InstanceState;
pub use message::{ChangesError, heard};
pub use question::{Question, Subject};
pub use shelf::Shelf;
pub use writers::{changed, deleted, exists, invalidating, made_private, perhaps_submitted, submitted};

/// How long an instance uses what it remembers without looking for a change in the region, in milliseconds.
const MEMORY_TRUST_MS: i64 = 20;

/// An environment whose instance caches responses.
pub trait ResponseEnvironment: PipelineEnvironment + Environment<State: AsRef<Shelf>> {
    /// Returns the memory tier of cached responses.
    fn responses(&self) -> &Shelf {
        self.state().as_ref()
    }
}

impl<E: PipelineEnvironment + Environment<State: AsRef<Shelf>>> ResponseEnvironment for E {}
