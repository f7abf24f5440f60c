//! Who somebody is: tokens that issuers sign ([`token`]), tokens that this service signs for players
//! ([`player_token`]), and API keys ([`api_key`]).
//!
//! No I/O, no clock and no randomness: `now` and random bytes are arguments, and fetching the keys of an issuer
//! is the caller's to do.

pub mod api_key;
pub mod hex;
pub mod player_token;
pub mod token;
