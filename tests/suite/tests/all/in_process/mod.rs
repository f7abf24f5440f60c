//! The service in process: what takes a moved clock, a store that fails, counted calls or damaged key-value content.

mod audit;
mod bodies;
mod browsers;
mod caching;
mod credentials;
mod dead_letters;
pub(crate) mod environment;
mod flags;
mod leaderboards;
mod messages;
mod old_schedules;
mod operations;
mod periods;
mod pipeline;
mod preconditions;
mod rate_limits;
mod readiness;
mod versions;
