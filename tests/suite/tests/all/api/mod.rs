//! The API over HTTP, on both stores.

mod around;
mod bad_input;
mod batches;
mod configuration;
mod crowd;
mod distribution;
mod grants;
mod identity;
mod listing;
mod names;
mod numbers;
mod operators;
mod outage;
mod periods;
mod preconditions;
mod protocol;
mod removal;
mod round_trips;
mod several;
mod snapshots;
mod ties;
mod versions;
