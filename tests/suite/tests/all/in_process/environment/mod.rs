//! The service in process: every function, on the model as its store, with a clock that tests move.
//!
//! A [`Region`] has a store, a key-value store, other services and a clock. Its [`Instance`]s answer requests.

mod answer;
mod calls;
mod cases;
mod instance;
mod key_value;
mod operations;
mod records;
mod region;
mod store;
mod tokens;
mod web;

pub(crate) use answer::{Answer, assert_described, request};
pub(crate) use cases::run_case;
pub(crate) use instance::Instance;
pub(crate) use key_value::turn;
pub(crate) use region::{BEGIN_S, METRICS_KEY, Region, TOKEN_SECRET};
pub(crate) use tokens::{ISSUER, JWKS, claims, issuer_document, jwk, sign, signing_key};
pub(crate) use web::GONE;

/// How long after a change every reader of a region sees it: two windows, and the time for which an instance uses its memory
/// without a look at the region.
pub(crate) const SHOWS_AFTER_MS: i64 = 70;

/// How long after a change a leaderboard counts as changing.
pub(crate) const CHANGES_FOR_MS: i64 = 1_000;
