//! The API over HTTP, on both stores.

mod around;
mod audit;
mod bad_input;
mod batches;
mod browsers;
mod configuration;
mod crowd;
mod distribution;
mod grants;
mod identity;
mod listing;
mod names;
mod numbers;
mod operations;
mod operators;
mod outage;
mod periods;
mod preconditions;
mod protocol;
mod removal;
mod round_trips;
mod several;
mod snapshots;
mod tenants;
mod ties;
mod versions;
