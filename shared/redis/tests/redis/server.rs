//! A Redis server for one test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use leaderboard_core::model::Model;
use leaderboard_redis::{Connection, RedisStore, Reply};
use tempfile::TempDir;

use crate::native_redis::{NativeRedis, connect};

/// A server that ends with the test.
pub(crate) struct Server {
    process: Child,
    port: u16,
    _directory: TempDir,
}

impl Server {
    /// Starts a server on a free port and waits until it answers.
    pub(crate) async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self {
            process,
            port,
            _directory: directory,
        };
        for _ in 0..500 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server does not answer on port {port}");
    }

    pub(crate) async fn connection(&self) -> NativeRedis {
        connect(&self.url()).await
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn store(&self) -> RedisStore<NativeRedis> {
        RedisStore::new(self.connection().await)
    }

    /// Sends one command, given as words.
    pub(crate) async fn ask(&self, words: &str) -> Vec<Reply> {
        let mut words = words.split(' ');
        let name = words.next().unwrap();
        let arguments: Vec<&[u8]> = words.map(str::as_bytes).collect();
        self.connection().await.command(name, &arguments).await.unwrap()
    }

    /// All data, key by key, as one value to compare.
    pub(crate) async fn digest(&self) -> Vec<(Reply, Vec<Reply>)> {
        let connection = self.connection().await;
        let mut all = Vec::new();
        for key in connection.command("KEYS", &[b"*"]).await.unwrap() {
            let Reply::Bytes(name) = &key else {
                panic!("{key:?} is no key")
            };
            let dump = connection.command("DUMP", &[name]).await.unwrap();
            all.push((key, dump));
        }
        all.sort_by_key(|(key, _)| format!("{key:?}"));
        all
    }

    /// Lets versions count up by one, in this server and in the model: the last one is far ahead of the clock.
    pub(crate) async fn count_versions(&self, model: &Model) {
        const LAST: u64 = 1 << 52;
        for key in [
            "eb:acme:version",
            "eb::documents",
            "eb:acme:documents",
            "eb:documents:documents",
        ] {
            self.ask(&format!("SET {key} {LAST}")).await;
        }
        model.set_clock(LAST + 1);
    }

    /// Puts all data back to what [`Server::digest`] gave; keys without a time to live.
    pub(crate) async fn restore(&self, backup: &[(Reply, Vec<Reply>)]) {
        let connection = self.connection().await;
        connection.command("FLUSHALL", &[]).await.unwrap();
        for (key, dump) in backup {
            let (Reply::Bytes(key), [Reply::Bytes(dump)]) = (key, dump.as_slice()) else {
                panic!("{key:?} is no key of a backup")
            };
            connection.command("RESTORE", &[key, b"0", dump]).await.unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
