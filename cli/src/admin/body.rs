//! Builds the body of a request from a file, options, and `--set` for members that have no option.

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::arguments::{self, FILE, SET};
use super::operation::{BodyRule, CommandOption, OptionKind};
use crate::document::read_document;
use crate::error::CliError;
use crate::number::Integer;

/// Builds the body; `None` when the request has no body.
///
/// # Errors
/// The file is unreadable, an option is invalid, or a required body is missing.
pub(super) fn build_body(body: BodyRule, matches: &ArgMatches) -> Result<Option<Value>, CliError> {
    if matches!(body, BodyRule::None) {
        return Ok(None);
    }
    let file = matches.get_one::<std::path::PathBuf>(FILE);
    let mut document = file.map(|path| read_document(path)).transpose()?;
    let empty = || Value::Object(Map::new());
    for field in body.fields() {
        if let Some(value) = read_option(field, &arguments::body_option_id(field), matches)? {
            set_member(document.get_or_insert_with(empty), field.member, value)?;
        }
    }
    for text in matches.get_many::<String>(SET).into_iter().flatten() {
        let (member, value) = text
            .split_once('=')
            .ok_or_else(|| CliError::Usage(format!("--set {text}: write it like member=value")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_text| Value::from(value));
        set_member(document.get_or_insert_with(empty), member, value)?;
    }
    match body {
        BodyRule::Required(_) if document.is_none() => Err(CliError::Usage(
            "nothing is given: use the options of this command, --file or --set".into(),
        )),
        BodyRule::Defaults(_) => Ok(Some(document.unwrap_or_else(empty))),
        _ => Ok(document),
    }
}

/// Returns the value of an option as JSON; `None` if the option is absent.
pub(super) fn read_option(
    field: &CommandOption,
    id: &str,
    matches: &ArgMatches,
) -> Result<Option<Value>, CliError> {
    let text = || matches.get_one::<String>(id);
    let texts = || matches.get_many::<String>(id);
    Ok(match field.kind {
        OptionKind::Text | OptionKind::Instant => text().map(|text| json!(text)),
        OptionKind::Integer => matches.get_one::<Integer>(id).map(|number| json!(number)),
        OptionKind::Switch => matches.get_flag(id).then_some(Value::Bool(true)),
        OptionKind::One(words) => text().map(|word| match word.parse() {
            Ok(truth) if words.contains(&"true") => Value::Bool(truth),
            _ => json!(word),
        }),
        OptionKind::Many(_) => texts().map(|words| words.map(|word| json!(word)).collect()),
        OptionKind::Columns => texts()
            .map(|columns| {
                columns
                    .map(|column| parse_column(column))
                    .collect::<Result<_, _>>()
            })
            .transpose()?,
    })
}

fn parse_column(text: &str) -> Result<Value, CliError> {
    let (name, order) = text.split_once(':').unwrap_or((text, "desc"));
    if !matches!(order, "asc" | "desc") {
        return Err(CliError::Usage(format!(
            "--column {text}: the order behind the colon is `asc` or `desc`"
        )));
    }
    Ok(json!({"name": name, "order": order}))
}

/// Sets a member of nested objects. `path` has dots between names; `\.` is a dot within a name.
fn set_member(document: &mut Value, path: &str, value: Value) -> Result<(), CliError> {
    let mut place = document;
    for name in split_path(path) {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        place = place
            .as_object_mut()
            .ok_or_else(|| CliError::Usage(format!("`{path}` goes through something that is no object")))?
            .entry(name)
            .or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

fn split_path(path: &str) -> impl Iterator<Item = String> {
    const DOT_IN_A_NAME: &str = "\0";
    let path = path.replace("\\.", DOT_IN_A_NAME);
    let names: Vec<String> = path
        .split('.')
        .map(|name| name.replace(DOT_IN_A_NAME, "."))
        .collect();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::arguments::build_commands;

    /// Parses the command line `line` and builds its request body.
    fn build_body_of_line(line: &str) -> Result<Option<Value>, CliError> {
        let mut words = line.split(' ');
        let noun = words.next().unwrap();
        let command = build_commands()
            .find(|command| command.get_name() == noun)
            .unwrap();
        let matches = command
            .try_get_matches_from(std::iter::once(noun).chain(words))
            .unwrap();
        let (verb, matches) = matches.subcommand().unwrap();
        let noun = crate::admin::nouns::NOUNS
            .iter()
            .find(|known| known.name == noun)
            .unwrap();
        let operation = noun.operations.iter().find(|known| known.verb == verb).unwrap();
        build_body(operation.body, matches)
    }

    #[test]
    fn options_become_members_of_the_body() {
        let line = "leaderboards put race --title Race --column points --column time_ms:asc --ties shared \
                    --operator-override true --reset-cron @daily --starts-at 2026-11-09 --min -5 \
                    --max 9223372036854775807 --read private --set cache.lifetime_ms=1000 --set a\\.b.c=x";
        let expected = json!({
            "title": "Race", "columns": [{"name": "points", "order": "desc"}, {"name": "time_ms", "order": "asc"}],
            "ties": "shared", "operator_override": true, "reset": {"cron": "@daily"},
            "starts_at": "2026-11-09T00:00:00Z", "limits": {"min": -5, "max": "9223372036854775807"},
            "access": {"read": "private"}, "cache": {"lifetime_ms": 1000}, "a.b": {"c": "x"},
        });
        assert_eq!(build_body_of_line(line).unwrap(), Some(expected));
    }

    #[test]
    fn a_list_option_accepts_words_separated_by_commas() {
        let line =
            "keys create --name server --scopes scores:read,scores:write --allowed-addresses 10.0.0.0/8";
        let expected = json!({"name": "server", "scopes": ["scores:read", "scores:write"],
            "allowed_addresses": ["10.0.0.0/8"]});
        assert_eq!(build_body_of_line(line).unwrap(), Some(expected));
    }

    #[test]
    fn a_missing_body_follows_its_rule_and_invalid_options_are_refused() {
        assert_eq!(
            build_body_of_line("leaderboards put race").unwrap(),
            Some(json!({}))
        );
        assert_eq!(build_body_of_line("keys rotate 3f2504e04f8911d3").unwrap(), None);
        for line in ["leaderboards patch race", "flags put", "keys create"] {
            assert_eq!(build_body_of_line(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(
            build_body_of_line("leaderboards patch race --set ends_at=null").unwrap(),
            Some(json!({"ends_at": null}))
        );
        for line in [
            "leaderboards put race --column time_ms:up",
            "leaderboards put race --set title",
            "leaderboards put race --title a --set title.b=1",
        ] {
            assert_eq!(build_body_of_line(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn options_replace_members_of_a_json_or_toml_file() {
        let directory = tempfile::tempdir().unwrap();
        let write_file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let json_file = write_file(
            "race.json",
            r#"{"title": "Old", "reset": null, "limits": {"min": 1, "max": 2}}"#,
        );
        let toml_file = write_file("race.toml", "title = 'Old'\nlimits = { min = 1, max = 2 }");
        for (path, line) in [
            (&json_file, " --reset-cron @daily"),
            (&toml_file, " --set reset.cron=@daily"),
        ] {
            let line = format!("leaderboards put race --file {path} --title New --max 3{line}");
            let expected =
                json!({"title": "New", "reset": {"cron": "@daily"}, "limits": {"min": 1, "max": 3}});
            assert_eq!(build_body_of_line(&line).unwrap(), Some(expected));
        }
        let empty = write_file("empty.json", " \n");
        let error = build_body_of_line(&format!("flags put --file {empty}")).unwrap_err();
        assert_eq!(
            (error.exit_code(), error.to_string().ends_with("is empty")),
            (5, true)
        );
        let broken = write_file("broken.json", "{");
        assert_eq!(
            build_body_of_line(&format!("flags put -f {broken}"))
                .unwrap_err()
                .exit_code(),
            2
        );
    }
}
