//! The tests of the local host, in one program. They need the guests of `tests/guests` in `target/functions`,
//! and `redis-server`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failing helper fails the test"
)]

mod http_client;
mod setup;

mod grants;
mod http_limits;
mod instances;
mod manifest_errors;
mod redis_outbound;
mod redis_trigger;
mod routing;
mod start_and_stop;
mod storage;
mod streaming;
