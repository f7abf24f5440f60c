//! The programs that `up` starts.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::supervisor::{OnEnd, Program};
use super::{Settings, key};
use crate::process;
use crate::workspace::Workspace;

const MANIFEST: &str = "spin.toml";
/// The first version of Spin that runs components of WASI 0.3.
const OLDEST_SPIN: (u32, u32) = (4, 1);
/// A script that starts the Redis trigger again whenever it ends. A signal to the process group also ends the
/// script.
const RESTART_SCRIPT: &str =
    "while :; do \"$@\"; echo 'spin (Redis trigger) ended; it is started again in 5 s' >&2; sleep 5; done";
/// The number of lines of the log that are shown when the local host ends by itself.
const LOG_LINES_SHOWN: usize = 10;

/// Returns the servers to start: the local host, or a process of Spin for each kind of trigger.
///
/// Spin's Redis trigger ends when Redis ends, and it ends all triggers of its process. In its own process, it
/// can be started again while HTTP goes on.
///
/// # Errors
/// `spin.toml` cannot be read, or the log cannot be written.
pub(super) fn servers(workspace: &Workspace, settings: &Settings) -> Result<Vec<Program>> {
    if !settings.spin {
        return Ok(vec![local_host(workspace, settings)?]);
    }
    let mut http = spin_up(workspace, settings, "http", "exec \"$@\"")?;
    http.args(["--listen", &settings.listen.to_string()]);
    let mut programs = vec![Program::new("spin (HTTP)", http, OnEnd::EndAll)];
    if settings.redis.is_some() {
        let redis = spin_up(workspace, settings, "redis", RESTART_SCRIPT)?;
        programs.push(Program::new("spin (Redis trigger)", redis, OnEnd::EndAll));
    }
    Ok(programs)
}

/// Returns a command that runs the command-line tool, with the key and the address of the server that `up`
/// has started.
pub(super) fn edgeboard_command(workspace: &Workspace, settings: &Settings) -> Command {
    let mut command = Command::new(workspace.program("edgeboard"));
    command
        .current_dir(&workspace.root)
        .env("EDGEBOARD_ADDRESS", settings.address())
        .env("EDGEBOARD_KEY", &settings.key.secret);
    command
}

/// Returns the file of the local host's log. The log does not go to the screen, because its line for each
/// request would hide the output of `up`.
pub(super) fn log_file(settings: &Settings) -> PathBuf {
    settings.state_dir.join("edgeboard.log")
}

/// Returns the last lines of the local host's log, shortened for people. They show why the host could not
/// start, or why it ended.
pub(super) fn end_of_log(settings: &Settings) -> String {
    let log = fs::read_to_string(log_file(settings)).unwrap_or_default();
    let lines: Vec<String> = log.lines().map(shorten_log_line).collect();
    let start = lines.len().saturating_sub(LOG_LINES_SHOWN);
    lines.get(start..).unwrap_or_default().join("\n")
}

/// Returns level and message of a line of the log, or the whole line if it does not have both.
fn shorten_log_line(line: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let text = |name: &str| object.get(name).and_then(serde_json::Value::as_str);
    match (text("level"), text("message")) {
        (Some(level), Some(message)) => format!("{level}: {message}"),
        _ => line.to_owned(),
    }
}

/// Returns the local host as a program. Its log goes to a file.
fn local_host(workspace: &Workspace, settings: &Settings) -> Result<Program> {
    let path = log_file(settings);
    let log = fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut command = Command::new(workspace.program("leaderboard-host"));
    command
        .current_dir(&workspace.root)
        .args(["--manifest", MANIFEST, "--log-format", "json"])
        .args(["--listen", &settings.listen.to_string(), "--state-dir"])
        .arg(&settings.state_dir)
        .stderr(log);
    set_variables(&mut command, settings)?;
    Ok(Program::new("the local host", command, OnEnd::EndAll))
}

/// Returns a command that runs Spin with the components of a kind of trigger, in a shell that runs `script`.
fn spin_up(workspace: &Workspace, settings: &Settings, trigger: &str, script: &str) -> Result<Command> {
    let text = fs::read_to_string(workspace.root.join(MANIFEST));
    let text = text.with_context(|| format!("cannot read {MANIFEST}"))?;
    let mut command = Command::new("sh");
    command
        .current_dir(&workspace.root)
        .args([
            "-c",
            script,
            "sh",
            "spin",
            "up",
            "--from",
            MANIFEST,
            "--state-dir",
        ])
        .arg(&settings.state_dir);
    for component in components_with(&text, trigger)? {
        command.args(["--component-id", &component]);
    }
    set_variables(&mut command, settings)?;
    Ok(command)
}

/// Returns the ids of the components of a manifest that have a kind of trigger.
fn components_with(manifest: &str, trigger: &str) -> Result<BTreeSet<String>> {
    let manifest: toml::Table =
        toml::from_str(manifest).with_context(|| format!("cannot read {MANIFEST}"))?;
    let triggers = manifest.get("trigger").and_then(|kinds| kinds.get(trigger));
    let triggers = triggers.and_then(toml::Value::as_array).into_iter().flatten();
    // A route with a static response has no component.
    let components = triggers.filter_map(|trigger| trigger.get("component")?.as_str());
    Ok(components.map(str::to_owned).collect())
}

/// Sets the application's variables in the environment of a command. They do not go on the command line,
/// because every user of the machine can see it.
fn set_variables(command: &mut Command, settings: &Settings) -> Result<()> {
    command
        .env(key::ADMIN_VARIABLE, &settings.key.secret)
        .env(key::TOKEN_VARIABLE, &settings.token_secret);
    if let Some(redis) = &settings.redis {
        command.envs(redis.variables()?);
    }
    Ok(())
}

/// Checks the version of Spin.
///
/// # Errors
/// There is no `spin` on the PATH, or it is too old.
pub(super) fn check_spin() -> Result<()> {
    let mut command = Command::new("spin");
    command.arg("--version");
    let printed = process::output(command).context(
        "--spin needs the Spin CLI (https://spinframework.dev); without --spin the local host runs",
    )?;
    let version = parse_version(&printed).with_context(|| format!("`spin --version` says {printed:?}"))?;
    let (major, minor) = OLDEST_SPIN;
    ensure!(
        version >= OLDEST_SPIN,
        "--spin needs Spin {major}.{minor} or newer, the PATH has {}",
        printed.trim()
    );
    Ok(())
}

/// Parses the major and minor version of a text such as `spin 4.1.0-pre0 (… )`.
fn parse_version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_reach_the_servers_only_through_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::example();
        settings.state_dir = folder.path().into();
        settings.redis = Some(super::super::redis::Redis::parse("redis://:pass@h:1").unwrap());
        let workspace = Workspace::load().unwrap();
        for spin in [false, true] {
            settings.spin = spin;
            let programs = servers(&workspace, &settings).unwrap();
            assert_eq!(programs.len(), if spin { 2 } else { 1 });
            for Program { command, .. } in programs {
                let line = process::describe(&command);
                assert!(!line.contains("hidden") && !line.contains("pass"), "{line}");
                let given: Vec<_> = command
                    .get_envs()
                    .filter_map(|(_, value)| value?.to_str())
                    .collect();
                assert!(
                    ["hidden", "pass", "redis://h:1"]
                        .iter()
                        .all(|value| given.contains(value))
                );
            }
        }
    }

    #[test]
    fn a_log_line_is_shortened_to_its_level_and_message() {
        let request = r#"{"timestamp":"t","level":"info","status":200}"#;
        assert_eq!(shorten_log_line(request), request);
        assert_eq!(shorten_log_line("cut off"), "cut off");
        assert_eq!(
            shorten_log_line(r#"{"level":"error","message":"no room"}"#),
            "error: no room"
        );
    }

    #[test]
    fn the_version_of_spin_is_parsed() {
        assert_eq!(parse_version("spin 4.1.0-pre0 (2f3a 2026-08-01)\n"), Some((4, 1)));
        assert!(parse_version("spin 3.4.1").unwrap() < OLDEST_SPIN);
        assert_eq!(parse_version("usage"), None);
    }
}
