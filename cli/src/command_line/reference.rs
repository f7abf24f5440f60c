//! Generates the reference in `docs/reference/command-line.md` from the command line.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Args, Command, Subcommand};

use super::ScoreCommand;
use crate::admin;
use crate::args::{GlobalArgs, with_configuration};
use crate::error::EXIT_CODES;

/// Everything after this line is generated.
const MARKER: &str =
    "<!-- Generated from the tool's own help: UPDATE_DOCS=1 cargo test -p edgeboard reference -->\n";
/// The width of the help in the document, independent of the terminal.
const WIDTH: usize = 100;

#[test]
fn the_document_is_what_the_tool_says_of_itself() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/command-line.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (written, generated) = text.split_once(MARKER).expect("the marker");
    let expected = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{written}{MARKER}{expected}")).unwrap();
    } else {
        assert!(
            generated == expected,
            "docs/reference/command-line.md is out of date: UPDATE_DOCS=1 cargo test -p edgeboard reference"
        );
    }
}

fn reference() -> String {
    let mut text = String::new();
    let options = with_configuration(GlobalArgs::augment_args(Command::new("edgeboard")));
    section(&mut text, "## Options of every command", &help(options));
    section(&mut text, "## Exit codes", EXIT_CODES);
    // Without the options of every command, which would repeat in each.
    let mut commands = ScoreCommand::augment_subcommands(Command::new("edgeboard"))
        .subcommands(admin::build_commands())
        .disable_help_subcommand(true);
    commands.build();
    for command in commands.get_subcommands() {
        let verbs: Vec<&Command> = command
            .get_subcommands()
            .filter(|verb| verb.get_name() != "help")
            .collect();
        let title = format!("## edgeboard {}", command.get_name());
        if verbs.is_empty() {
            section(&mut text, &title, &help(command.clone()));
            continue;
        }
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _written = writeln!(text, "\n{title}\n{about}.");
        for verb in verbs {
            let title = format!("### edgeboard {} {}", command.get_name(), verb.get_name());
            section(&mut text, &title, &help(verb.clone()));
        }
    }
    text
}

fn help(command: Command) -> String {
    command
        .disable_help_flag(true)
        .term_width(WIDTH)
        .render_help()
        .to_string()
}

fn section(text: &mut String, title: &str, block: &str) {
    let _written = writeln!(text, "\n{title}\n```\n{}\n```", block.trim_end());
}
