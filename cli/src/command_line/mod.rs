//! The whole command line: the commands about scores and the administrative commands.

#[cfg(test)]
mod reference;

use clap::{Args, Subcommand};

use crate::admin;
use crate::args::{CompletionArgs, GlobalArgs, import, read, submit, with_configuration};
use crate::error::EXIT_CODES;

/// The greatest width of help texts.
const MAX_WIDTH: usize = 100;
const ABOUT: &str = "\
The command-line tool of Edgeboard: submits scores, shows ranks, and administers the service";
const LONG_ABOUT: &str = "\
The command-line tool of Edgeboard: submits scores, shows ranks, and administers the service.

By default, results are printed as tables for people; --json prints JSON for programs. Results go to standard output, \
everything else (progress, warnings, errors) to standard error. A command that creates a key or a token prints only \
the secret to standard output.";

// The commands about scores. The help of each comes from its arguments. A doc comment would replace it, and the help of the tool.
#[derive(Debug, Subcommand)]
pub(crate) enum ScoreCommand {
    Import(import::ImportArgs),
    Submit(submit::SubmitArgs),
    Top(read::TopArgs),
    Rank(read::RankArgs),
    Around(read::AroundArgs),
    Export(read::ExportArgs),
    Completion(CompletionArgs),
}

/// Builds the whole command line: the commands about scores and the administrative commands.
pub(crate) fn build_command() -> clap::Command {
    let command = clap::Command::new("edgeboard")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(EXIT_CODES)
        .max_term_width(MAX_WIDTH)
        .subcommand_required(true)
        .arg_required_else_help(true);
    // Both replace the texts of the command with their own.
    let command = ScoreCommand::augment_subcommands(GlobalArgs::augment_args(command));
    let command = command.about(ABOUT).long_about(LONG_ABOUT);
    with_configuration(command.subcommands(admin::build_commands()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn parse(line: &[&str]) -> ScoreCommand {
        let matches = build_command().try_get_matches_from(line).unwrap();
        ScoreCommand::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn the_help_describes_the_tool() {
        let command = build_command();
        let texts = [command.get_about(), command.get_long_about()].map(|text| text.unwrap().to_string());
        assert_eq!(texts, [ABOUT, LONG_ABOUT]);
    }

    #[test]
    fn the_command_line_is_consistent() {
        build_command().debug_assert();
    }

    #[test]
    fn a_negative_score_is_accepted_as_the_value_of_an_option() {
        let ScoreCommand::Submit(args) = parse(&[
            "edgeboard",
            "submit",
            "a",
            "b",
            "--player",
            "p",
            "--score",
            "-9223372036854775808",
        ]) else {
            panic!("submit")
        };
        assert_eq!(args.leaderboards, ["a", "b"]);
        assert_eq!(args.score.map(|score| score.0), Some(i64::MIN));
    }

    #[test]
    fn import_has_a_config_option_separate_from_that_of_the_profiles() {
        let line = [
            "edgeboard",
            "--config",
            "profiles.toml",
            "import",
            "rows.csv",
            "--config",
            "mapping.toml",
        ];
        let ScoreCommand::Import(args) = parse(&line) else {
            panic!("import")
        };
        assert_eq!(args.mapping.config, Some("mapping.toml".into()));
    }

    #[test]
    fn a_misspelt_word_gets_a_suggestion() {
        for (line, suggested) in [
            (&["edgeboard", "imprt"][..], "'import'"),
            (&["edgeboard", "top", "goals", "--limt", "3"], "'--limit'"),
            (&["edgeboard", "leaderbords", "list"], "'leaderboards'"),
            (&["edgeboard", "leaderboards", "lst"], "'list'"),
            (
                &["edgeboard", "leaderboards", "put", "x", "--ties", "share"],
                "'shared'",
            ),
        ] {
            let error = build_command()
                .try_get_matches_from(line)
                .unwrap_err()
                .to_string();
            assert!(error.contains(suggested), "{error}");
        }
    }
}
