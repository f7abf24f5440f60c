//! Runs imports of the command-line tool as processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leaderboard_test_support::{ADMIN_KEY, ApiClient, tool_program, wait_until};
use serde_json::Value;
use tempfile::TempDir;

use super::expected::absolute_path;

/// An import of one file, with its own checkpoint.
pub(super) struct Import {
    address: String,
    file: PathBuf,
    directory: TempDir,
}

impl Import {
    pub(super) fn new(address: &str, file: impl AsRef<Path>) -> Self {
        Self {
            address: address.to_owned(),
            file: absolute_path(file),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(tool_program());
        command
            .arg("import")
            .arg(&self.file)
            .arg("--config")
            .arg(absolute_path("tests/data/goalscorers.toml"));
        command
            .arg("--checkpoint")
            .arg(self.directory.path().join("checkpoint"))
            .arg("--json")
            .args(options);
        command
            .env("EDGEBOARD_ADDRESS", &self.address)
            .env("EDGEBOARD_KEY", ADMIN_KEY);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the import to its end and returns its report.
    pub(super) async fn run(&self, options: &[&str]) -> Value {
        let mut command = self.command(options);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Starts the import, and kills it when the version of the list of all time has grown by `versions`.
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
        assert!(
            !process.wait().unwrap().success(),
            "the import must be killed before its end"
        );
    }
}
