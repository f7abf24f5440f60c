//! `edgeboard`: scores in, ranks out, from the command line.

mod address;
mod args;
mod client;
mod commands;
mod failure;
mod import;
mod instant;
mod number;
mod output;
mod problem;
mod retry;
mod stop;
mod table;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.global.json;
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match &failure {
                Failure::Refused(problem) if json => {
                    eprintln!(
                        "{}",
                        serde_json::to_string(problem).unwrap_or_else(|_error| failure.to_string())
                    );
                }
                _ => eprintln!("edgeboard: {failure}"),
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start(cli: &Cli) -> Result<(), Failure> {
    // One thread drives the calls; reading the file happens on another one.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Output)?;
    runtime.block_on(run(cli))
}

async fn run(cli: &Cli) -> Result<(), Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Import(args) => import::run(global, args).await,
        Command::Submit(args) => commands::submit::run(global, args).await,
        Command::Top(args) => commands::read::top(global, args).await,
        Command::Rank(args) => commands::read::rank(global, args).await,
        Command::Around(args) => commands::read::around(global, args).await,
        Command::Export(args) => commands::export::run(global, args).await,
    }
}
