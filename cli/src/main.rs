//! `edgeboard`: scores in, ranks out, and everything that is administered, from the command line.

mod address;
mod admin;
mod args;
mod client;
mod commands;
mod failure;
mod formula;
mod import;
mod instant;
mod number;
mod output;
mod problem;
mod profile;
mod retry;
mod stop;
mod suggest;
mod table;
mod wire;

use std::process::ExitCode;

use clap::{ArgMatches, FromArgMatches};

use args::{Command, Global};
use failure::Failure;

fn main() -> ExitCode {
    let matches = args::command().get_matches();
    match start(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match &failure {
                Failure::Refused(problem) | Failure::SecretLost { problem, .. }
                    if args::wants_json(&matches) =>
                {
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

fn start(matches: &ArgMatches) -> Result<(), Failure> {
    // One thread drives the calls; reading the file happens on another one.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Output)?;
    runtime.block_on(run(matches))
}

async fn run(matches: &ArgMatches) -> Result<(), Failure> {
    if let Some(command) = admin::Command::find(matches) {
        return command.run(&Global::new(matches)?).await;
    }
    let command = Command::from_arg_matches(matches).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Command::Completion(args) = &command {
        return commands::completion::run(args);
    }
    let global = &Global::new(matches)?;
    match &command {
        Command::Import(args) => import::run(global, args).await,
        Command::Submit(args) => commands::submit::run(global, args).await,
        Command::Top(args) => commands::read::top(global, args).await,
        Command::Rank(args) => commands::read::rank(global, args).await,
        Command::Around(args) => commands::read::around(global, args).await,
        Command::Export(args) => commands::export::run(global, args).await,
        Command::Completion(args) => commands::completion::run(args),
    }
}
