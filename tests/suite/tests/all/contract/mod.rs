//! Tests of the contract of the ports, on both stores.

mod around;
mod audit;
mod banned_players;
mod bans;
mod bounded_steps;
mod configurations;
mod counters;
mod dead_letters;
mod distribution;
mod documents;
mod erasures;
mod events;
mod idempotency;
mod pages;
mod periods;
mod queue;
mod quotas;
mod rate_limits;
mod rebuild;
mod refusals;
mod removal;
mod retention;
mod standings;
mod submit;
mod submit_options;
mod ties;
