//! A Redis server for one test.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause between two checks whether a server answers.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How many ports are tried, because another program may take a port before the server starts.
const MAX_PORTS: usize = 5;
/// A shell script that runs the server until its standard input closes. This happens at the latest when the
/// process of the test ends.
const UNTIL_STDIN_CLOSES: &str = r#"redis-server "$@" >/dev/null & read -r _; kill -9 $!; wait $!"#;

/// A running redis-server with its own directory. The server is killed when this value is dropped, or when
/// the process of the test ends in any way.
#[derive(Debug)]
pub struct RedisServer {
    /// The server's process; `None` while the server is down.
    process: Option<Child>,
    port: u16,
    /// Whether the server writes each change to the disk before it answers.
    durable: bool,
    /// The port of the server that this one is a replica of.
    primary: Option<u16>,
    /// The id of the server's process while it hangs.
    hanging: Option<String>,
    directory: TempDir,
}

/// Returns a port that is free now. Another program may take the port afterwards.
///
/// # Panics
/// When no port is free.
#[must_use]
#[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

impl RedisServer {
    /// Starts a server that keeps its data only in memory.
    ///
    /// # Panics
    /// When redis-server is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_as(false, None)
    }

    /// Starts a server that writes each change to the disk before it answers.
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    #[must_use]
    pub fn start_durable() -> Self {
        Self::start_as(true, None)
    }

    /// Starts a replica of the server at this port, and waits until it has the data of that server.
    ///
    /// # Panics
    /// As [`RedisServer::start`]; when the replica does not get the data in time.
    #[must_use]
    pub fn start_replica(primary: u16) -> Self {
        let server = Self::start_as(false, Some(primary));
        let give_up_at = Instant::now() + START_TIMEOUT;
        while !server.is_linked() {
            assert!(Instant::now() < give_up_at, "the replica has no link");
            thread::sleep(POLL_INTERVAL);
        }
        server
    }

    /// Returns whether this replica is connected to its primary and has got its data.
    fn is_linked(&self) -> bool {
        let reply = self.send(b"INFO replication\r\n").unwrap_or_default();
        reply.contains("master_link_status:up")
    }

    #[expect(
        clippy::expect_used,
        clippy::panic,
        reason = "a test stops where it cannot go on"
    )]
    fn start_as(durable: bool, primary: Option<u16>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut server = Self {
            process: None,
            port: 0,
            durable,
            primary,
            hanging: None,
            directory,
        };
        for _ in 0..MAX_PORTS {
            server.port = free_port();
            if server.run() {
                return server;
            }
        }
        panic!("redis-server does not start (is it installed?)");
    }

    /// Returns the URL of the server: `redis://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the port of the server. A restart does not change the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the directory of the server's files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills the server with SIGKILL, and waits until its process has ended.
    ///
    /// # Panics
    /// When waiting for the process fails.
    #[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            process.wait().expect("the end of redis-server");
        }
    }

    /// Kills the server if it runs, and starts it again with the same port and directory.
    ///
    /// # Panics
    /// When the server does not start.
    #[expect(clippy::panic, reason = "a test stops where it cannot go on")]
    pub fn restart(&mut self) {
        self.kill();
        if !self.run() {
            panic!("redis-server does not start again on port {}", self.port);
        }
    }

    /// Stops the server at once (SIGSTOP): connections stay open, and the server does not answer.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn hang(&mut self) {
        let reply = self.send(b"INFO server\r\n").unwrap_or_default();
        let pid = reply.lines().find_map(|line| line.strip_prefix("process_id:"));
        self.hanging = pid.map(|pid| pid.trim().to_owned());
        self.signal("-STOP");
    }

    /// Lets a hanging server continue (SIGCONT).
    ///
    /// # Panics
    /// When the server does not hang.
    pub fn resume(&mut self) {
        self.signal("-CONT");
        self.hanging = None;
    }

    #[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
    fn signal(&self, signal: &str) {
        let pid = self.hanging.as_deref().expect("the id of the server's process");
        let sent = Command::new("kill").args([signal, pid]).status();
        assert!(sent.is_ok_and(|sent| sent.success()), "kill {signal} {pid}");
    }

    /// Sends a command and returns the first part of the reply.
    fn send(&self, command: &[u8]) -> std::io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, START_TIMEOUT)?;
        stream.set_read_timeout(Some(START_TIMEOUT))?;
        stream.write_all(command)?;
        let mut reply = vec![0; 4096];
        let length = stream.read(&mut reply)?;
        reply.truncate(length);
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }

    /// Starts the process, and returns whether it answers in time on its port.
    #[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
    fn run(&mut self) -> bool {
        let port = self.port.to_string();
        let durable = if self.durable { "yes" } else { "no" };
        let process = Command::new("sh")
            .args(["-c", UNTIL_STDIN_CLOSES, "redis-server"])
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--save",
                "",
                "--lazyfree-lazy-expire",
                "yes",
            ])
            .args(["--appendonly", durable, "--appendfsync", "always", "--dir"])
            .arg(self.directory.path())
            .args(self.primary.map_or_else(Vec::new, |port| {
                ["--replicaof", "127.0.0.1", &port.to_string()]
                    .map(str::to_owned)
                    .to_vec()
            }))
            // A replica waits for further ones before it gets the data of its primary, by default for five seconds.
            .args(["--repl-diskless-sync-delay", "0"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        self.process = Some(process);
        let directory = self.directory.path().canonicalize().expect("the directory");
        let give_up_at = Instant::now() + START_TIMEOUT;
        while Instant::now() < give_up_at {
            if self.answers_from(&directory) {
                return true;
            }
            thread::sleep(POLL_INTERVAL);
        }
        self.kill();
        false
    }

    /// Returns whether the server of this directory answers on the port and has loaded its data. The
    /// directory shows that it is not another server on the same port.
    fn answers_from(&self, directory: &Path) -> bool {
        let reply = self.send(b"PING\r\nCONFIG GET dir\r\n").unwrap_or_default();
        let mut lines = reply.lines();
        lines.next() == Some("+PONG") && lines.any(|line| Path::new(line) == directory)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
