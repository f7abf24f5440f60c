//! What tests across crates start from: servers of their own, and native connections to both stores.

pub mod native_redis;
pub mod native_sqlite;
mod redis_server;

pub use redis_server::{RedisServer, free_port};
