//! Real Redis servers.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;

/// How often a starting server is asked whether it answers.
const POLL: Duration = Duration::from_millis(20);
/// How many times it is asked.
const POLLS: usize = 500;

/// A server on a free port. It is killed when it is dropped.
pub(crate) struct RedisServer {
    port: u16,
    directory: tempfile::TempDir,
    process: Child,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        let port = free_port();
        let directory = tempfile::tempdir().expect("a directory");
        let server = Self {
            port,
            process: launch(port, &directory),
            directory,
        };
        server.ready().await;
        server
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
    }

    /// Starts it again on the same port.
    pub(crate) async fn restart(&mut self) {
        self.process = launch(self.port, &self.directory);
        self.ready().await;
    }

    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.address()).expect("an address");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("a connection")
    }

    async fn ready(&self) {
        let client = redis::Client::open(self.address()).expect("an address");
        for _ in 0..POLLS {
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING")
                    .query_async::<String>(&mut connection)
                    .await
                    .is_ok()
            {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("redis-server does not answer on port {}", self.port);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn launch(port: u16, directory: &tempfile::TempDir) -> Child {
    Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
        ])
        .arg(directory.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server must be installed")
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address")
        .port()
}
