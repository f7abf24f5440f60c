//! Credentials and what they are verified with: API keys by their records, tokens by the keys of their issuers.

mod index;
pub(crate) mod issuers;
mod key_sets;
pub(crate) mod keys;
mod meant;
mod nearby;
mod player_tokens;
mod tokens;

pub(crate) use index::digest;
pub(crate) use key_sets::KeySets;
pub(crate) use meant::KnownIssuers;
pub use player_tokens::PlayerTokens;
pub(crate) use tokens::{Tokens, identity as of_token};
