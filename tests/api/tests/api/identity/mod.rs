//! Credentials: API keys, players' tokens, tokens of issuers, over several instances of a region.

mod audit;
mod bad_credentials;
mod bound_tokens;
mod copies;
mod corrections;
mod costs;
mod errors;
mod flags;
mod full_store;
mod issuers;
mod key_sets;
mod keys;
mod own;
mod player_tokens;
pub(crate) mod world;
