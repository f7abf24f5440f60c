//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::config::{self, HostConfig, Limits, ReuseConfig};
use crate::engine::shared_directory;
use crate::logging::LogFormat;
use crate::range::{OneOf, parse_count, parse_duration, parse_durations};
use crate::variables::VariableSource;

const AFTER_HELP: &str = "\
What Spin does and this host does not:
  - components of an older WASI or Spin interface than wasi:http 0.3.0 and spin-sdk 7; Wagi; middleware;
    dependencies between components; inline components; remote component sources; file patterns
  - MySQL, PostgreSQL, MQTT, LLM, wasi:keyvalue, wasi:config, wasi:otel
  - runtime configuration files: only the store and the database \"default\" exist, both in the state directory
  - variable providers other than the command line and the environment; a .env file
  - TLS for clients, OpenTelemetry export, watching and building

What this host does and Spin does not:
  - limits on a request's body, header fields, head and time to send them, on a guest's memory and on how long it
    runs without waiting, on requests in flight and on connections
  - TCP_NODELAY; a graceful stop; an answer of 503 when there is no room for another instance
  - when the server of the Redis trigger goes away it connects again (Spin's trigger ends, and the process with it);
    an empty address switches the Redis trigger off
  - guests of one thread share one Redis connection per address, as long as no command needs its own
  - compiled components are kept on disk, at most 1 GiB of them, each for 30 days after its last use

LEADERBOARD_HOST_LOG chooses what is logged, for example info,leaderboard_host=debug.";

/// Runs the components of a spin.toml on Wasmtime, without Spin.
#[derive(Debug, Parser)]
#[command(name = "leaderboard-host", version, after_long_help = AFTER_HELP, after_help = AFTER_HELP)]
pub struct Cli {
    /// The manifest.
    #[arg(long, short = 'f', alias = "from", default_value = "spin.toml")]
    manifest: PathBuf,
    /// Where to listen for HTTP; port 0 takes a free one.
    #[arg(long, env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The directory of the key-value and SQLite files.
    #[arg(long, default_value = ".edgeboard")]
    state_dir: PathBuf,
    /// The directory of compiled components, which all state directories share [default: edgeboard/compiled in
    /// $XDG_CACHE_HOME or ~/.cache; without a home `compiled` in the state directory].
    #[arg(long)]
    cache_dir: Option<PathBuf>,
    /// Sets application variables; wins over SPIN_VARIABLE_NAME of the environment. Repeatable.
    #[arg(
        long = "variable",
        value_name = "NAME=VALUE | NAME=@FILE | @FILE.json | @FILE.toml"
    )]
    variables: Vec<VariableSource>,
    /// Runs only this component. Repeatable.
    #[arg(long = "only", short = 'c', alias = "component-id", value_name = "COMPONENT")]
    only: Vec<String>,
    /// Threads, each with its own event loop; 0 is one per core.
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// How log lines on standard error look: json or text.
    #[arg(long, default_value = "text")]
    log_format: LogFormat,

    /// Requests per instance, a number or a range such as 1..8.
    #[arg(long, value_parser = parse_count, default_value = "128")]
    max_instance_reuse_count: OneOf<usize>,
    /// Requests per instance at a time, a number or a range.
    #[arg(long, value_parser = parse_count, default_value = "16")]
    max_instance_concurrent_reuse_count: OneOf<usize>,
    /// How long an idle instance is kept, a duration or a range.
    #[arg(long, value_parser = parse_durations, default_value = "1s")]
    idle_instance_timeout: OneOf<Duration>,
    /// How long a request may take, a duration or a range [default: no limit].
    #[arg(long, value_parser = parse_durations)]
    request_timeout: Option<OneOf<Duration>>,

    /// How long a guest may run without waiting for anything before it is stopped.
    #[arg(long, value_parser = parse_duration, default_value = "10s")]
    guest_busy_limit: Duration,
    /// Memory of one instance in bytes.
    #[arg(long, env = "SPIN_MAX_INSTANCE_MEMORY", default_value_t = config::DEFAULT_INSTANCE_MEMORY_BYTES)]
    max_instance_memory: usize,
    /// Instances at a time.
    #[arg(long, default_value_t = config::DEFAULT_MAX_INSTANCES)]
    max_instances: u32,
    /// Requests at a time that wait for their response; others wait their turn.
    #[arg(long, default_value_t = config::DEFAULT_MAX_IN_FLIGHT)]
    max_in_flight: usize,
    /// Bytes of a request's body; a larger one is answered with 413.
    #[arg(long, default_value_t = config::DEFAULT_MAX_BODY_BYTES)]
    max_body_bytes: u64,
    /// Header fields of a request; more are answered with 431.
    #[arg(long, default_value_t = config::DEFAULT_MAX_HEADERS)]
    max_headers: usize,
    /// Bytes of a request's head, at least 8192; a larger one is answered with 431.
    #[arg(long, default_value_t = config::DEFAULT_MAX_HEADER_BYTES)]
    max_header_bytes: usize,
    /// How long a client may take to send a request's head.
    #[arg(long, value_parser = parse_duration, default_value = "30s")]
    header_timeout: Duration,
    /// Connections from clients at a time; others wait to be accepted.
    #[arg(long, default_value_t = config::DEFAULT_MAX_CONNECTIONS)]
    max_connections: usize,
    /// How long a stop waits for what is in flight.
    #[arg(long, value_parser = parse_duration, default_value = "30s")]
    drain_limit: Duration,
}

impl Cli {
    /// How log lines look.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.log_format
    }
}

impl From<Cli> for HostConfig {
    fn from(cli: Cli) -> Self {
        Self {
            manifest: cli.manifest,
            listen: cli.listen,
            state_dir: cli.state_dir,
            cache_dir: cli.cache_dir.or_else(shared_cache_dir),
            variables: cli.variables,
            variables_from_environment: true,
            only: cli.only,
            workers: cli.workers,
            reuse: ReuseConfig {
                max_count: cli.max_instance_reuse_count,
                max_concurrent: cli.max_instance_concurrent_reuse_count,
                request_timeout: cli.request_timeout,
                idle_timeout: cli.idle_instance_timeout,
            },
            limits: Limits {
                guest_busy: cli.guest_busy_limit,
                instance_memory_bytes: cli.max_instance_memory,
                instances: cli.max_instances,
                in_flight: cli.max_in_flight,
                body_bytes: cli.max_body_bytes,
                headers: cli.max_headers,
                header_bytes: cli.max_header_bytes,
                header_timeout: cli.header_timeout,
                connections: cli.max_connections,
                drain: cli.drain_limit,
            },
        }
    }
}

fn shared_cache_dir() -> Option<PathBuf> {
    shared_directory(
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from),
        std::env::home_dir(),
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_its_defaults_are_the_library_s() {
        Cli::command().debug_assert();
        let from_cli = HostConfig::from(Cli::parse_from(["leaderboard-host"]));
        assert_eq!(
            format!("{:?}", from_cli.limits),
            format!("{:?}", Limits::default())
        );
        assert_eq!(
            format!("{:?}", from_cli.reuse),
            format!("{:?}", ReuseConfig::default())
        );
    }
}
