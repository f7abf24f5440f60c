//! Measures the service, and for comparison a native server and redis-benchmark. `scripts/bench` builds this
//! program and what it measures, and starts it.
//!
//! The load comes from oha. Each system is a set of processes on this machine: the local host with its store,
//! the native server, or Redis alone. In each round, the systems take turns, so that other work of the
//! machine affects all of them alike.

mod compare;
mod data;
mod drain;
mod edgeboard;
mod fill;
mod history;
mod http_client;
mod live;
mod machine;
mod markdown;
mod measure;
mod monitor;
mod native;
mod oha;
mod operation;
mod plots;
mod process;
mod progress;
mod ratios;
mod redis_benchmark;
mod redis_info;
mod report;
mod report_text;
mod sample;
mod start_up;
mod system;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Measures the service; scripts/bench describes the options.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures a build, and prints a table or writes a report.
    Run(RunArgs),
    /// Serves the native server, and prints its address.
    Native {
        /// The Redis server.
        #[arg(long)]
        redis: String,
    },
}

/// The options of a measurement.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The directory of the build: `spin.toml`, `leaderboard-host`, `functions/*.wasm`.
    #[arg(long)]
    pub(crate) current: PathBuf,
    /// The directory of an earlier build, which is measured in turns with the current one.
    #[arg(long, conflicts_with = "report")]
    pub(crate) baseline: Option<PathBuf>,
    /// The directory that the report goes to. Without it, a table goes to standard output.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// 10^N entries; for the report a list, whose first number is also that of the other sections [default:
    /// 4, or 4,6 for a report]
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=8))]
    pub(crate) digits: Vec<u32>,
    /// The same for the embedded store [default: the first of --digits, or 4,5 for a report]
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=8))]
    pub(crate) embedded_digits: Vec<u32>,
    /// The numbers of connections of the report.
    #[arg(long, value_delimiter = ',', default_value = "1,32,256,1000")]
    pub(crate) connections: Vec<u32>,
    /// How often each row is measured; the median counts [default: 3, or 5 for a report]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: Option<u32>,
    /// How many seconds each measurement takes [default: 3, or 1.5 for a report]
    #[arg(long)]
    pub(crate) seconds: Option<f64>,
    /// How many seconds the section "A minute of saturation" measures each row.
    #[arg(long, default_value_t = 60.0)]
    pub(crate) saturation_seconds: f64,
    /// Only operations that have one of these words in their name.
    pub(crate) words: Vec<String>,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Native { redis } => native::serve(&redis),
        Command::Run(args) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                match &args.report {
                    Some(directory) => report::write(&args, directory).await,
                    None => compare::print(&args).await,
                }
            })
        }
    }
}
