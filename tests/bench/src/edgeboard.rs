//! The service of a saved build on the local host. The guests have routes beside those of the service.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use http::Method;
use leaderboard_test_support::RedisServer;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::http_client::HttpClient;
use crate::process::RunningProgram;
use crate::redis_info::read_info;

/// The admin key. A constant is safe enough, because the server ends with this program.
pub(crate) const ADMIN_KEY: &str = "a-key-for-this-run-alone-and-no-other";
/// The guests of a build. They are added to the components of the application.
const GUESTS: [&str; 3] = ["hello", "tokens", "evalsha"];
pub(crate) const READY_PATH: &str = "/api/v1/health/ready";
/// The file of the host's log, in its directory.
const LOG: &str = "log";
/// The number of lines of the log that an error shows.
const LOG_END: usize = 5;

/// A running service with a store of its own.
#[derive(Debug)]
pub(crate) struct Edgeboard {
    /// `http://host:port`
    pub(crate) address: String,
    pub(crate) admin: HttpClient,
    pub(crate) program: RunningProgram,
    /// The Redis server that is the store; `None` on SQLite.
    pub(crate) redis: Option<RedisServer>,
    state: TempDir,
}

impl Edgeboard {
    /// Starts the build of a directory, on Redis or on SQLite, and waits until it is ready. `like_spin` is the
    /// option of the host.
    pub(crate) async fn start(build: &Path, on_redis: bool, like_spin: bool) -> Result<Self> {
        let state = tempfile::tempdir()?;
        let redis = on_redis.then(RedisServer::start);
        let url = redis.as_ref().map(RedisServer::url).unwrap_or_default();
        let options = if like_spin { &["--like-spin"][..] } else { &[] };
        let host = HostStart {
            build,
            guests: &GUESTS,
            directory: state.path(),
            compiled: &compiled_components(),
        };
        let (program, address) = host.start(&url, options)?;
        let edgeboard = Self {
            admin: HttpClient::new(&address, ADMIN_KEY),
            address,
            program,
            redis,
            state,
        };
        let ready = edgeboard
            .admin
            .send_again(Method::GET, READY_PATH, "default", String::new())
            .await;
        ready.context("the host is not ready")?;
        Ok(edgeboard)
    }

    /// Returns the last lines of the host's log.
    pub(crate) fn read_log_end(&self) -> String {
        let log = fs::read_to_string(self.state.path().join(LOG)).unwrap_or_default();
        let mut lines: Vec<&str> = log.lines().rev().take(LOG_END).collect();
        lines.reverse();
        lines.join("\n")
    }

    /// Returns the bytes of the store: the memory that Redis uses for data, or the files of SQLite.
    pub(crate) async fn store_size(&self) -> Result<StoreSize> {
        if let Some(redis) = &self.redis {
            let data_bytes = read_info(redis, "memory", "used_memory").await?;
            return Ok(StoreSize {
                data_bytes,
                wal_bytes: None,
            });
        }
        let (mut data_bytes, mut wal_bytes) = (0, 0);
        for entry in fs::read_dir(self.state.path().join("state"))? {
            let entry = entry?;
            let bytes = entry.metadata()?.len();
            match entry.path().extension().and_then(|extension| extension.to_str()) {
                Some("db") => data_bytes += bytes,
                Some("db-wal") => wal_bytes += bytes,
                _ => {}
            }
        }
        Ok(StoreSize {
            data_bytes,
            wal_bytes: Some(wal_bytes),
        })
    }
}

/// A start of the host of a build.
pub(crate) struct HostStart<'a> {
    /// The directory of the build.
    pub(crate) build: &'a Path,
    /// The guests that the host serves beside the components of the service.
    pub(crate) guests: &'a [&'a str],
    /// The directory of the manifest, the log and the state.
    pub(crate) directory: &'a Path,
    /// The directory of compiled components.
    pub(crate) compiled: &'a Path,
}

impl HostStart<'_> {
    /// Starts the host with options, and waits until it listens. Without a Redis URL, the store is SQLite.
    /// Returns the program and its address.
    pub(crate) fn start(&self, redis_url: &str, options: &[&str]) -> Result<(RunningProgram, String)> {
        let manifest = self.directory.join("spin.toml");
        fs::write(&manifest, write_manifest(self.build, self.guests)?)?;
        let log = fs::File::create(self.directory.join(LOG))?;
        let mut program = Command::new(self.build.join("leaderboard-host"))
            .arg("--manifest")
            .arg(&manifest)
            .args(["--listen", "127.0.0.1:0", "--state-dir"])
            .arg(self.directory.join("state"))
            .arg("--cache-dir")
            .arg(self.compiled)
            .args(options)
            .env("SPIN_VARIABLE_ADMIN_KEY", ADMIN_KEY)
            .env("SPIN_VARIABLE_REDIS_URL", redis_url)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| {
                format!(
                    "{} has no leaderboard-host; scripts/bench --save makes such a folder",
                    self.build.display()
                )
            })?;
        let output = program.stdout.take().context("the output of the host")?;
        let program = RunningProgram(program);
        let address = read_address(output)
            .with_context(|| fs::read_to_string(self.directory.join(LOG)).unwrap_or_default())?;
        Ok((program, address))
    }
}

/// The size of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoreSize {
    pub(crate) data_bytes: u64,
    /// The write-ahead logs of SQLite; `None` for Redis.
    pub(crate) wal_bytes: Option<u64>,
}

/// Returns the address in the first line of a server's output. A thread reads and drops the rest of the
/// output, so that the server never waits for a full pipe.
pub(crate) fn read_address(output: impl std::io::Read + Send + 'static) -> Result<String> {
    let mut lines = BufReader::new(output).lines();
    let first = lines.next().context("the server ends before it listens")??;
    std::thread::spawn(move || lines.for_each(drop));
    match first.rsplit_once(' ') {
        Some((_, address)) if address.starts_with("http://") => Ok(address.to_owned()),
        _ => bail!("`{first}` tells no address"),
    }
}

/// Returns the cache directory of compiled components, which all hosts share.
fn compiled_components() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    target.join("compiled")
}

/// Returns the manifest of a build with guests added. The paths of its components are absolute, because
/// the manifest is written to another directory.
fn write_manifest(build: &Path, guests: &[&str]) -> Result<String> {
    let build = build.canonicalize()?;
    let functions = build.join("functions").display().to_string();
    let file = build.join("spin.toml");
    let mut text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    for guest in guests {
        text.push_str(&format!(
            r#"
[[trigger.http]]
route = "/bench/{guest}"
component = "{guest}"
[component.{guest}]
source = "target/functions/{guest}.wasm"
allowed_outbound_hosts = ["{{{{ redis_url }}}}"]
[component.{guest}.variables]
redis_url = "{{{{ redis_url }}}}"
"#
        ));
    }
    Ok(text.replace("\"target/functions", &format!("\"{functions}")))
}
