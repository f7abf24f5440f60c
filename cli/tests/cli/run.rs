//! Runs the program `edgeboard` in a temporary directory.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A directory for a test's files and the program's state.
pub(crate) struct TestDirectory(tempfile::TempDir);

/// The result of a run.
pub(crate) struct CommandResult {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl TestDirectory {
    /// Creates an empty directory.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Returns the path of `name` in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Writes a file that only this user can read, creates its folders, and returns its path.
    pub(crate) fn write_private(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    /// Builds the command `edgeboard …` with a key, and without the variables of the tester's environment.
    pub(crate) fn command(&self, address: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeboard"));
        command
            .env_clear()
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("EDGEBOARD_ADDRESS", address)
            .env("EDGEBOARD_KEY", "the-key")
            .current_dir(self.0.path())
            .args(args);
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, address: &str, args: &[&str]) -> CommandResult {
        CommandResult::from_output(self.command(address, args).output().unwrap())
    }

    /// Runs the program to its end with `input` on standard input.
    pub(crate) fn run_with_input(&self, address: &str, args: &[&str], input: &str) -> CommandResult {
        let mut command = self.command(address, args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        CommandResult::from_output(child.wait_with_output().unwrap())
    }

    /// Starts the program, and does not wait for its end.
    pub(crate) fn spawn(&self, address: &str, args: &[&str]) -> Child {
        self.command(address, args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

impl CommandResult {
    /// Creates the result from the output of a process.
    pub(crate) fn from_output(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Parses standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

/// Returns the path of a file of the project's sample data.
pub(crate) fn sample_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/data")
        .join(name)
}
