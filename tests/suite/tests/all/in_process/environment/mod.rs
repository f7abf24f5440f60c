//! Runs the service in the process of the test: all functions, with the model as the store, and with a clock
//! that tests move.
//!
//! A [`Region`] has a store, a key-value store, other services and a clock. Its [`Instance`]s answer
//! requests.

mod answer;
mod calls;
mod cases;
mod entry_repair;
mod instance;
mod key_value;
mod operations;
mod records;
mod region;
mod snapshots;
mod standings;
mod store;
mod tokens;
mod transfers;
mod web;

pub(crate) use answer::{Answer, assert_conforms, request};
pub(crate) use cases::run_case;
pub(crate) use instance::Instance;
pub(crate) use key_value::turn;
pub(crate) use region::{BEGIN_S, METRICS_KEY, Region, TOKEN_SECRET};
pub(crate) use tokens::{ISSUER, JWKS, claims, issuer_document, issuer_with_key, jwk, sign, signing_key};
pub(crate) use web::{GONE, Posted};

/// The time after which a change shows in every response of its region, in milliseconds. It is longer than
/// the time until a change is confirmed in the key-value store, plus the time for which an instance uses the
/// changes that it read there.
pub(crate) const SHOWS_AFTER_MS: i64 = 70;

/// How long after a write a leaderboard counts as changing, in milliseconds.
pub(crate) const CHANGES_FOR_MS: i64 = 1_000;
