//! The command-line options of the host.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

use crate::config::{HostConfig, HostLimits, ReuseConfig};
use crate::engine::shared_directory;
use crate::grants::BlockedNetwork;
use crate::logging::LogFormat;
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
  - TCP_NODELAY and an event loop for each core, unless it is told --like-spin; a graceful stop; an answer of 503 when there is no room for another instance
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
    /// The directory of compiled components, which all state directories share [default: edgeboard/compiled
    /// in $XDG_CACHE_HOME or ~/.cache; without a home `compiled` in the state directory].
    #[arg(long)]
    cache_dir: Option<PathBuf>,
    /// Sets application variables; wins over SPIN_VARIABLE_NAME of the environment. Repeatable.
    #[arg(
        long = "variable",
        value_name = "NAME=VALUE | NAME=@FILE | @FILE.json | @FILE.toml"
    )]
    variables: Vec<VariableSource>,
    /// A network that outbound HTTP requests may not reach, also not by a name that leads there: private, or e.g.
    /// 10.0.0.0/8. Like block_networks in Spin's runtime configuration, which also applies to Redis. Repeatable.
    #[arg(long = "block-network", value_name = "NETWORK")]
    blocked_networks: Vec<BlockedNetwork>,
    /// Runs only this component. Repeatable.
    #[arg(long = "only", short = 'c', alias = "component-id", value_name = "COMPONENT")]
    only: Vec<String>,
    /// Threads, each with its own event loop; 0 is one per core.
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Serves as Spin does: one event loop on all cores, and no TCP_NODELAY. It is slower, and
    /// shows the delay of responses that are sent in two parts.
    #[arg(long, conflicts_with = "workers")]
    like_spin: bool,
    /// How log lines on standard error look: json or text.
    #[arg(long, default_value = "text")]
    log_format: LogFormat,

    #[command(flatten)]
    reuse: ReuseConfig,
    #[command(flatten)]
    limits: HostLimits,
}

impl Cli {
    /// Returns the format of log lines.
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
            cache_dir: cli.cache_dir.or_else(user_cache_dir),
            variables: cli.variables,
            variables_from_environment: true,
            blocked_networks: cli.blocked_networks,
            only: cli.only,
            workers: cli.workers,
            like_spin: cli.like_spin,
            reuse: cli.reuse,
            limits: cli.limits,
        }
    }
}

fn user_cache_dir() -> Option<PathBuf> {
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
    fn the_command_line_is_consistent_and_has_the_defaults_of_the_library() {
        Cli::command().debug_assert();
        let from_cli = HostConfig::from(Cli::parse_from(["leaderboard-host"]));
        assert_eq!(
            format!("{:?}", from_cli.limits),
            format!("{:?}", HostLimits::default())
        );
        assert_eq!(
            format!("{:?}", from_cli.reuse),
            format!("{:?}", ReuseConfig::default())
        );
    }
}
