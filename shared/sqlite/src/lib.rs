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
//! answered. `NORMAL` would save that flush for each commit (about a millisecond on a common disk), and
//! could lose the last commits when the machine loses power; a lost score costs more.
//!
//! **Ranks** are counted over an index, so a rank in the middle of a long list costs more than one near its
//! top.

mod batch;
mod boards;
mod bulk;
mod configuration;
mod connection;
mod counting;
mod dead_letters;
mod entries;
mod hidden;
mod ids;
mod log;
mod migrate;
mod page;
mod periods;
mod ports;
mod ranking;
mod rebuild;
mod removal;
mod row;
mod sample;
mod schema;
mod standings;
mod store;
mod submit;
mod sweep;
mod tuples;

pub use connection::{Cell, Connection, ConnectionError, Row, Value};
pub use store::SqliteStore;
