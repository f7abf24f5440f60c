//! Runs the program in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A directory for a test's files and the program's state.
pub(crate) struct Place(tempfile::TempDir);

/// What a run came to.
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// `edgeboard …` in it, with a key and without anything from the tester's environment.
    pub(crate) fn command(&self, address: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeboard"));
        command
            .env_clear()
            .env("XDG_STATE_HOME", self.path("state"))
            .env("EDGEBOARD_ADDRESS", address)
            .env("EDGEBOARD_KEY", "the-key")
            .current_dir(self.0.path())
            .args(args);
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, address: &str, args: &[&str]) -> Run {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(address, args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run {
            code: status.code().unwrap(),
            out: text(stdout),
            err: text(stderr),
        }
    }

    /// Starts, without waiting.
    pub(crate) fn spawn(&self, address: &str, args: &[&str]) -> Child {
        self.command(address, args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

/// The project's sample data.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/data")
        .join(name)
}
