//! Credentials: API keys, players' tokens, tokens of issuers, over several instances of a region.

mod audit;
mod bad_credentials;
mod copies;
mod flags;
mod issuers;
mod key_sets;
mod keys;
mod player_tokens;
mod world;
