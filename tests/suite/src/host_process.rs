//! The local host as `scripts/up` runs it: a process of its own, with the components as shipped.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use leaderboard_test_support::project_root;
use tempfile::TempDir;

/// The operator's key of these hosts.
pub const BENCH_KEY: &str = "a key for benchmarks alone, with 32 bytes and more";

/// A running host with a directory of its own, on the disk where the project is. It is killed when this is
/// dropped.
#[derive(Debug)]
pub struct HostProcess {
    process: Child,
    address: SocketAddr,
    /// Kept open: the host prints more than its first line.
    _printed: BufReader<ChildStdout>,
    directory: TempDir,
}

/// A program of this workspace, built in the same profile as the one that runs.
///
/// # Errors
/// When it is not there; the message says how to build it.
pub fn program(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let profile = own.ancestors().nth(2).ok_or("a program without a directory")?;
    let program = profile.join(name);
    if program.is_file() {
        return Ok(program);
    }
    Err(format!("{name} is not built; `cargo build --release --package {name}` builds it").into())
}

impl HostProcess {
    /// Starts a host on a fresh store: this Redis, or SQLite.
    ///
    /// # Errors
    /// When the program is not built, or does not start.
    pub fn start(redis_url: Option<&str>) -> Result<Self, Box<dyn Error>> {
        Self::start_with("spin.toml", redis_url)
    }

    /// Starts a host with another manifest than the application's; its path goes from the root of the project.
    ///
    /// # Errors
    /// When the program is not built, or does not start.
    pub fn start_with(manifest: &str, redis_url: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let program = program("leaderboard-host")?;
        let place = program.with_file_name("bench-state");
        std::fs::create_dir_all(&place)?;
        let directory = tempfile::tempdir_in(&place)?;
        let mut process = Command::new(&program)
            .current_dir(project_root())
            .args(["--manifest", manifest, "--listen", "127.0.0.1:0", "--cache-dir"])
            .arg(place.join("compiled"))
            .arg("--state-dir")
            .arg(directory.path())
            .env("SPIN_VARIABLE_ADMIN_KEY", BENCH_KEY)
            .env("SPIN_VARIABLE_REDIS_URL", redis_url.unwrap_or_default())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut printed = BufReader::new(process.stdout.take().ok_or("a host without output")?);
        let mut line = String::new();
        printed.read_line(&mut line)?;
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        let mut host = Self {
            process,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or_default())),
            _printed: printed,
            directory,
        };
        if port.is_none() {
            host.end();
            return Err(
                "the host did not start (are the components built? `scripts/build-functions`)".into(),
            );
        }
        Ok(host)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its directory; others may put files there.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A request with the operator's key; `path` goes below `/api/v1`.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        let (address, length) = (self.address, body.len());
        let mut head =
            format!("{method} /api/v1{path} HTTP/1.1\r\nhost: {address}\r\nx-api-key: {BENCH_KEY}\r\n");
        if !body.is_empty() {
            head += &format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        }
        (head + "\r\n" + body).into_bytes()
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.end();
    }
}
