//! The command line of the task runner.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "tasks", disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Build the function components and put them into target/functions (changes nothing that is current)
    Functions {
        /// `edge` as shipped, `edge-test` as tested: the same code, compiled faster
        #[arg(long, default_value = "edge")]
        profile: Profile,
    },
    /// Build the guests of the host's tests and put them into target/functions
    Guests {
        #[arg(long, default_value = "edge-test")]
        profile: Profile,
    },
    /// Print the size of each shipped component beside its budget; fails when one is above
    Sizes,
    /// Check the rules of dependency and tidiness; fails when one is broken
    Rules,
    /// Format, rules, lints, components, tests; the first step that fails ends it
    Test {
        /// Run the tests with one of these words in their name, and nothing but the tests
        filters: Vec<String>,
    },
    /// Run the benchmarks of scripts/bench.toml and write target/bench/report.md
    Bench {
        /// Run the benchmarks with one of these words in their name
        filters: Vec<String>,
    },
    /// Build everything, start it, load the sample data into an empty store, stay in the foreground
    Up(UpOptions),
}

/// How components are compiled; a profile of the workspace's Cargo.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    Edge,
    EdgeTest,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::EdgeTest => "edge-test",
        }
    }
}

/// What `scripts/up` can be told.
#[derive(Debug, Args)]
pub(crate) struct UpOptions {
    /// Keep the data in this Redis, such as redis://user:password@127.0.0.1:6379/0, instead of the embedded store
    #[arg(
        long,
        value_name = "URL",
        env = "SPIN_VARIABLE_REDIS_URL",
        hide_env_values = true
    )]
    pub(crate) redis: Option<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Where the embedded store and the made-up admin key are kept [default: .edgeboard in the project]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Leave an empty store empty
    #[arg(long)]
    pub(crate) no_sample: bool,
    /// Run on the Spin CLI of the PATH (4.1 or newer) instead of the local host
    #[arg(long)]
    pub(crate) spin: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn profile_names_on_the_command_line_are_those_of_cargo() {
        for profile in Profile::value_variants() {
            assert_eq!(Profile::from_str(profile.name(), false), Ok(*profile));
        }
    }
}
