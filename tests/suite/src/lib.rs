//! What tests and benchmarks across crates start from: servers of their own, native connections to both stores,
//! and what measures.

mod host_process;
pub mod keep_alive;
pub mod load;
pub mod measure;
pub mod monitor;
pub mod native_redis;
pub mod native_sqlite;
mod redis_server;

pub use host_process::{BENCH_KEY, HostProcess, program, project_root};
pub use redis_server::{RedisServer, free_port};
