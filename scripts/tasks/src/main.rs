//! The task runner behind `scripts/`: what people and CI do with this repository, each task once.
//!
//! The scripts make sure that the toolchain is there and then become this program, in the root of the
//! repository. `cargo tasks <task>` calls it directly.

mod bench;
mod cli;
mod functions;
mod process;
mod progress;
mod rules;
mod sizes;
mod test;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Task};
use crate::workspace::Workspace;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    match cli.task {
        Task::Functions { profile } => functions::build(&workspace, functions::Kind::Function, profile)?,
        Task::Guests { profile } => functions::build(&workspace, functions::Kind::Guest, profile)?,
        Task::Sizes => return sizes::run(&workspace),
        Task::Rules => return rules::run(&workspace),
        Task::Test { filters } => test::run(&workspace, &filters)?,
        Task::Bench { filters } => bench::run(&workspace, &filters)?,
        Task::Up(options) => return up::run(&workspace, &options),
    }
    Ok(ExitCode::SUCCESS)
}
