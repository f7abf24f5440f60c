//! What the ports promise, asked of both stores.

mod around;
mod audit;
mod bans;
mod configurations;
mod counters;
mod counts;
mod documents;
mod events;
mod hiding;
mod ids;
mod letters;
mod metering;
mod pages;
mod periods;
mod quotas;
mod rebuild;
mod refusals;
mod removal;
mod retention;
mod steps;
mod submit;
mod terms;
mod ties;
