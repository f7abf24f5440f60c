//! One host for each store, shared by all tests of the process that need none of their own.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use leaderboard_suite::RedisServer;

use super::Edgeboard;
use super::site::{Site, Store};
use crate::harness::block_on;

/// Runs a test as a tenant of its own on the shared host of a store.
pub(crate) fn run(store: Store, test: impl AsyncFnOnce(&Edgeboard)) {
    let url = shared(store);
    block_on(async { test(&Edgeboard::new(url)).await });
}

fn shared(store: Store) -> &'static str {
    static SQLITE: OnceLock<String> = OnceLock::new();
    static REDIS: OnceLock<String> = OnceLock::new();
    let url = match store {
        Store::Sqlite => &SQLITE,
        Store::Redis => &REDIS,
    };
    url.get_or_init(|| start(store))
}

/// Starts a host that runs as long as the process. Nothing of a test process runs at its end, so another one
/// waits for it and takes the directories away.
fn start(store: Store) -> String {
    const AT_THE_END: &str = r#"read -r _; rm -rf "$@""#;
    let site = block_on(Site::start(store));
    let mut cleaner = Command::new("sh");
    cleaner.args(["-c", AT_THE_END, "sh"]).arg(site.state.path());
    cleaner.args(site.redis.as_ref().map(RedisServer::directory));
    let cleaner = cleaner.stdin(Stdio::piped()).spawn().expect("a shell");
    let url = site.host.url();
    std::mem::forget((site, cleaner));
    url
}
