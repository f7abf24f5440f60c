//! What tests and benchmarks across crates start from: servers of their own, native connections to both stores,
//! and what measures.

mod host_process;
pub mod keep_alive;
pub mod load;
pub mod measure;
pub mod monitor;

pub use host_process::{BENCH_KEY, HostProcess, program};
pub use leaderboard_test_support::{RedisServer, free_port, native_redis, native_sqlite, project_root};
