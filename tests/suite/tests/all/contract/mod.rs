//! What the ports promise, asked of both stores.

mod around;
mod configurations;
mod counts;
mod events;
mod hiding;
mod ids;
mod letters;
mod pages;
mod periods;
mod rebuild;
mod refusals;
mod removal;
mod submit;
