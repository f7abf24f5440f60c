//! A store on Redis whose calls come from two versions of the code in turn, as in a rolling upgrade.

use std::cell::Cell;

use leaderboard_redis::{Connection, ConnectionError, RedisStore, Reply, Signal};
use leaderboard_test_support::native_redis::{self, NativeRedis};
use leaderboard_test_support::{RedisBackend, StoreBackend};

/// The function library of commit 1e1007b, as the code of that commit loads it. Since then, the keys, the
/// arguments and the replies of all functions but [`CHANGED`] are the same, and so are the values that they store.
/// So the code of today can call the older functions as the older code did.
///
/// Functions that the older library does not have are called in the current one.
///
/// When a function's arguments, reply or stored values change, the library of the commit before the change
/// replaces this one, and the calls of that function stay with the current library.
const OLDER_LIBRARY: &str = include_str!("older_library.txt");
/// The ends of the names of functions whose arguments have changed: an item that is tried again has the number of its
/// attempts, and a freeze has the prizes.
const CHANGED: [&str; 2] = ["_RETRY_ITEMS", "_FREEZE_STANDINGS"];
/// The first line of a library, up to its name.
const LIBRARY_HEAD: &str = "#!lua name=";
/// The length of the name of a library. The name of a function begins with it.
const NAME_LENGTH: usize = "edgeboard_0123456789abcdef".len();
/// How many calls are made before all libraries are deleted again.
const CALLS_BEFORE_FLUSH: u32 = 50;

/// A backend with one Redis server.
pub(super) struct RollingUpgrade(RedisBackend);

impl StoreBackend for RollingUpgrade {
    type Store = RedisStore<TwoVersions>;

    fn new() -> Self {
        Self(RedisBackend::new())
    }

    async fn open(&self) -> Self::Store {
        RedisStore::new(TwoVersions {
            inner: native_redis::connect(&self.0.0.url()).await,
            calls: Cell::new(0),
        })
    }

    async fn damage(&self, sql: &str, script: &str) {
        self.0.damage(sql, script).await;
    }
}

/// A connection that calls a function of the current library and one of the older library in turn. For each
/// version, the library of the other one is a library beside its own.
pub(super) struct TwoVersions {
    inner: NativeRedis,
    calls: Cell<u32>,
}

impl TwoVersions {
    /// Calls a function of one of the libraries.
    async fn call(&self, command: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        if calls.is_multiple_of(CALLS_BEFORE_FLUSH) {
            self.inner.command("FUNCTION", &[b"FLUSH"]).await?;
        }
        let (current, rest) = arguments.split_first().unwrap();
        let older = OLDER_LIBRARY.strip_prefix(LIBRARY_HEAD).unwrap().as_bytes();
        let older = [&older[..NAME_LENGTH], &current[NAME_LENGTH..]].concat();
        let name = std::str::from_utf8(&current[NAME_LENGTH..]).unwrap();
        let is_new = !OLDER_LIBRARY.contains(&format!("add_script('{}'", &name[1..]));
        let function = if calls.is_multiple_of(2) || is_new || CHANGED.contains(&name) {
            current
        } else {
            &older[..]
        };
        self.inner.command(command, &[&[function], rest].concat()).await
    }

    /// Loads the library of the current code, and the one of the older code.
    async fn load(&self, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        let older = self
            .inner
            .command("FUNCTION", &[b"LOAD", OLDER_LIBRARY.as_bytes()])
            .await;
        if let Err(ConnectionError::Refused { message, .. }) = &older {
            assert!(message.contains("already exists"), "{message}");
        }
        self.inner.command("FUNCTION", arguments).await
    }
}

impl Connection for TwoVersions {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        match name {
            "FCALL" | "FCALL_RO" => self.call(name, arguments).await,
            "FUNCTION" if arguments.first() == Some(&&b"LOAD"[..]) => self.load(arguments).await,
            // The store uses EVALSHA if it does not find a function.
            "EVALSHA" | "EVALSHA_RO" => panic!("a function is missing"),
            _ => self.inner.command(name, arguments).await,
        }
    }

    async fn pause(&self) {
        self.inner.pause().await;
    }

    fn signal(&self) -> Signal {
        self.inner.signal()
    }
}
