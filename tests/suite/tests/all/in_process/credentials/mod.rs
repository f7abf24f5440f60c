//! Credentials: API keys, players' tokens, tokens of issuers, over several instances of a region.

mod audit;
mod bound_tokens;
mod cached_records;
mod corrections;
mod costs;
mod full_store;
mod issuers;
mod key_sets;
mod keys;
mod own_entries;
mod player_tokens;
