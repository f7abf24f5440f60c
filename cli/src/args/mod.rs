//! The command line.

pub(crate) mod import;
pub(crate) mod read;
pub(crate) mod submit;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::address::Address;
use crate::client::Connection;
use crate::failure::EXIT_CODES;

/// Retries of a single call: enough for a moment's trouble, few enough not to keep a person waiting.
const DEFAULT_RETRIES: u32 = 3;
/// How long one attempt may take, in seconds.
const DEFAULT_TIMEOUT_S: u64 = 60;

/// The command-line tool of Edgeboard: scores in, ranks out.
///
/// Tables are for people; `--json` prints JSON for programs. Answers go to standard output, everything
/// else (progress, warnings, errors) to standard error.
#[derive(Debug, Parser)]
#[command(name = "edgeboard", version, max_term_width = 100, after_help = EXIT_CODES, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server and output")]
pub(crate) struct Global {
    /// The server, without `/api/v1`.
    #[arg(
        long,
        global = true,
        env = "EDGEBOARD_ADDRESS",
        value_name = "URL",
        default_value = "http://127.0.0.1:3000"
    )]
    address: Address,
    /// The key, sent as `X-API-Key`.
    ///
    /// Prefer the variable: other users of the machine can see arguments.
    #[arg(
        long,
        global = true,
        env = "EDGEBOARD_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    key: Option<String>,
    /// Print JSON for programs.
    ///
    /// It is the server's own answer, or one document that sums up. When the server refuses, its problem
    /// document is printed on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How often a call is tried again. [default: 3; import: 8]
    ///
    /// That is when the server is out of reach or says "not now" (429, 502, 503, 504). The waits double
    /// from 0.25 s to 15 s, with jitter, and are never shorter than `Retry-After`.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100))]
    retries: Option<u32>,
    /// How long one attempt may take, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_S,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl Global {
    /// How to reach the server, with this command's own number of retries unless the user chose one.
    pub(crate) fn connection(&self, retries: Option<u32>) -> Connection {
        Connection {
            address: self.address.clone(),
            key: self.key.clone().filter(|key| !key.trim().is_empty()),
            retries: self.retries.or(retries).unwrap_or(DEFAULT_RETRIES),
            timeout: Duration::from_secs(self.timeout),
        }
    }
}

/// The commands. Each is described where its arguments are: a comment here would take its place.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Import(import::ImportArgs),
    Submit(submit::SubmitArgs),
    Top(read::TopArgs),
    Rank(read::RankArgs),
    Around(read::AroundArgs),
    Export(read::ExportArgs),
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
    fn an_empty_key_is_no_key() {
        let cli = Cli::parse_from(["edgeboard", "top", "goals", "--key", " "]);
        assert!(cli.global.connection(None).key.is_none());
    }

    #[test]
    fn negative_scores_need_no_trick() {
        let cli = Cli::parse_from([
            "edgeboard",
            "submit",
            "a",
            "b",
            "--player",
            "p",
            "--score",
            "-9223372036854775808",
        ]);
        let Command::Submit(args) = cli.command else {
            panic!("submit")
        };
        assert_eq!(args.leaderboards, ["a", "b"]);
        assert_eq!(args.score.map(|score| score.0), Some(i64::MIN));
    }
}
