//! One service for each kind of store, which the tests of a process share.

#![expect(clippy::expect_used, reason = "a test stops where it cannot go on")]

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::{ApiClient, RedisServer, StoreKind, TestService, block_on};

/// Runs a test on the shared service of this kind of store. The test has its own tenant.
///
/// # Panics
/// When the service does not start.
pub fn run_on_shared_service(store: StoreKind, test: impl AsyncFnOnce(&ApiClient)) {
    static SQLITE: OnceLock<String> = OnceLock::new();
    static REDIS: OnceLock<String> = OnceLock::new();
    let url = match store {
        StoreKind::Sqlite => &SQLITE,
        StoreKind::Redis => &REDIS,
    };
    let url = url.get_or_init(|| start_for_the_process(store));
    block_on(async { test(&ApiClient::over_http(url)).await });
}

/// Starts a service that runs until the process ends, and returns its URL. The process cannot run code when
/// it ends, so a shell waits for its end and deletes the directories.
fn start_for_the_process(store: StoreKind) -> String {
    const DELETE_WHEN_STDIN_CLOSES: &str = r#"read -r _; rm -rf "$@""#;
    let service = block_on(TestService::start(store));
    let mut cleaner = Command::new("sh");
    cleaner.args(["-c", DELETE_WHEN_STDIN_CLOSES, "sh"]);
    cleaner.arg(service.state.path());
    cleaner.args(service.redis.as_ref().map(RedisServer::directory));
    let cleaner = cleaner.stdin(Stdio::piped()).spawn().expect("a shell");
    let url = service.host.url();
    std::mem::forget((service, cleaner));
    url
}
