//! The API over HTTP, on both stores.

mod around;
mod audit;
mod bad_input;
mod batches;
<<<<<<< HEAD
mod browsers;
=======
mod cache;
>>>>>>> b2ca375 (Changes of leaderboards are heard by every region: functions/cache-events; cached reads in the suite and a benchmark of them; decision 16)
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
