//! Tests that `docs/reference/command-line.md` matches the help of the commands. With the variable
//! `UPDATE_DOCS`, the test writes the document instead.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Args, Command, Subcommand};

use super::ScoreCommand;
use crate::admin;
use crate::args::{GlobalArgs, with_configuration};
use crate::error::EXIT_CODES;

/// The line before the generated part of the document.
const MARKER: &str =
    "<!-- Generated from the tool's own help: UPDATE_DOCS=1 cargo test -p edgeboard reference -->\n";
/// The width of the help texts in the document, in columns.
const WIDTH: usize = 100;

#[test]
fn the_reference_document_matches_the_help_of_the_commands() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/command-line.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (written, generated) = text.split_once(MARKER).expect("the document contains the marker");
    let expected = build_reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{written}{MARKER}{expected}")).unwrap();
    } else {
        assert!(
            generated == expected,
            "docs/reference/command-line.md is out of date: UPDATE_DOCS=1 cargo test -p edgeboard reference"
        );
    }
}

/// Builds the generated part of the document.
fn build_reference() -> String {
    let mut text = String::new();
    let options = with_configuration(GlobalArgs::augment_args(Command::new("edgeboard")));
    push_section(&mut text, "## Options of every command", &format_help(options));
    push_section(&mut text, "## Exit codes", EXIT_CODES);
    // The options of every command are left out, because they would repeat in the help of each command.
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
            push_section(&mut text, &title, &format_help(command.clone()));
            continue;
        }
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _written = writeln!(text, "\n{title}\n{about}.");
        for verb in verbs {
            let title = format!("### edgeboard {} {}", command.get_name(), verb.get_name());
            push_section(&mut text, &title, &format_help(verb.clone()));
        }
    }
    text
}

fn format_help(command: Command) -> String {
    command
        .disable_help_flag(true)
        .term_width(WIDTH)
        .render_help()
        .to_string()
}

/// Appends a title and a code block to `text`.
fn push_section(text: &mut String, title: &str, block: &str) {
    let _written = writeln!(text, "\n{title}\n```\n{}\n```", block.trim_end());
}
