//! The programs that `up` starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::settings::Settings;
use super::supervisor::{OnEnd, Program};
use super::{key, spin};
use crate::workspace::Workspace;

/// How many lines of the log are shown when the local host ends by itself.
const LOG_LINES_SHOWN: usize = 10;

/// The servers: the local host, or a process of Spin for each kind of trigger.
///
/// # Errors
/// When `spin.toml` cannot be read.
pub(super) fn servers(workspace: &Workspace, settings: &Settings) -> Result<Vec<Program>> {
    if settings.spin {
        spin_servers(workspace, settings)
    } else {
        Ok(vec![local_host(workspace, settings)?])
    }
}

/// Loads the sample data.
pub(super) fn import(
    workspace: &Workspace,
    settings: &Settings,
    address: &str,
    checkpoint: &Path,
) -> Program {
    let mut command = Command::new(release(workspace, "edgeboard"));
    command
        .current_dir(&workspace.root)
        .args([
            "import",
            "--config",
            "tests/data/goalscorers.toml",
            "tests/data/goalscorers.csv",
            "--checkpoint",
        ])
        .arg(checkpoint)
        .env("EDGEBOARD_ADDRESS", address)
        .env("EDGEBOARD_KEY", &settings.key.secret);
    Program {
        name: "the import of the sample",
        command,
        on_end: OnEnd::Report,
    }
}

fn release(workspace: &Workspace, program: &str) -> PathBuf {
    workspace.target.join("release").join(program)
}

/// Where the local host's log goes: a line for each request would bury what `up` has to say.
pub(super) fn log_file(settings: &Settings) -> PathBuf {
    settings.state_dir.join("edgeboard.log")
}

/// The last lines of the local host's log, for people: why it could not start, or how it ended.
pub(super) fn end_of_log(settings: &Settings) -> String {
    let log = fs::read_to_string(log_file(settings)).unwrap_or_default();
    let lines: Vec<String> = log.lines().map(for_people).collect();
    lines
        .get(lines.len().saturating_sub(LOG_LINES_SHOWN)..)
        .unwrap_or_default()
        .join("\n")
}

/// Level and message of a line of the log; the line itself where it has none.
fn for_people(line: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let text = |name: &str| object.get(name).and_then(serde_json::Value::as_str);
    match (text("level"), text("message")) {
        (Some(level), Some(message)) => format!("{level}: {message}"),
        _ => line.to_owned(),
    }
}

fn local_host(workspace: &Workspace, settings: &Settings) -> Result<Program> {
    let path = log_file(settings);
    fs::create_dir_all(&settings.state_dir)
        .with_context(|| format!("cannot make {}", settings.state_dir.display()))?;
    let log = fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut command = Command::new(release(workspace, "leaderboard-host"));
    command
        .current_dir(&workspace.root)
        .args([
            "--manifest",
            spin::MANIFEST,
            "--listen",
            &settings.listen.to_string(),
            "--log-format",
            "json",
            "--state-dir",
        ])
        .arg(&settings.state_dir);
    set_variables(&mut command, settings);
    command.stderr(log);
    Ok(Program {
        name: "the local host",
        command,
        on_end: OnEnd::EndAll,
    })
}

/// Spin's Redis trigger ends when Redis does, and ends the whole `spin up` it belongs to. As a process of its
/// own it is started again, and HTTP goes on meanwhile.
fn spin_servers(workspace: &Workspace, settings: &Settings) -> Result<Vec<Program>> {
    let triggers = spin::Triggers::read(&workspace.root)?;
    let mut http = spin_up(workspace, settings, &triggers.http);
    http.args(["--listen", &settings.listen.to_string()]);
    let mut programs = vec![Program {
        name: "spin (HTTP)",
        command: http,
        on_end: OnEnd::EndAll,
    }];
    if settings.redis.is_some() && !triggers.redis.is_empty() {
        let command = spin_up(workspace, settings, &triggers.redis);
        programs.push(Program {
            name: "spin (Redis trigger)",
            command,
            on_end: OnEnd::StartAgain,
        });
    }
    Ok(programs)
}

fn spin_up(workspace: &Workspace, settings: &Settings, components: &[String]) -> Command {
    let mut command = Command::new("spin");
    command
        .current_dir(&workspace.root)
        .args(["up", "--from", spin::MANIFEST]);
    for component in components {
        command.args(["--component-id", component]);
    }
    command.arg("--state-dir").arg(&settings.state_dir);
    set_variables(&mut command, settings);
    command
}

/// Through the environment, as a command line is visible to everybody on the machine.
fn set_variables(command: &mut Command, settings: &Settings) {
    command
        .env(key::VARIABLE, &settings.key.secret)
        .env(key::TOKEN_VARIABLE, &settings.token_secret);
    if let Some(redis) = &settings.redis {
        redis.set_variables(command);
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::AdminKey;
    use super::super::redis::{self, Redis};
    use super::*;
    use crate::process::describe;
    use std::ffi::OsStr;
    use std::fs;

    fn settings(redis: Option<&str>, spin: bool) -> Settings {
        Settings {
            listen: "127.0.0.1:3000".parse().unwrap(),
            state_dir: "/state".into(),
            redis: redis.map(|url| Redis::parse(url).unwrap()),
            sample: true,
            spin,
            key: AdminKey {
                secret: "hidden".to_owned(),
                kept_in: None,
            },
            token_secret: "a secret".to_owned(),
        }
    }

    /// A project whose `spin.toml` has both kinds of trigger.
    fn project() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let manifest =
            "[[trigger.http]]\ncomponent = 'ranks'\n[[trigger.redis]]\ncomponent = 'score-events'\n";
        fs::write(folder.path().join("spin.toml"), manifest).unwrap();
        let workspace = Workspace {
            root: folder.path().into(),
            target: folder.path().join("target"),
            packages: Vec::new(),
        };
        (folder, workspace)
    }

    fn variable(program: &Program, name: &str) -> Option<String> {
        let mut variables = program.command.get_envs();
        let found = variables.find(|(own, _)| *own == OsStr::new(name))?;
        found.1.map(|value| value.to_string_lossy().into_owned())
    }

    #[test]
    fn the_local_host_gets_its_secrets_through_the_environment() {
        let (_folder, workspace) = project();
        let programs = servers(&workspace, &settings(Some("redis://:pass@h:1"), false)).unwrap();
        assert_eq!(programs.len(), 1);
        assert_eq!(
            describe(&programs[0].command),
            "leaderboard-host --manifest spin.toml --listen 127.0.0.1:3000 --log-format json --state-dir /state"
        );
        assert_eq!(variable(&programs[0], key::VARIABLE).as_deref(), Some("hidden"));
        let secret = variable(&programs[0], key::TOKEN_VARIABLE);
        assert_eq!(secret.as_deref(), Some("a secret"));
        assert_eq!(
            variable(&programs[0], redis::URL_VARIABLE).as_deref(),
            Some("redis://h:1")
        );
        let without = servers(&workspace, &settings(None, false)).unwrap();
        assert_eq!(variable(&without[0], redis::URL_VARIABLE), None);
    }

    #[test]
    fn the_end_of_the_log_is_for_people() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            state_dir: folder.path().into(),
            ..settings(None, false)
        };
        let request = r#"{"timestamp":"t","level":"info","status":200}"#;
        let lines = format!("cut off\n{request}\n{{\"level\":\"error\",\"message\":\"no room\"}}\n");
        fs::write(log_file(&settings), lines).unwrap();
        assert_eq!(
            end_of_log(&settings),
            format!("cut off\n{request}\nerror: no room")
        );
    }

    #[test]
    fn spin_runs_each_kind_of_trigger_in_a_process_of_its_own() {
        let (_folder, workspace) = project();
        let programs = servers(&workspace, &settings(Some("redis://h:1"), true)).unwrap();
        let lines: Vec<String> = programs
            .iter()
            .map(|program| describe(&program.command))
            .collect();
        assert_eq!(
            lines,
            [
                "spin up --from spin.toml --component-id ranks --state-dir /state --listen 127.0.0.1:3000",
                "spin up --from spin.toml --component-id score-events --state-dir /state",
            ]
        );
        let without = servers(&workspace, &settings(None, true)).unwrap();
        assert_eq!(without.len(), 1);
    }
}
