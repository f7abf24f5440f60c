//! Tests of the service in process: they move the clock, make the store fail, count calls or damage the
//! values of the key-value store.

mod audit;
mod bodies;
mod browsers;
mod caching;
mod credentials;
mod dead_letters;
mod drain;
pub(crate) mod environment;
mod erasures;
mod flags;
mod leaderboards;
mod live;
mod messages;
mod old_schedules;
mod operations;
mod periods;
mod pipeline;
mod preconditions;
mod queue;
mod rate_limits;
mod readiness;
mod regions;
mod standings;
mod versions;
mod webhooks;
