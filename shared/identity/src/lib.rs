//! Credentials: tokens that issuers sign ([`token`]), tokens that this service signs for players ([`player_token`]), tickets for
//! streams of live updates ([`live_ticket`]), API keys ([`api_key`]), and the secrets that sign webhooks ([`webhook_secret`]).
//!
//! This crate has no I/O, no clock and no randomness: `now` and random bytes are arguments, and callers fetch the keys of issuers.

pub mod api_key;
pub mod hex;
pub mod live_ticket;
pub mod player_token;
pub mod token;
pub mod webhook_secret;
