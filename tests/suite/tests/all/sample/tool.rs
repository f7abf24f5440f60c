//! The command-line tool as a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leaderboard_test_support::{ADMIN_KEY, ApiClient, tool_program, wait_until};
use serde_json::Value;
use tempfile::TempDir;

use super::expected::absolute;

/// An import of one file, with a checkpoint of its own.
pub(super) struct Import {
    address: String,
    file: PathBuf,
    directory: TempDir,
}

impl Import {
    pub(super) fn new(address: &str, file: impl AsRef<Path>) -> Self {
        Self {
            address: address.to_owned(),
            file: absolute(file),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, further: &[&str]) -> Command {
        let mut command = Command::new(tool_program());
        command
            .arg("import")
            .arg(&self.file)
            .arg("--config")
            .arg(absolute("tests/data/goalscorers.toml"));
        command
            .arg("--checkpoint")
            .arg(self.directory.path().join("checkpoint"))
            .arg("--json")
            .args(further);
        command
            .env("EDGEBOARD_ADDRESS", &self.address)
            .env("EDGEBOARD_KEY", ADMIN_KEY);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end: its report.
    pub(super) async fn run(&self, further: &[&str]) -> Value {
        let mut command = self.command(further);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Starts it and kills it once the leaderboard of all time has moved on by so much.
    pub(super) async fn kill_after(&self, api: &ApiClient, versions: u64) {
        let version = async || {
            let answer = api.get("/leaderboards/goals/entries?limit=1").await;
            if answer.status == 404 {
                0
            } else {
                answer.expect_status(200)["version"].as_u64().unwrap()
            }
        };
        let goal = version().await + versions;
        let mut process = self.command(&["--batch", "50"]).spawn().unwrap();
        wait_until(version, |now| *now >= goal).await;
        process.kill().unwrap();
        assert!(!process.wait().unwrap().success(), "it was killed before its end");
    }
}
