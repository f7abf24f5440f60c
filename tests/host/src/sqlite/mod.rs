//! SQLite databases: `spin:sqlite/sqlite@3.1.0`, one connection per `open` to one file in the state directory.

mod database;
mod host;
mod query;

#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub use database::Connection;

/// Connections that one instance may hold open, as on Spin.
const MAX_CONNECTIONS: usize = 256;
/// The largest row, or result that is not streamed, that a guest gets, as on Spin.
const MAX_ANSWER_BYTES: usize = 128 << 20;
/// The file's name in the state directory, as on Spin.
pub(crate) const FILE_NAME: &str = "sqlite_db.db";
