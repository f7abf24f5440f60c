//! The command `completion`: prints the completion script of a shell.

use clap_complete::generate;
use clap_complete::shells::{Bash, Fish, Zsh};

use crate::args::{CompletionArgs, Shell};
use crate::error::CliError;
use crate::output;

/// Runs the command `completion`.
pub(crate) fn run(args: &CompletionArgs, mut command: clap::Command) -> Result<(), CliError> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    match args.shell {
        Shell::Bash => generate(Bash, &mut command, name, &mut script),
        Shell::Zsh => generate(Zsh, &mut command, name, &mut script),
        Shell::Fish => generate(Fish, &mut command, name, &mut script),
    }
    output::print_line(&script)
}
