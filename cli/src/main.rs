//! `edgeboard`: the command-line tool. It submits scores, shows ranks, and administers the service.

mod address;
mod admin;
mod args;
mod client;
mod command_line;
mod commands;
mod document;
mod error;
mod formula;
mod import;
mod instant;
mod number;
mod output;
mod problem;
mod profile;
mod retry;
mod suggest;
mod table;
mod wire;

use std::process::ExitCode;

use clap::{ArgMatches, FromArgMatches};

use args::Global;
use command_line::ScoreCommand;
use error::CliError;

fn main() -> ExitCode {
    let matches = command_line::build_command().get_matches();
    match start(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match &failure {
                CliError::Refused(problem) | CliError::SecretLost { problem, .. }
                    if args::is_json_requested(&matches) =>
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

fn start(matches: &ArgMatches) -> Result<(), CliError> {
    // One thread sends the requests; an import reads its file on another thread.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Output)?;
    runtime.block_on(run(matches))
}

async fn run(matches: &ArgMatches) -> Result<(), CliError> {
    if let Some(command) = admin::AdminCommand::find(matches) {
        return command.run(&Global::new(matches)?).await;
    }
    let command =
        ScoreCommand::from_arg_matches(matches).map_err(|error| CliError::Usage(error.to_string()))?;
    if let ScoreCommand::Completion(args) = &command {
        return commands::completion::run(args, command_line::build_command());
    }
    let global = &Global::new(matches)?;
    match &command {
        ScoreCommand::Import(args) => import::run(global, args).await,
        ScoreCommand::Submit(args) => commands::submit::run(global, args).await,
        ScoreCommand::Top(args) => commands::read::top(global, args).await,
        ScoreCommand::Rank(args) => commands::read::rank(global, args).await,
        ScoreCommand::Around(args) => commands::read::around(global, args).await,
        ScoreCommand::Export(args) => commands::export::run(global, args).await,
        ScoreCommand::Completion(args) => commands::completion::run(args, command_line::build_command()),
    }
}
