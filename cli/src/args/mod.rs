//! The arguments of the commands about scores, and the options of every command.

mod global;
pub(crate) mod import;
pub(crate) mod read;
pub(crate) mod submit;

use clap::{Args, ValueEnum};

pub(crate) use global::{Global, GlobalArgs, is_json_requested, with_configuration};

/// Print the completions for a shell.
///
/// For bash: edgeboard completion bash > ~/.local/share/bash-completion/completions/edgeboard
///
/// For zsh: edgeboard completion zsh > a folder of $fpath, in a file called _edgeboard
///
/// For fish: edgeboard completion fish > ~/.config/fish/completions/edgeboard.fish
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CompletionArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

/// A shell with completions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}
