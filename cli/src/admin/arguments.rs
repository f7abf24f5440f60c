//! Builds the command line from the table of operations.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};

use super::nouns::NOUNS;
use super::operation::{AdminOperation, BodyRule, CommandOption, Noun, OptionKind};
use crate::number::Integer;

// Prefixes of argument ids. An option of the table may have the name of a global option, such as `tenant`; ids must differ.
const ARGUMENT: &str = "argument ";
const OPTION: &str = "option ";
const PARAMETER: &str = "parameter ";
/// The ids of options that are not in the tables.
pub(super) const FILE: &str = "file";
pub(super) const SET: &str = "set";
pub(super) const OPERATOR: &str = "for operator";
pub(super) const LIMIT: &str = "how many";
pub(super) const CURSOR: &str = "cursor";
pub(super) const IF_MATCH: &str = "if match";
pub(super) const ONLY_NEW: &str = "only new";

/// The default of `--limit`.
pub(super) const DEFAULT_LIMIT: u64 = 100;
/// The help heading of the options of lists.
const LIST_HEADING: &str = "List";

/// Builds a command for each noun.
pub(crate) fn build_commands() -> impl Iterator<Item = Command> {
    NOUNS.iter().map(|noun: &'static Noun| {
        Command::new(noun.name)
            .about(noun.about)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommands(noun.operations.iter().map(build_command))
    })
}

fn build_command(operation: &'static AdminOperation) -> Command {
    let mut command = Command::new(operation.verb).about(operation.about);
    for name in operation.arguments() {
        command = command.arg(build_positional(name, operation.path_without.is_none()));
    }
    command = command
        .args(operation.query.iter().map(|field| build_option(PARAMETER, field)))
        .args(
            operation
                .body
                .fields()
                .iter()
                .map(|field| build_option(OPTION, field)),
        );
    if !matches!(operation.body, BodyRule::None) {
        command = command.args(document_options());
    }
    if operation.for_operator {
        command = command.arg(
            Arg::new(OPERATOR)
                .long("operator")
                .action(ArgAction::SetTrue)
                .help("Use the operator's documents instead of the tenant's"),
        );
    }
    if operation.paged.is_some() {
        command = command.args(list_options());
    }
    if operation.conditional {
        command = command.args(condition_options(operation.method));
    }
    command
}

fn build_positional(name: &'static str, required: bool) -> Arg {
    Arg::new(format!("{ARGUMENT}{name}"))
        .value_name(name.to_uppercase())
        .required(required)
        .help(match name {
            "player" => "The id of the player".to_owned(),
            name => format!("The id of the {}", name.replace('_', " ")),
        })
}

fn build_option(prefix: &str, field: &'static CommandOption) -> Arg {
    let argument = Arg::new(format!("{prefix}{}", field.flag))
        .long(field.flag)
        .help(field.help);
    match field.kind {
        OptionKind::Text => argument.value_name("TEXT"),
        OptionKind::Integer => argument
            .value_name("N")
            .allow_negative_numbers(true)
            .value_parser(value_parser!(Integer)),
        OptionKind::Instant => argument
            .value_name("TIME")
            .value_parser(|text: &str| crate::instant::normalise_instant(text)),
        OptionKind::Switch => argument.action(ArgAction::SetTrue),
        OptionKind::One(words) => argument
            .value_name("WORD")
            .value_parser(PossibleValuesParser::new(words)),
        OptionKind::Many(words) => {
            let argument = argument
                .value_name("WORD")
                .value_delimiter(',')
                .action(ArgAction::Append);
            if words.is_empty() {
                argument
            } else {
                argument.value_parser(PossibleValuesParser::new(words))
            }
        }
        OptionKind::Columns => argument.value_name("NAME[:ORDER]").action(ArgAction::Append),
    }
}

/// Returns the options that set the whole request body, or any member of it.
fn document_options() -> [Arg; 2] {
    [
        Arg::new(FILE)
            .long("file")
            .short('f')
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .value_parser(value_parser!(PathBuf))
            .help("A file with the document, as JSON, or as TOML if its name ends with .toml; - is standard input. Options replace members of the document"),
        Arg::new(SET)
            .long("set")
            .value_name("MEMBER=JSON")
            .action(ArgAction::Append)
            .help("Set any member of the document; dots separate the names of nested members, such as cache.lifetime_ms=1000. Repeatable"),
    ]
}

fn list_options() -> [Arg; 2] {
    [
        Arg::new(LIMIT)
            .long("limit")
            .short('l')
            .value_name("N")
            .help_heading(LIST_HEADING)
            .value_parser(value_parser!(u64).range(1..))
            .help(format!(
                "How many items are shown at most, over as many pages as needed [default: {DEFAULT_LIMIT}]"
            )),
        Arg::new(CURSOR)
            .long("cursor")
            .value_name("CURSOR")
            .help_heading(LIST_HEADING)
            .help("Continue an earlier list: the cursor that it printed at its end"),
    ]
}

fn condition_options(method: &str) -> Vec<Arg> {
    if method == "GET" {
        return Vec::new();
    }
    let mut conditions = vec![
        Arg::new(IF_MATCH)
            .long("if-match")
            .value_name("ETAG")
            .help("Fail unless the document still has this etag, which `get` shows"),
    ];
    if method == "PUT" {
        conditions.push(
            Arg::new(ONLY_NEW)
                .long("only-new")
                .action(ArgAction::SetTrue)
                .conflicts_with(IF_MATCH)
                .help("Fail if the document exists already"),
        );
    }
    conditions
}

/// Returns the value of the path argument `name`; `None` if it is absent.
pub(super) fn path_argument<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches
        .get_one::<String>(&format!("{ARGUMENT}{name}"))
        .map(String::as_str)
}

/// Returns the argument id of an option that sets a member of the body.
pub(super) fn body_option_id(field: &CommandOption) -> String {
    format!("{OPTION}{}", field.flag)
}

/// Returns the argument id of an option that sets a query parameter.
pub(super) fn query_option_id(field: &CommandOption) -> String {
    format!("{PARAMETER}{}", field.flag)
}
