//! The task runner behind `scripts/`. People and CI run the same tasks with it.
//!
//! The scripts check that the toolchain is installed, and then replace themselves with this program, in the
//! root of the repository. `cargo tasks <task>` calls it directly.

mod functions;
mod process;
mod sizes;
mod steps;
mod test;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::workspace::{Kind, Workspace};

/// The tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "tasks", disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the function components and put them into target/functions (leaves unchanged components
    /// untouched)
    Functions {
        /// `edge` as shipped, or `edge-test` as tested: the same code, compiled faster
        #[arg(long, default_value = "edge")]
        profile: Profile,
    },
    /// Build the guests of the host's tests and put them into target/functions
    Guests {
        #[arg(long, default_value = "edge-test")]
        profile: Profile,
    },
    /// Print the size of each shipped component beside its budget; fails if a component is above its budget
    Sizes,
    /// Run format, rules, lints, builds of components, and tests; the first step that fails ends the run
    Test {
        /// Run only the tests with one of these words in their name
        filters: Vec<String>,
    },
    /// Build everything, start it, load the sample data into an empty store, stay in the foreground
    Up(up::Options),
}

/// The profile with which components are compiled; it is defined in the workspace's Cargo.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    Edge,
    EdgeTest,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::EdgeTest => "edge-test",
        }
    }
}

fn main() -> ExitCode {
    run(Cli::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    match cli.task {
        Task::Functions { profile } => functions::build(&workspace, Kind::Function, profile)?,
        Task::Guests { profile } => functions::build(&workspace, Kind::Guest, profile)?,
        Task::Sizes => sizes::run(&workspace)?,
        Task::Test { filters } => test::run(&workspace, &filters)?,
        Task::Up(options) => return up::run(&workspace, &options),
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
