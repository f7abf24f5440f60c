//! A Redis server for one test.

use std::collections::BTreeMap;

use leaderboard_redis::{Connection, RedisStore, Reply};
use leaderboard_test_support::RedisServer;

use crate::native_redis::{NativeRedis, connect};

/// A server that stops when the test ends.
pub(crate) struct Server(RedisServer);

impl Server {
    /// Starts a server and waits until it answers.
    #[expect(
        clippy::unused_async,
        reason = "the other functions of a server are asynchronous, too"
    )]
    pub(crate) async fn start() -> Self {
        Self(RedisServer::start())
    }

    pub(crate) async fn connection(&self) -> NativeRedis {
        connect(&self.url()).await
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    pub(crate) async fn store(&self) -> RedisStore<NativeRedis> {
        RedisStore::new(self.connection().await)
    }

    /// Runs one command and returns its reply. Spaces separate the name and the arguments.
    pub(crate) async fn run_command(&self, words: &str) -> Vec<Reply> {
        let mut words = words.split(' ');
        let name = words.next().unwrap();
        let arguments: Vec<&[u8]> = words.map(str::as_bytes).collect();
        self.connection().await.command(name, &arguments).await.unwrap()
    }

    /// Returns how often the server ran each command since the last reset, with the commands of scripts.
    pub(crate) async fn count_commands(&self) -> BTreeMap<String, u64> {
        let Some(Reply::Bytes(info)) = self.run_command("INFO commandstats").await.pop() else {
            panic!("no statistics")
        };
        let text = String::from_utf8(info).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="));
        lines
            .map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap()))
            .collect()
    }

    /// Returns all data, key by key, for comparisons.
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

    /// Restores the data that [`Server::digest`] returned. The restored keys do not expire.
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
