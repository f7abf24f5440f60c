//! The API over the in-memory model: requests in, whole answers out.

mod leaderboards;
mod messages;
mod pipeline;
mod ranks;
mod scores;
mod service;
mod store;
