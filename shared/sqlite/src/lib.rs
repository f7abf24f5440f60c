//! The leaderboard ports on SQLite, the embedded default: for up to about 100,000 players a period.
//!
//! The library is generic over a tiny [`Connection`] (one statement a call), so that it runs in a component
//! as well as in a native test.
//!
//! One connection is one transaction scope, and the requests of an instance share it. So every use of the
//! connection holds a lock, writes run in `BEGIN IMMEDIATE`, and a transaction that was abandoned half-way
//! (its request is gone) is rolled back before the next use.
//!
//! **Durability.** The file is in WAL mode with `synchronous = FULL`: a commit is on the disk before it is
//! answered, so no score that was answered is lost when the machine loses power. `NORMAL` would save that
//! flush (0.1 to 6 ms a call, as the disk and its other users are) and could lose the last commits. A call
//! is one commit however many submissions it has, so an import hardly notices.
//!
//! **Ranks** are counted over an index, at some 50 ns an entry, from the top: with 100,000 entries 2 ms in
//! the middle of the list and up to 7 ms at its end, for a rank, a window or a score that wants its rank. A
//! page from the top counts nothing. `examples/measure.rs` repeats these figures.
//!
//! **What is gone** (a deleted leaderboard, an expired period) is out of sight at once, and its rows are
//! deleted a thousand at a time by the calls that write. Buckets of rate limits that are full again, days of usage
//! that are no longer kept and the oldest audit records go in small pieces too.
//!
//! **Rate limits** follow the clock of the machine the file is on, to the millisecond. A charge is on the disk like
//! everything else, in the transaction of the submission that it lets through.

mod audit;
mod bans;
mod batch;
mod boards;
mod bulk;
mod configuration;
mod connection;
mod counters;
mod counting;
mod dead_letters;
mod documents;
mod edge;
mod entries;
mod entries_by_player;
mod expiries;
mod ids;
mod log;
mod migrate;
mod page;
mod periods;
mod ports;
mod queue;
mod ranking;
mod rate_limits;
mod rebuild;
mod removal;
mod retention;
mod row;
mod sample;
mod schema;
mod store;
mod submit;
mod sweep;
mod tuples;
mod usage;

pub use connection::{Cell, Connection, ConnectionError, Row, Value};
pub use store::SqliteStore;
